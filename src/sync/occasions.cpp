#include "sync/occasions.h"

#include <fmt/format.h>

#include "sync/ledger.h"
#include "sync/plan_sql.h"

namespace eddy::sync {

namespace {

// The rows of a delivered plan that may have arrived, as key and number.
std::string doubtful_rows(engine::Connection& connection, const std::string& plan_id) {
  const std::string outcome = outcome_table(plan_id);
  const int in_doubt = static_cast<int>(RowFate::in_doubt);
  if (connection.query(fmt::format("select 1 from {} where fate = {} limit 1", outcome, in_doubt))
          .rows()
          .empty())
    return "";
  return fmt::format(
      "(select {} as key, p.number from {} p join {} o on o.number = p.number where o.fate = {})",
      key_json("p.", load_plan(connection, plan_id).definition), plan_table(plan_id), outcome, in_doubt);
}

}  // namespace

Sending sending_of(engine::Connection& connection, const Plan& plan) {
  Sending sending{plan.counts.planned(), plan.id, nullptr,
                  !read_standing(connection, plan.definition.sync).definition};
  const auto delivered =
      connection
          .query(
              "select d.plan_id from sync_db.main.deliveries d join sync_db.main.plans p on p.id = d.plan_id "
              "where d.sync = ? and d.plan_id < ? order by d.plan_id desc",
              {Value::text(plan.definition.sync), Value::text(plan.id)})
          .rows();
  bool found = false;
  for (const Row& before : delivered) {
    const std::string& id = before[0].as_string();
    const std::string rows = doubtful_rows(connection, id);
    if (rows.empty()) break;
    const std::string mine = fmt::format("(select {} as key, number from {} p)",
                                         key_json("p.", plan.definition), plan_table(plan.id));
    if (!found)
      connection.execute(fmt::format(
          "create or replace temp table eddy_occasions as select m.number, m.key, 1 as plans, {0} "
          "|| ':' || b.number as occasion from {1} m join {2} b on b.key = m.key",
          engine::quote_literal(id), mine, rows));
    else if (connection
                 .query(fmt::format("update eddy_occasions m set plans = plans + 1, occasion = {} || ':' || "
                                    "b.number from {} b where b.key = m.key and plans = (select max(plans) "
                                    "from eddy_occasions)",
                                    engine::quote_literal(id), rows))
                 .rows_changed() == 0)
      break;
    found = true;
  }
  if (!found) return sending;
  auto occasions = std::make_shared<std::map<std::uint64_t, std::string>>();
  for (const Row& row : connection.query("select number, occasion from eddy_occasions").rows())
    occasions->emplace(static_cast<std::uint64_t>(row[0].as_integer()), row[1].as_string());
  connection.execute("drop table eddy_occasions");
  sending.before = std::move(occasions);
  return sending;
}

}  // namespace eddy::sync
