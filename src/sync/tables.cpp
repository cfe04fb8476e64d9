#include "sync/tables.h"

#include <fmt/format.h>

#include <array>
#include <deque>
#include <nlohmann/json.hpp>

#include "sync/ledger.h"
#include "sync/message_template.h"
#include "sync/plan.h"
#include "sync/plan_sql.h"
#include "sync/reject_groups.h"

namespace eddy::sync {

namespace {

using engine::quote_literal;
using engine::RowSource;
using nlohmann::json;

constexpr std::size_t runs_at_once = 200;
constexpr std::size_t rejects_at_once = 1'000;
constexpr std::array<const char*, 13> funnel = {"source",   "valid",    "invalid", "unchanged", "added",
                                                "changed",  "removed",  "planned", "sent",      "applied",
                                                "rejected", "in_doubt", "not_sent"};

Value text(std::string value) { return Value::text(std::move(value)); }
Value number(std::uint64_t value) { return Value::integer(static_cast<std::int64_t>(value)); }
Value text_or_null(std::string value) { return value.empty() ? Value() : text(std::move(value)); }

// Rows that come in pages: fill() puts the next ones into `rows_`, none when there are no more.
class Paged : public RowSource {
 public:
  bool next(Row& row) override {
    if (rows_.empty()) fill();
    if (rows_.empty()) return false;
    row = std::move(rows_.front());
    rows_.pop_front();
    return true;
  }

 protected:
  virtual void fill() = 0;
  std::deque<Row> rows_;
};

class Runs final : public Paged {
 public:
  explicit Runs(state::Store& store) : store_(store) {}

 private:
  void fill() override {
    if (done_) return;
    for (const state::Run& run : store_.runs(runs_at_once, behind_)) {
      rows_.push_back({text(run.id), text(run.command), text(run.selection), text(run.status),
                       text(run.started_at), text_or_null(run.ended_at), text_or_null(run.message)});
      behind_ = run.id;
    }
    done_ = rows_.size() < runs_at_once;
  }
  state::Store& store_;
  std::string behind_;
  bool done_ = false;
};

class RunNodes final : public Paged {
 public:
  explicit RunNodes(state::Store& store) : store_(store) {}

 private:
  void fill() override {
    while (rows_.empty() && !done_) {
      const auto runs = store_.runs(runs_at_once, behind_);
      done_ = runs.size() < runs_at_once;
      for (const state::Run& run : runs) {
        behind_ = run.id;
        for (const state::NodeRun& node : store_.nodes_of(run.id)) rows_.push_back(row_of(node));
      }
    }
  }
  static Row row_of(const state::NodeRun& n) {
    Row row = {text(n.run_id),           text(n.node),   text(n.kind),   text(n.status), text(n.started_at),
               text_or_null(n.ended_at), number(n.rows), text(n.summary)};
    const json details = json::parse(n.details, nullptr, false);
    for (const char* name : funnel) {
      const bool counted = n.kind == "sync" && details.is_object() && details.contains(name) &&
                           details[name].is_number_unsigned();
      row.push_back(counted ? number(details[name].get<std::uint64_t>()) : Value());
    }
    row.push_back(text(n.details));
    return row;
  }
  state::Store& store_;
  std::string behind_;
  bool done_ = false;
};

class Rejects final : public Paged {
 public:
  Rejects(state::Store& store, const TableSettings& settings) : store_(store), settings_(settings) {}

 private:
  void fill() override {
    if (done_) return;
    for (const state::Reject& r :
         store_.reject_page({.settled_too = true}, behind_sync_, behind_key_, rejects_at_once)) {
      rows_.push_back({text(r.sync), text(r.key),
                       text(std::string(name_of(state_of(r, settings_.inserts(r.sync))))), text(r.operation),
                       text(r.outcome), text(r.code), text(r.message), text(message_template(r.message)),
                       text(r.payload), Value::integer(r.attempts), Value::integer(r.runs),
                       text(r.first_seen), text(r.last_seen), text(r.run_id)});
      behind_sync_ = r.sync;
      behind_key_ = r.key;
    }
    done_ = rows_.size() < rejects_at_once;
  }
  state::Store& store_;
  const TableSettings& settings_;
  std::string behind_sync_, behind_key_;
  bool done_ = false;
};

// Plan after plan, each with what became of its rows. They are copied first, so that a slow reader keeps
// nobody from working: the copy may spill to disk like any result.
class Outcomes final : public Paged {
 public:
  Outcomes(warehouse::Session& session, const TableSettings& settings) : c_(session.connect()) {
    c_.execute(
        "create temp table eddy_outcomes(run_id varchar, sync varchar, plan_id varchar, kind varchar, key "
        "varchar, operation varchar, verdict varchar, attempts bigint, code varchar, message varchar, "
        "destination_id varchar, created boolean, delivered_at varchar)");
    if (std::filesystem::exists(session.places().dot_eddy / "sync.duckdb")) {
      const std::shared_ptr<void> held = settings.hold_outcomes();
      open_sync_database(session, c_);
      for (const Row& delivery :
           c_.query("select d.plan_id, d.run_id, d.delivered_at, d.complete from sync_db.main.deliveries d "
                    "join sync_db.main.plans p on p.id = d.plan_id order by d.plan_id")
               .rows())
        copy(load_plan(c_, delivery[0].as_string()), delivery);
    }
  }

 private:
  void copy(const Plan& plan, const Row& delivery) {
    const auto word = [](std::string_view name) { return quote_literal(std::string(name)); };
    std::string verdicts = "case coalesce(f.fate, " + std::to_string(delivery[3].as_boolean() ? 0 : -1) + ")";
    for (const RowFate fate :
         {RowFate::applied, RowFate::rejected, RowFate::in_doubt, RowFate::gave_up, RowFate::not_applied})
      verdicts += fmt::format(" when {} then {}", static_cast<int>(fate), word(name_of(fate)));
    std::string operations = "case p.op";
    for (const Operation operation : {Operation::add, Operation::change, Operation::remove})
      operations += fmt::format(" when {} then {}", static_cast<int>(operation), word(name_of(operation)));
    const std::string unsent_attempts = delivery[3].as_boolean() ? "1" : "0";
    c_.execute(fmt::format(
        "insert into eddy_outcomes select {}, {}, {}, {}, {}, {} end, {} else 'not_sent' end, "
        "case when f.fate is null then {} else f.attempts end, nullif(f.code, ''), nullif(f.message, ''), "
        "nullif(f.destination_id, ''), coalesce(f.created, false), {} from {} p left join {} f on f.number = "
        "p.number",
        word(delivery[1].as_string()), word(plan.definition.sync), word(plan.id), word(name_of(plan.kind)),
        key_json("p.", plan.definition), operations, verdicts, unsent_attempts, word(delivery[2].as_string()),
        plan_table(plan.id), outcome_table(plan.id)));
  }

  void fill() override {
    if (done_) return;
    if (!result_) result_ = c_.stream("select * from eddy_outcomes");
    const auto chunk = result_->next();
    done_ = !chunk;
    if (done_) return;
    for (std::size_t r = 0; r < chunk->rows(); ++r) {
      Row& row = rows_.emplace_back();
      for (std::size_t column = 0; column < chunk->columns(); ++column)
        row.push_back(chunk->value(column, r));
    }
  }

  engine::Connection c_;
  std::optional<engine::Result> result_;
  bool done_ = false;
};

Schema texts(std::initializer_list<const char*> names) {
  Schema out;
  for (const char* name : names) out.push_back({name, Type::text});
  return out;
}

Schema run_node_columns() {
  Schema out = texts({"run_id", "node", "kind", "status", "started_at", "ended_at"});
  out.push_back({"rows", Type::integer});
  out.push_back({"summary", Type::text});
  for (const char* name : funnel) out.push_back({name, Type::integer});
  out.push_back({"details", Type::text});
  return out;
}

}  // namespace

void define_tables(warehouse::Session& session, TableSettings settings) {
  auto c = session.connect();
  engine::Database database = c.database_of();
  const auto kept = std::make_shared<const TableSettings>(std::move(settings));
  database.add_table_function(
      "eddy_runs", texts({"run_id", "command", "selection", "status", "started_at", "ended_at", "message"}),
      [&session] { return std::make_unique<Runs>(session.store()); });
  database.add_table_function("eddy_run_nodes", run_node_columns(),
                              [&session] { return std::make_unique<RunNodes>(session.store()); });
  Schema rejects = texts(
      {"sync", "key", "state", "operation", "outcome", "code", "message", "message_template", "payload"});
  rejects.push_back({"attempts", Type::integer});
  rejects.push_back({"runs", Type::integer});
  for (const char* name : {"first_seen", "last_seen", "run_id"}) rejects.push_back({name, Type::text});
  database.add_table_function("eddy_rejects", rejects,
                              [&session, kept] { return std::make_unique<Rejects>(session.store(), *kept); });
  Schema outcomes = texts({"run_id", "sync", "plan_id", "kind", "key", "operation", "verdict"});
  outcomes.push_back({"attempts", Type::integer});
  for (const char* name : {"code", "message", "destination_id"}) outcomes.push_back({name, Type::text});
  outcomes.push_back({"created", Type::boolean});
  outcomes.push_back({"delivered_at", Type::text});
  database.add_table_function("eddy_row_outcomes", outcomes,
                              [&session, kept] { return std::make_unique<Outcomes>(session, *kept); });
  c.execute(
      "create schema if not exists eddy;"
      "create or replace view eddy.runs as select * replace (started_at::timestamp as started_at, "
      "ended_at::timestamp as ended_at) from eddy_runs();"
      "create or replace view eddy.run_nodes as select * replace (started_at::timestamp as started_at, "
      "ended_at::timestamp as ended_at, details::json as details) from eddy_run_nodes();"
      "create or replace view eddy.rejects as select * replace (first_seen::timestamp as first_seen, "
      "last_seen::timestamp as last_seen, payload::json as payload) from eddy_rejects();"
      "create or replace view eddy.row_outcomes as select * replace (delivered_at::timestamp as "
      "delivered_at) "
      "from eddy_row_outcomes()");
  session.define_models(c);
}

}  // namespace eddy::sync
