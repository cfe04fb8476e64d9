#include "sync/undo.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "sync/ledger.h"
#include "sync/plan.h"
#include "sync/plan_sql.h"

namespace eddy::sync {

namespace {

constexpr int examples_max = 5;

std::uint64_t count(engine::Connection& c, const std::string& sql) {
  return static_cast<std::uint64_t>(c.query(sql).scalar().as_integer());
}

class Undoing {
 public:
  Undoing(engine::Connection& connection, const Definition& now, const Standing& standing,
          const std::string& hash_algorithm, const std::string& plan_id)
      : c_(connection),
        now_(now),
        standing_(standing),
        algorithm_(hash_algorithm),
        then_(load_plan(connection, plan_id)),
        keys_(now.key.size()),
        values_(now.fields.size()) {}

  UndoDifference find() {
    if (!standing_.definition)
      throw Error("sync.undo_unknown",
                  fmt::format("what sync {} has delivered was forgotten by a reset", now_.sync),
                  "make the model say what it said before, and run the sync");
    if (!same_columns(standing_, now_, algorithm_))
      throw Error("sync.undo_mapping_changed",
                  fmt::format("sync {}: fields or types of its mapping have changed since its last delivery, "
                              "so what was there before cannot be written; nothing was sent",
                              now_.sync),
                  "put the mapping back as it was, undo, and change it afterwards");
    out_.snapshot = count(c_, "select count(*) from " + snapshot_table(now_.sync));
    c_.execute(
        fmt::format("create or replace temp table eddy_hits as select a.*, {} as still, {} from {} a "
                    "left join {} s on {}",
                    untouched(), snapshot_values(), delivered(),
                    aligned_snapshot(standing_, now_, algorithm_), keys_equal("a", "s", keys_)));
    const bool stays = now_.removed == Removed::ignore;
    out_.source = count(c_, "select count(*) from eddy_hits");
    out_.changed_since = rows("not still");
    if (stays) out_.kept = rows("still and op = 0");
    if (!stays) out_.removed = rows("still and op = 0");
    out_.changed = rows("still and op = 1 and " + differs());
    out_.added = rows("still and op = 2");
    list("changed_since", "not still and not lost");
    list("before_unknown", "lost");
    if (stays) list("stays", "still and op = 0");
    out_.relation = relation(stays);
    return std::move(out_);
  }

 private:
  std::uint64_t rows(const std::string& condition) {
    return count(c_, "select count(*) from eddy_hits where " + condition);
  }

  void list(const std::string& reason, const std::string& condition) {
    for (const Row& row :
         c_.query(fmt::format("select {} from eddy_hits where {} order by {} limit {}", key_json("", now_),
                              condition, numbered("k", keys_), examples_max))
             .rows())
      out_.examples.push_back({reason, row[0].as_string()});
  }

  // The rows that the run delivered, in the columns of today: op, k…, w… as it wrote them, b… as they were
  // before; lost when a value has no place in today's type.
  std::string delivered() const {
    std::vector<std::string> columns = {"p.op"}, lost = {"p.op > 0 and p.suspect"};
    const auto column = [&](const char* letter, const std::vector<BoundColumn>& then, const BoundColumn& now,
                            const std::string& as) {
      const auto at =
          std::find_if(then.begin(), then.end(), [&](const BoundColumn& c) { return c.field == now.field; });
      const std::string place = fmt::format("p.{}{}", letter, at - then.begin() + 1);
      const std::string value = at == then.end() ? fmt::format("cast(null as {})", now.engine_type)
                                                 : fmt::format("try_cast({} as {})", place, now.engine_type);
      columns.push_back(value + " as " + as);
      if (at != then.end() && at->engine_type != now.engine_type)
        lost.push_back(fmt::format("try_cast({} as {}) is distinct from {}", value, at->engine_type, place));
    };
    for (std::size_t i = 0; i < keys_; ++i)
      column("k", then_.definition.key, now_.key[i], fmt::format("k{}", i + 1));
    for (std::size_t i = 0; i < values_; ++i) {
      column("v", then_.definition.fields, now_.fields[i], fmt::format("w{}", i + 1));
      column("o", then_.definition.fields, now_.fields[i], fmt::format("b{}", i + 1));
    }
    columns.push_back("(" + join(lost, " or ") + ") as lost");
    const auto complete =
        c_.query("select complete from sync_db.main.deliveries where plan_id = ?", {Value::text(then_.id)})
            .scalar();
    return fmt::format(
        "(select {} from {} p {} join {} f on f.number = p.number where coalesce(f.fate, {}) = "
        "{})",
        join(columns, ", "), plan_table(then_.id), complete.as_boolean() ? "left" : "inner",
        outcome_table(then_.id), static_cast<int>(RowFate::applied), static_cast<int>(RowFate::applied));
  }

  bool was_mapped(std::size_t field) const {
    return std::any_of(then_.definition.fields.begin(), then_.definition.fields.end(),
                       [&](const BoundColumn& c) { return c.field == now_.fields[field].field; });
  }

  std::string untouched() const {
    std::string same = "s.k1 is not null and not s.suspect";
    for (std::size_t i = 0; i < values_; ++i)
      if (was_mapped(i)) same += fmt::format(" and s.v{0} is not distinct from a.w{0}", i + 1);
    return fmt::format("not a.lost and case when a.op = 2 then s.k1 is null else {} end", same);
  }

  std::string snapshot_values() const {
    std::string out = "s.k1 is not null as known";
    for (std::size_t i = 1; i <= values_; ++i) out += fmt::format(", s.v{0} as o{0}", i);
    return out;
  }

  // A field that was not mapped then stays as it is.
  std::string before(std::size_t field) const {
    return was_mapped(field) ? fmt::format("b{}", field + 1) : fmt::format("o{}", field + 1);
  }

  std::string differs() const {
    std::vector<std::string> any = {"false"};
    for (std::size_t i = 0; i < values_; ++i)
      any.push_back(fmt::format("{} is distinct from o{}", before(i), i + 1));
    return "(" + join(any, " or ") + ")";
  }

  std::string relation(bool stays) const {
    std::string columns = "case op when 0 then 2 when 1 then 1 else 0 end::utinyint as op, ";
    columns += numbered("k", keys_);
    for (std::size_t i = 0; i < values_; ++i)
      columns += fmt::format(", case op when 0 then null else {} end as v{}", before(i), i + 1);
    for (std::size_t i = 0; i < values_; ++i) columns += fmt::format(", o{}", i + 1);
    return fmt::format(
        "(select {}, false as suspect from eddy_hits where still and (op = 2 or (op = 1 and {}){}))", columns,
        differs(), stays ? "" : " or op = 0");
  }

  engine::Connection& c_;
  const Definition& now_;
  const Standing& standing_;
  const std::string& algorithm_;
  const Plan then_;
  const std::size_t keys_, values_;
  UndoDifference out_;
};

}  // namespace

UndoDifference find_undo(engine::Connection& connection, const Definition& now, const Standing& standing,
                         const std::string& hash_algorithm, const std::string& plan_id) {
  return Undoing(connection, now, standing, hash_algorithm, plan_id).find();
}

std::vector<Delivered> delivered_by(engine::Connection& connection, const std::string& run_id,
                                    const std::string& sync) {
  const auto rows = connection
                        .query(
                            "select d.run_id, d.plan_id, d.sync, p.body->>'kind' from "
                            "sync_db.main.deliveries d join sync_db.main.plans p on p.id = d.plan_id "
                            "where d.run_id = ? and (? = '' or d.sync = ?) order by d.sync, d.plan_id",
                            {Value::text(run_id), Value::text(sync), Value::text(sync)})
                        .rows();
  std::vector<Delivered> out;
  for (const Row& row : rows) {
    const std::string& kind = row[3].as_string();
    if (kind == name_of(PlanKind::baseline) || kind == name_of(PlanKind::resolve)) continue;
    out.push_back({row[0].as_string(), row[1].as_string(), row[2].as_string()});
  }
  if (out.empty())
    throw Error("sync.undo_unknown",
                fmt::format("run {} has sent nothing{} that is still known", run_id,
                            sync.empty() ? "" : " for sync " + sync),
                "`eddy runs` lists the runs; of each sync the last plans are kept (`history: {plans: N}` in "
                "eddy.yml)");
  return out;
}

}  // namespace eddy::sync
