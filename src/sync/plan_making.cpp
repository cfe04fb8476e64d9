#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "sync/plan.h"
#include "sync/plan_sql.h"

namespace eddy::sync {

namespace {

constexpr int examples_max = 5;

std::uint64_t count(engine::Connection& c, const std::string& sql) {
  return static_cast<std::uint64_t>(c.query(sql).scalar().as_integer());
}

// Rows of the model can be read twice and come out the same: files and tables can, a view may compute
// anything.
bool repeatable(warehouse::Session& session, const std::string& model) {
  if (model.starts_with("raw.") || model.starts_with("warehouse.")) return true;
  const auto version = session.store().current_model(model);
  return version && !version->path.starts_with("view:");
}

// One plan being computed, step by step, inside one transaction. The diff joins keys and hashes only; values
// are fetched for the hits.
class PlanMaking {
 public:
  PlanMaking(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec, Clock& clock)
      : session_(session), c_(connection), spec_(spec) {
    plan_.definition = bind(session, connection, spec);
    plan_.id = new_id();
    plan_.made_at = format_utc(clock.now());
    standing_ = read_standing(c_, spec.name);
    plan_.epoch = standing_.epoch;
    algorithm_ = hash_algorithm(c_);
    plan_.definition_changed = standing_.definition && !same_columns(standing_, plan_.definition, algorithm_);
    keys_ = plan_.definition.key.size();
    values_ = plan_.definition.fields.size();
    if (standing_.definition) check_same_target();
  }

  Plan make() {
    engine::Transaction transaction(c_);  // one moment: now() and views stay what they are
    desired_ = "(" + desired_sql(plan_.definition) + ")";
    if (!repeatable(session_, spec_.model)) {
      c_.execute("create or replace temp table eddy_desired as select * from " + desired_);
      desired_ = "eddy_desired";
    }
    count_source();
    find_hits();
    drop_duplicates();
    count_hits();
    fetch_values();
    leave_out_refused();
    store_rows();
    weigh();
    c_.query("insert into sync_db.main.plans values (?, ?, ?, ?)",
             {Value::text(plan_.id), Value::text(spec_.name),
              Value::integer(static_cast<std::int64_t>(plan_.epoch)), Value::text(to_json(plan_).dump())});
    transaction.commit();
    c_.execute(
        "drop table if exists eddy_desired; drop table if exists eddy_hits; drop table if exists eddy_new; "
        "drop table if exists eddy_old;"
        "drop table if exists eddy_duplicates; drop table if exists eddy_rejects; drop table if exists "
        "eddy_refused");
    return std::move(plan_);
  }

 private:
  std::string keys(std::string_view prefix = "") const { return numbered(fmt::format("{}k", prefix), keys_); }
  std::string values(std::string_view prefix, std::string_view letter = "v") const {
    return numbered(fmt::format("{}{}", prefix, letter), values_);
  }
  bool first_run() const { return plan_.counts.snapshot == 0; }
  bool insert_only() const { return plan_.definition.mode == Mode::insert; }

  // A snapshot tells nothing about another object, nor under another key.
  void check_same_target() {
    const Definition& then = *standing_.definition;
    const Definition& now = plan_.definition;
    const auto names = [](const Definition& d) {
      std::vector<std::string> out;
      for (const BoundColumn& column : d.key) out.push_back(column.field);
      std::sort(out.begin(), out.end());
      return join(out, ", ");
    };
    const std::string before = fmt::format("{} of {} by {}", then.object, then.destination, names(then));
    const std::string after = fmt::format("{} of {} by {}", now.object, now.destination, names(now));
    if (before != after)
      throw Error(
          spec_.node.complaint("sync.target_changed",
                               fmt::format("sync {} has delivered to {}, and is now asked to deliver to {}",
                                           spec_.name, before, after),
                               "give the file a new name: under it the sync starts afresh and removes "
                               "nothing; or undo the change"));
    for (std::size_t i = 0; i < keys_; ++i) {
      if (same_columns(standing_, now, algorithm_)) break;
      const auto lost = count(c_, fmt::format("select count(*) from {} where k{} is null",
                                              aligned_snapshot(standing_, now, algorithm_), i + 1));
      if (lost > 0)
        throw Error("sync.key_type_changed",
                    fmt::format("the key {} is now a {}; {} rows delivered before have keys that are none",
                                now.key[i].field, now.key[i].engine_type, with_commas(lost)),
                    "cast the key in the mapping to its former type");
    }
  }

  void count_source() {
    // Of a single key the count of its values is often known without reading them.
    const std::string with_key =
        keys_ == 1 ? "count(k1)" : fmt::format("count(*) filter (where not {})", any_key_null("", keys_));
    const auto rows = c_.query(fmt::format("select count(*), {} from {}", with_key, desired_)).rows();
    plan_.counts.source = static_cast<std::uint64_t>(rows[0][0].as_integer());
    plan_.counts.null_key = plan_.counts.source - static_cast<std::uint64_t>(rows[0][1].as_integer());
    if (standing_.definition)
      plan_.counts.snapshot = count(c_, "select count(*) from " + snapshot_table(spec_.name));
    if (plan_.counts.null_key == 0) return;
    auto examples =
        c_.query(fmt::format("select {} from {} where {} limit {}", payload_json("", "0", plan_.definition),
                             desired_, any_key_null("", keys_), examples_max));
    for (const Row& row : examples.rows()) plan_.invalid_examples.push_back({"null_key", row[0].as_string()});
  }

  void find_hits() {
    if (first_run()) {
      c_.execute(fmt::format(
          "create or replace temp table eddy_hits as select 0::utinyint as op, {} from {} where not {}",
          keys(), desired_, any_key_null("", keys_)));
      return;
    }
    std::vector<std::string> either;
    for (std::size_t i = 1; i <= keys_; ++i)
      either.push_back(fmt::format("coalesce(d.k{0}, s.k{0}) as k{0}", i));
    c_.execute(fmt::format(
        "create or replace temp table eddy_hits as "
        "select case when d.k1 is null then 2 when s.k1 is null then 0 else 1 end::utinyint as op, {either} "
        "from (select {keys}{hash} from {desired} where not {null}) d "
        "full outer join (select {keys}, h from {snapshot}) s on {equal} where d.k1 is null or s.k1 is "
        "null{differ}",
        fmt::arg("either", join(either, ", ")), fmt::arg("keys", keys()),
        fmt::arg("hash", insert_only() ? "" : ", " + hash_of("", values_) + " as h"),
        fmt::arg("desired", desired_), fmt::arg("null", any_key_null("", keys_)),
        fmt::arg("snapshot", aligned_snapshot(standing_, plan_.definition, algorithm_)),
        fmt::arg("equal", keys_equal("d", "s", keys_)),
        fmt::arg("differ", insert_only() ? "" : " or d.h <> s.h")));
  }

  std::uint64_t hits(int op) {
    return count(c_, fmt::format("select count(*) from eddy_hits where op = {}", op));
  }

  // The snapshot's keys are unique. So among the rows found in it a key is doubled exactly when more rows of
  // the model than of the snapshot have met; among the others only the adds need grouping. No pass over all
  // rows is spent on the usual case.
  void drop_duplicates() {
    const std::uint64_t added = hits(0);
    const bool among_met =
        plan_.counts.source - plan_.counts.null_key - added != plan_.counts.snapshot - hits(2);
    const bool among_added =
        added > 1 &&
        !c_.query(fmt::format("select 1 from eddy_hits where op = 0 group by {} having count(*) > 1 limit 1",
                              keys()))
             .rows()
             .empty();
    if (!among_met && !among_added) return;
    c_.execute(
        fmt::format("create or replace temp table eddy_duplicates as select {0}, count(*) as n from {1} "
                    "where not {2} group by {0} having count(*) > 1",
                    keys(), desired_, any_key_null("", keys_)));
    c_.execute(fmt::format("delete from eddy_hits using eddy_duplicates x where {}",
                           keys_equal("eddy_hits", "x", keys_)));
    plan_.counts.duplicate_key = count(c_, "select coalesce(sum(n), 0)::bigint from eddy_duplicates");
    auto examples = c_.query(fmt::format("select {}, n from eddy_duplicates order by n desc, {} limit {}",
                                         key_json("", plan_.definition), keys(), examples_max));
    for (const Row& row : examples.rows())
      plan_.invalid_examples.push_back(
          {"duplicate_key",
           fmt::format("{{\"key\":{},\"rows\":{}}}", row[0].as_string(), row[1].as_integer())});
  }

  void count_hits() {
    PlanCounts& n = plan_.counts;
    n.valid = n.source - n.invalid();
    n.added = hits(0);
    n.changed = hits(1);
    n.removed = hits(2);
    n.unchanged = n.valid - n.added - n.changed;
    if (plan_.definition.removed != Removal::ignore) return;
    n.kept = n.removed;
    n.removed = 0;
    if (n.kept > 0) c_.execute("delete from eddy_hits where op = 2");
  }

  // candidates_: op, k…, v… new values, o… acknowledged values, of every row that may go into the plan.
  void fetch_values() {
    if (first_run()) {
      // Everything is new: one pass over the model, no join with the hits.
      const std::string without =
          plan_.counts.duplicate_key == 0
              ? ""
              : fmt::format(" and not exists (select 1 from eddy_duplicates x where {})",
                            keys_equal("d", "x", keys_));
      candidates_ = fmt::format("(select 0::utinyint as op, d.*{} from {} d where not {}{})", nulls_as_old(),
                                desired_, any_key_null("d.", keys_), without);
      return;
    }
    const std::string of_hit = keys_equal("h", "d", keys_);
    const std::string comma = values_ == 0 ? "" : ", ";
    c_.execute(
        fmt::format("create or replace temp table eddy_new as select {}{}{} from eddy_hits h join {} d on {} "
                    "where h.op < 2",
                    keys("d."), comma, values("d."), desired_, of_hit));
    c_.execute(fmt::format(
        "create or replace temp table eddy_old as select {}{}{} from eddy_hits h join {} d on {} where h.op "
        "> 0",
        keys("d."), comma, values("d."), aligned_snapshot(standing_, plan_.definition, algorithm_), of_hit));
    if (count(c_, "select count(*) from eddy_new") != plan_.counts.added + plan_.counts.changed)
      throw Error(
          "sync.model_unstable",
          fmt::format("{} gave different rows when it was read twice; nothing was planned", spec_.model),
          "remove what changes from call to call (random(), a file being written), or use `materialize: "
          "table`");
    std::vector<std::string> old;
    for (std::size_t i = 1; i <= values_; ++i) old.push_back(fmt::format(", o.v{0} as o{0}", i));
    candidates_ = fmt::format(
        "(select h.op, {}{}{}{} from eddy_hits h left join eddy_new n on {} left join eddy_old o on {})",
        keys("h."), comma, values("n."), join(old, ""), keys_equal("h", "n", keys_),
        keys_equal("h", "o", keys_));
  }

  std::string nulls_as_old() const {
    std::string out;
    for (std::size_t i = 1; i <= values_; ++i)
      out += fmt::format(", cast(null as {}) as o{}", plan_.definition.fields[i - 1].engine_type, i);
    return out;
  }

  // What was refused and is the same since stays out; so does an insert whose answer was lost: repeating it
  // could make a second record.
  void leave_out_refused() {
    const std::vector<state::Reject> open = session_.store().rejects(spec_.name, true);
    if (open.empty()) return;
    c_.execute(
        "create or replace temp table eddy_rejects(key varchar, operation varchar, outcome varchar, "
        "payload_hash varchar)");
    auto appender = c_.appender("temp", "main", "eddy_rejects");
    for (const state::Reject& reject : open) {
      appender.append_text(reject.key);
      appender.append_text(reject.operation);
      appender.append_text(reject.outcome);
      appender.append_text(reject.payload_hash);
      appender.end_row();
    }
    appender.close();
    const std::string key = key_json("c.", plan_.definition);
    c_.execute(fmt::format(
        "create or replace temp table eddy_refused as select {}, r.key, c.op, r.outcome, "
        "r.outcome = 'rejected' and r.payload_hash = md5({}) or r.outcome = 'in_doubt' and {} as hold "
        "from {} c join eddy_rejects r on r.key = {}",
        keys("c."), payload_json("c.", "c.op", plan_.definition), insert_only() ? "true" : "false",
        candidates_, key));
    // An add in doubt whose row has left the model may have left a record behind: it stays listed until a
    // person has looked.
    for (const Row& row :
         c_.query(fmt::format("select key from eddy_rejects where key not in (select key from eddy_refused) "
                              "and not (outcome = 'in_doubt' and (operation = 'add' or {}))",
                              insert_only() ? "true" : "false"))
             .rows())
      plan_.settled.push_back(row[0].as_string());
    for (const Row& row :
         c_.query("select op::bigint, outcome, count(*) from eddy_refused where hold group by all").rows()) {
      const auto n = static_cast<std::uint64_t>(row[2].as_integer());
      (row[0].as_integer() == 0   ? plan_.counts.added
       : row[0].as_integer() == 1 ? plan_.counts.changed
                                  : plan_.counts.removed) -= n;
      (row[1].as_string() == "rejected" ? plan_.counts.rejected_before : plan_.counts.in_doubt_before) += n;
    }
    candidates_ = fmt::format(
        "(select * from {} c where not exists (select 1 from eddy_refused x where x.hold and {}))",
        candidates_, keys_equal("c", "x", keys_));
  }

  std::string changed_flags() const {
    if (values_ == 0) return "''";
    std::vector<std::string> each;
    for (std::size_t i = 1; i <= values_; ++i)
      each.push_back(fmt::format("case when v{0} is distinct from o{0} then '1' else '0' end", i));
    const std::string all(values_, '1'), none(values_, '0');
    // A hit without a difference is a row whose last answer was lost, or a value that lost its precision: all
    // of it is sent.
    return fmt::format(
        "case op when 0 then '{0}' when 2 then '' else coalesce(nullif({1}, '{2}'), '{0}') end", all,
        join(each, " || "), none);
  }

  void store_rows() {
    c_.execute(
        fmt::format("create table {} as select row_number() over () - 1 as number, *, {} as changed "
                    "from (select * from {} order by op = 2, {})",
                    plan_table(plan_.id), changed_flags(), candidates_, keys()));
    const std::uint64_t stored = count(c_, "select count(*) from " + plan_table(plan_.id));
    if (stored != plan_.counts.planned())
      throw Error("sync.unreconciled",
                  fmt::format("the plan of {} holds {} rows, but {} were counted", spec_.name, stored,
                              plan_.counts.planned()),
                  "nothing was sent; please report this");
    if (plan_.counts.changed == 0 || values_ == 0) return;
    std::vector<std::string> sums;
    for (std::size_t i = 1; i <= values_; ++i)
      sums.push_back(fmt::format("count(*) filter (where changed[{}] = '1')", i));
    const Row row =
        c_.query(fmt::format("select {} from {} where op = 1", join(sums, ", "), plan_table(plan_.id)))
            .rows()
            .front();
    for (std::size_t i = 0; i < values_; ++i)
      if (row[i].as_integer() > 0)
        plan_.field_changes.emplace_back(plan_.definition.fields[i].field,
                                         static_cast<std::uint64_t>(row[i].as_integer()));
  }

  void weigh() {
    const PlanCounts& n = plan_.counts;
    const auto hold = [&](const std::string& code, std::uint64_t rows, const char* what, double limit) {
      const double share = static_cast<double>(rows) / static_cast<double>(n.snapshot);
      if (n.snapshot == 0 || share <= limit) return;
      plan_.holds.push_back(
          {code, fmt::format("{} of {} delivered rows ({:.1f}%) would be {}; the guard allows {:.1f}%",
                             with_commas(rows), with_commas(n.snapshot), share * 100, what, limit * 100)});
    };
    if (n.valid == 0 && n.snapshot > 0)
      plan_.holds.push_back(
          {"model_empty", fmt::format("{} has no valid row, but {} rows were delivered before", spec_.model,
                                      with_commas(n.snapshot))});
    hold("removed", n.removed, "removed", spec_.guards.removed_max);
    hold("changed", n.changed, "changed", spec_.guards.changed_max);
  }

  warehouse::Session& session_;
  engine::Connection& c_;
  const SyncSpec& spec_;
  Plan plan_;
  Standing standing_;
  std::string algorithm_;
  std::size_t keys_ = 0, values_ = 0;
  std::string desired_;
  std::string candidates_;
};

}  // namespace

Plan make_plan(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec,
               Clock& clock) {
  return PlanMaking(session, connection, spec, clock).make();
}

}  // namespace eddy::sync
