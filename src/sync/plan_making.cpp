#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "engine/setting.h"
#include "sync/field_checks.h"
#include "sync/guards.h"
#include "sync/judgement.h"
#include "sync/plan.h"
#include "sync/plan_sql.h"
#include "sync/remote_snapshot.h"
#include "sync/undo.h"
#include "sync/unread.h"

namespace eddy::sync {

namespace {

constexpr int examples_max = 5;
constexpr std::size_t groups_max = 20;

std::uint64_t count(engine::Connection& c, const std::string& sql) {
  return static_cast<std::uint64_t>(c.query(sql).scalar().as_integer());
}

// One plan being made, inside one transaction: difference -> what is to be written of each row -> without the
// rows that cannot or need not be sent -> stored, counted, weighed.
class PlanMaking {
 public:
  PlanMaking(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec, Clock& clock,
             const PlanRequest& request)
      : session_(session), c_(connection), spec_(spec), request_(request) {
    plan_.definition = bind(session, connection, spec);
    plan_.id = new_id();
    plan_.kind = request.kind;
    plan_.reject_runs_max = spec.reject_runs_max;
    plan_.made_at = format_utc(clock.now());
    standing_ = read_standing(c_, spec.name);
    plan_.epoch = standing_.epoch;
    plan_.first = !standing_.definition;
    algorithm_ = session.own() != nullptr ? plan_.definition.hash_algorithm : hash_algorithm(c_);
    plan_.definition_changed = standing_.definition && !same_columns(standing_, plan_.definition, algorithm_);
    keys_ = plan_.definition.key.size();
    values_ = plan_.definition.fields.size();
    if (standing_.definition) check_same_target();
    if (request.kind == PlanKind::resend && insert_only())
      throw Error(
          "sync.insert_resend",
          fmt::format("sync {} inserts: sending its rows again would make second records", spec.name),
          fmt::format("when they are gone at the destination: eddy sync reset {}, and run it", spec.name));
  }

  Plan make() {
    engine::Transaction transaction(c_);  // one moment: now() and views stay what they are
    if (request_.kind == PlanKind::undo)
      take_undo();
    else if (request_.kind == PlanKind::resolve)
      take_resolved();
    else
      take_difference();
    judge();
    drop_same();
    keep_unread();
    drop_invalid();
    if (request_.kind != PlanKind::resolve) leave_out_refused();
    take_only();
    store_rows();
    describe_changes();
    if (is_sent(request_.kind)) hold();
    c_.query("insert into sync_db.main.plans values (?, ?, ?, ?)",
             {Value::text(plan_.id), Value::text(spec_.name),
              Value::integer(static_cast<std::int64_t>(plan_.epoch)), Value::text(to_json(plan_).dump())});
    transaction.commit();
    forget_difference(c_);
    c_.execute(
        "drop table if exists eddy_rejects; drop table if exists eddy_refused; drop table if exists "
        "eddy_settled");
    return std::move(plan_);
  }

 private:
  std::string keys(std::string_view prefix = "") const { return numbered(fmt::format("{}k", prefix), keys_); }
  bool checked() const { return !judgement_.reason.empty(); }  // rows_ has a column `reason`
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
    if (same_columns(standing_, now, algorithm_) || same_keys(standing_, now)) return;
    bring_snapshot_home(session_, c_, now.sync);
    for (std::size_t i = 0; i < keys_; ++i) {
      const auto lost = count(c_, fmt::format("select count(*) from {} where k{} is null",
                                              aligned_snapshot(standing_, now, algorithm_), i + 1));
      if (lost > 0)
        throw Error("sync.key_type_changed",
                    fmt::format("the key {} is now a {}; {} rows delivered before have keys that are none",
                                now.key[i].field, now.key[i].engine_type, with_commas(lost)),
                    "cast the key in the mapping to its former type");
    }
    const auto merged = count(c_, fmt::format("select count(*) - count(distinct ({})) from {}", keys(),
                                              aligned_snapshot(standing_, now, algorithm_)));
    if (merged > 0)
      throw Error(
          "sync.keys_merge",
          fmt::format("sync {}: normalized as it is now, {} keys delivered before are the same as others",
                      spec_.name, with_commas(merged)),
          "there are several records for them at the destination: merge those, then `eddy sync reset " +
              spec_.name + "`; or take the normalization out");
  }

  void take_difference() {
    Difference difference = find_difference(
        session_, c_, plan_.definition, standing_,
        request_.kind == PlanKind::resend ? Extent::all_rows : Extent::differing, request_.refreshed);
    PlanCounts& n = plan_.counts;
    n.source = difference.source;
    n.null_key = difference.null_key;
    n.duplicate_key = difference.duplicate_key;
    n.snapshot = difference.snapshot;
    n.valid = n.source - n.null_key - n.duplicate_key;
    n.added = difference.added;
    n.changed = difference.changed;
    n.removed = difference.removed;
    n.unchanged = n.valid - n.added - n.changed;
    plan_.invalid_examples = std::move(difference.examples);
    rows_ = std::move(difference.relation);
    judgement_.hashed = difference.hashed;
    if (plan_.definition.removed == Removed::ignore && request_.kind != PlanKind::baseline) {
      n.kept = n.removed;
      n.removed = 0;
      if (n.kept > 0) rows_ = fmt::format("(select * from {} where op < 2)", rows_);
    }
    first_run_ = n.snapshot == 0;
  }

  // What would bring back the values from before a run. The model has no part in it.
  void take_undo() {
    bring_snapshot_home(session_, c_, spec_.name);
    UndoDifference undo = find_undo(c_, plan_.definition, standing_, algorithm_, request_.undo_plan);
    PlanCounts& n = plan_.counts;
    n.source = undo.source;
    n.snapshot = undo.snapshot;
    n.changed_since = undo.changed_since;
    n.kept = undo.kept;
    n.added = undo.added;
    n.changed = undo.changed;
    n.removed = undo.removed;
    n.valid = n.source - n.changed_since - n.kept;
    n.unchanged = n.valid - n.planned();
    plan_.invalid_examples = std::move(undo.examples);
    plan_.undone_run = request_.undone_run;
    rows_ = std::move(undo.relation);
  }

  void take_resolved() {
    const std::string values = values_ == 0 ? "" : ", " + numbered("v", values_);
    std::string old;
    for (std::size_t i = 1; i <= values_; ++i)
      old += fmt::format(", cast(null as {}) as o{}", plan_.definition.fields[i - 1].engine_type, i);
    c_.execute(
        fmt::format("create or replace temp table eddy_new as select op, {}{}{}, false as suspect from {}",
                    keys(), values, old, request_.resolved));
    rows_ = "eddy_new";
    PlanCounts& n = plan_.counts;
    n.added = count(c_, "select count(*) from eddy_new where op = 0");
    n.removed = count(c_, "select count(*) from eddy_new where op = 2");
    n.source = n.valid = n.added;
    first_run_ = false;
  }

  void hold() {
    // Whoever asks for one row has looked at it.
    if (request_.key.empty())
      plan_.holds = weigh(plan_, spec_.guards, past_runs(session_.store(), spec_.name));
    for (Hold& hold : plan_.holds) hold.examples = examples_of(hold.code);
  }

  // What stays of the differences is stored right away: seldom is anything taken out afterwards.
  void judge() {
    judgement_.fresh = new_fields(standing_, plan_.definition);
    judgement_.first_run = first_run_;
    judgement_.resend = request_.kind == PlanKind::resend;
    judgement_.drifts = request_.refreshed && !first_run_;
    if (request_.object != nullptr)
      judgement_.reason = invalid_reason_sql(plan_.definition, *request_.object);
    plan_.schema_checked = request_.object != nullptr;
    rows_ = judged_sql(judgement_, rows_);
    if (first_run_) return;
    // It is read once or twice: finding the shortest form of its texts would take longer than that.
    const engine::Setting loosely(c_, "disabled_compression_methods", "fsst,dictionary");
    c_.execute(fmt::format("create table {} as select {}{} from {} order by op = 2, {}", plan_rows(plan_.id),
                           stored_columns(judgement_), checked() ? ", reason" : "", rows_, keys()));
    rows_ = plan_rows(plan_.id);
  }

  void without(const std::string& condition) {
    rows_ = fmt::format("(select * from {} where not ({}))", rows_, condition);
  }

  void take_off(std::int64_t op, std::uint64_t rows) {
    (op == 0 ? plan_.counts.added : op == 1 ? plan_.counts.changed : plan_.counts.removed) -= rows;
  }

  // Rows that differ only in what is not to be written.
  void drop_same() {
    if (first_run_ || values_ == 0) return;
    const std::string same = "op = 1 and not contains(changed, '1')";
    const std::uint64_t n = count(c_, fmt::format("select count(*) from {} where {}", rows_, same));
    if (n == 0) return;
    plan_.counts.changed -= n;
    plan_.counts.unchanged += n;
    if (judgement_.hashed) {  // hashes of the warehouse that are other ones now
      c_.execute(fmt::format("create table {} as select {}, h from {} where {}", same_table(plan_.id), keys(),
                             rows_, same));
      plan_.definition_changed = true;
    }
    without(same);
  }

  void keep_unread() {
    if (plan_.counts.removed == 0 || request_.unread == nullptr) return;
    const std::uint64_t n = find_unread(c_, *request_.unread, rows_, keys_);
    plan_.counts.removed -= n;
    plan_.counts.unread += n;
    if (n > 0)
      rows_ = fmt::format(
          "(select * from {} c where not (op = 2 and exists (select 1 from eddy_kept x where {})))", rows_,
          keys_equal("c", "x", keys_));
  }

  void drop_invalid() {
    if (!checked()) return;
    for (const Row& row :
         c_.query(fmt::format("select reason, op::bigint, count(*) from {} where reason is not null "
                              "group by all order by 3 desc, 1",
                              rows_))
             .rows()) {
      const auto n = static_cast<std::uint64_t>(row[2].as_integer());
      const std::string& reason = row[0].as_string();
      take_off(row[1].as_integer(), n);
      plan_.counts.bad_value += n;
      plan_.counts.valid -= n;
      const auto known = std::find_if(plan_.invalid_reasons.begin(), plan_.invalid_reasons.end(),
                                      [&](const auto& entry) { return entry.first == reason; });
      if (known != plan_.invalid_reasons.end()) {
        known->second += n;
        continue;
      }
      plan_.invalid_reasons.emplace_back(reason, n);
      for (const Row& example :
           c_.query(fmt::format("select {} from {} where reason = ? limit {}",
                                payload_json("", "0", plan_.definition), rows_, examples_max),
                    {Value::text(reason)})
               .rows())
        plan_.invalid_examples.push_back({reason, example[0].as_string()});
    }
    if (plan_.counts.bad_value > 0) without("reason is not null");
  }

  // What was refused and is the same since stays out; so does an insert whose answer was lost: repeating it
  // could make a second record.
  void leave_out_refused() {
    const state::RejectQuery open{.sync = spec_.name};
    if (session_.store().count_rejects(open) == 0) return;
    c_.execute(
        "create or replace temp table eddy_rejects(key varchar, operation varchar, outcome varchar, "
        "payload_hash varchar, status varchar)");
    auto appender = c_.appender("temp", "main", "eddy_rejects");
    session_.store().each_reject(open, [&](const state::Reject& reject) {
      appender.append_text(reject.key);
      appender.append_text(reject.operation);
      appender.append_text(reject.outcome);
      appender.append_text(reject.payload_hash);
      appender.append_text(reject.status);
      appender.end_row();
    });
    appender.close();
    const bool believed = request_.kind == PlanKind::baseline;
    const bool asked_for = request_.kind != PlanKind::sync;
    c_.execute(fmt::format(
        "create or replace temp table eddy_refused as select {keys}, r.key, c.op, "
        "case when {believed} then null when r.outcome = 'in_doubt' and {insert} then 'in_doubt' "
        "when {asked} or r.status = 'replay' or r.payload_hash <> {hash} then null "
        "when r.status = 'parked' then 'parked' when r.outcome = 'rejected' then 'rejected' end as hold "
        "from {rows} c join eddy_rejects r on r.key = {key}",
        fmt::arg("keys", keys("c.")), fmt::arg("believed", believed), fmt::arg("insert", insert_only()),
        fmt::arg("asked", asked_for), fmt::arg("hash", payload_hash("c.", "c.op", plan_.definition)),
        fmt::arg("rows", rows_), fmt::arg("key", key_json("c.", plan_.definition))));
    // An add in doubt whose row has left the model may have left a record behind: it stays listed until a
    // person has looked. A plan that does not look at every row tells nothing of those it leaves out.
    if (request_.kind == PlanKind::sync || believed) {
      c_.execute(
          fmt::format("create or replace temp table eddy_settled as select key from eddy_rejects where key "
                      "not in (select "
                      "key from eddy_refused) and not (outcome = 'in_doubt' and (operation = 'add' or {}))",
                      insert_only()));
      plan_.settled = count(c_, "select count(*) from eddy_settled");
    }
    for (const Row& row :
         c_.query("select op::bigint, hold, count(*) from eddy_refused where hold is not null group by all")
             .rows()) {
      const auto n = static_cast<std::uint64_t>(row[2].as_integer());
      take_off(row[0].as_integer(), n);
      (row[1].as_string() == "rejected"   ? plan_.counts.rejected_before
       : row[1].as_string() == "in_doubt" ? plan_.counts.in_doubt_before
                                          : plan_.counts.parked) += n;
    }
    rows_ = fmt::format(
        "(select * from {} c where not exists (select 1 from eddy_refused x where x.hold is not null and "
        "{}))",
        rows_, keys_equal("c", "x", keys_));
  }

  // `--row KEY`, `--limit-rows N`
  void take_only() {
    if (request_.key.empty() && request_.rows_max == 0) return;
    std::string chosen = fmt::format("select * from {}", rows_);
    if (!request_.key.empty()) chosen += " where " + key_is("", plan_.definition, request_.key);
    if (request_.rows_max > 0)
      chosen += fmt::format(" order by op = 2, {} limit {}", keys(), request_.rows_max);
    const std::uint64_t all = plan_.counts.planned();
    c_.execute("create or replace temp table eddy_chosen as " + chosen);
    rows_ = "eddy_chosen";
    plan_.counts.added = plan_.counts.changed = plan_.counts.removed = 0;
    for (const Row& row : c_.query("select op::bigint, count(*) from eddy_chosen group by 1").rows()) {
      const auto n = static_cast<std::uint64_t>(row[1].as_integer());
      (row[0].as_integer() == 0   ? plan_.counts.added
       : row[0].as_integer() == 1 ? plan_.counts.changed
                                  : plan_.counts.removed) = n;
    }
    plan_.counts.left_out = all - plan_.counts.planned();
    plan_.settled = 0;
  }

  void store_rows() {
    const std::string rows = plan_rows(plan_.id);
    if (rows_ != rows) {
      const std::string kept = plan_table(plan_.id);  // the name of the view is still free
      c_.execute(fmt::format("create table {} as select {} from {} order by op = 2, {}", kept,
                             stored_columns(judgement_), rows_, keys()));
      c_.execute(fmt::format("drop table if exists {}; alter table {} rename to {}", rows, kept,
                             engine::quote_identifier(plan_.id + " rows")));
    }
    // A row's place in its table is its number: counting them in a window would take as long as all the rest.
    c_.execute(fmt::format("create view {} as select rowid as number, {} from {}", plan_table(plan_.id),
                           read_columns(judgement_), rows));
    c_.execute("drop table if exists eddy_chosen");
    if (plan_.settled > 0)
      c_.execute(fmt::format("create table {} as select key from eddy_settled", settled_table(plan_.id)));
    const std::uint64_t stored = count(c_, "select count(*) from " + plan_table(plan_.id));
    if (stored != plan_.counts.planned())
      throw Error("sync.unreconciled",
                  fmt::format("the plan of {} holds {} rows, but {} were counted", spec_.name, stored,
                              plan_.counts.planned()),
                  "nothing was sent; please report this");
  }

  void describe_changes() {
    if (plan_.counts.changed == 0 || values_ == 0) return;
    std::vector<std::uint64_t> rows_of(values_, 0);
    FieldGroup rest;
    for (const Row& row :
         c_.query(fmt::format("select changed, count(*) from {} where op = 1 group by 1 order by 2 "
                              "desc, 1",
                              plan_table(plan_.id)))
             .rows()) {
      FieldGroup group;
      group.rows = static_cast<std::uint64_t>(row[1].as_integer());
      for (std::size_t i = 0; i < values_; ++i) {
        if (row[0].as_string()[i] != '1') continue;
        rows_of[i] += group.rows;
        group.fields.push_back(plan_.definition.fields[i].field);
      }
      if (plan_.groups.size() < groups_max)
        plan_.groups.push_back(std::move(group));
      else
        rest.rows += group.rows;
    }
    if (rest.rows > 0) plan_.groups.push_back(std::move(rest));
    for (std::size_t i = 0; i < values_; ++i)
      if (rows_of[i] > 0) plan_.field_changes.emplace_back(plan_.definition.fields[i].field, rows_of[i]);
  }

  std::string of_snapshot() {
    if (!standing_.definition) return "";
    bring_snapshot_home(session_, c_, spec_.name);
    return aligned_snapshot(standing_, plan_.definition, algorithm_);
  }

  // Five rows that a guard holds the plan for, as JSON.
  std::vector<std::string> examples_of(const std::string& code) {
    std::vector<std::string> out;
    if (code == "unique_key") {
      for (const InvalidExample& example : plan_.invalid_examples)
        if (example.reason == "duplicate_key") out.push_back(example.row);
      return out;
    }
    std::string from = fmt::format("{} where op = {}", plan_table(plan_.id),
                                   code == "removed"   ? 2
                                   : code == "changed" ? 1
                                                       : 0);
    if (code == "model_empty" || (code == "rows" && plan_.counts.added == 0)) from = of_snapshot();
    if (from.empty()) return out;
    for (const Row& row : c_.query(fmt::format("select {} from {} order by {} limit {}",
                                               key_json("", plan_.definition), from, keys(), examples_max))
                              .rows())
      out.push_back(row[0].as_string());
    return out;
  }

  warehouse::Session& session_;
  engine::Connection& c_;
  const SyncSpec& spec_;
  const PlanRequest& request_;
  Plan plan_;
  Standing standing_;
  std::string algorithm_;
  std::size_t keys_ = 0, values_ = 0;
  bool first_run_ = false;
  Judgement judgement_{plan_.definition, {}, false, false, false, false, ""};
  std::string rows_;  // SQL: what may still go into the plan
};

}  // namespace

Plan make_plan(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec,
               Clock& clock, const PlanRequest& request) {
  return PlanMaking(session, connection, spec, clock, request).make();
}

}  // namespace eddy::sync
