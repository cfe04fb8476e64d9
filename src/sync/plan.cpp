#include "sync/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "sync/plan_sql.h"

namespace eddy::sync {

using nlohmann::json;

namespace {

PlanCounts counts_from_json(const json& j) {
  PlanCounts n;
  n.source = j.at("source");
  n.valid = j.at("valid");
  n.null_key = j.at("null_key");
  n.duplicate_key = j.at("duplicate_key");
  n.snapshot = j.at("snapshot");
  n.unchanged = j.at("unchanged");
  n.added = j.at("added");
  n.changed = j.at("changed");
  n.removed = j.at("removed");
  n.kept = j.at("kept");
  n.rejected_before = j.at("rejected_before");
  n.in_doubt_before = j.at("in_doubt_before");
  n.bad_value = j.value("bad_value", std::uint64_t{0});
  n.parked = j.value("parked", std::uint64_t{0});
  n.left_out = j.value("left_out", std::uint64_t{0});
  n.unread = j.value("unread", std::uint64_t{0});
  n.changed_since = j.value("changed_since", std::uint64_t{0});
  return n;
}

Plan plan_from_json(const json& j) {
  Plan plan;
  plan.id = j.at("id");
  plan.epoch = j.at("epoch");
  plan.made_at = j.at("made_at");
  plan.definition = definition_from_json(j.at("definition"));
  plan.counts = counts_from_json(j.at("counts"));
  for (const json& f : j.at("field_changes")) plan.field_changes.emplace_back(f.at("field"), f.at("rows"));
  for (const json& e : j.at("invalid_examples"))
    plan.invalid_examples.push_back({e.at("reason"), e.at("row")});
  for (const json& h : j.at("holds"))
    plan.holds.push_back({h.at("code"), h.at("message"), h.value("examples", std::vector<std::string>{})});
  for (const json& g : j.value("groups", json::array()))
    plan.groups.push_back({g.at("fields").get<std::vector<std::string>>(), g.at("rows")});
  for (const json& r : j.value("invalid_reasons", json::array()))
    plan.invalid_reasons.emplace_back(r.at("reason"), r.at("rows"));
  for (const PlanKind kind :
       {PlanKind::sync, PlanKind::resend, PlanKind::undo, PlanKind::baseline, PlanKind::resolve})
    if (name_of(kind) == j.value("kind", "sync")) plan.kind = kind;
  plan.schema_checked = j.value("schema_checked", false);
  plan.reject_runs_max = j.value("reject_runs_max", plan.reject_runs_max);
  plan.definition_changed = j.at("definition_changed");
  if (j.at("settled").is_number()) plan.settled = j.at("settled");
  plan.undone_run = j.value("undone_run", "");
  return plan;
}

// Decimals of a warehouse of the user's own are kept as text: the engine's have 38 digits.
Value cell(const engine::Chunk& chunk, std::size_t column, std::size_t row, const BoundColumn& bound) {
  Value value = chunk.value(column, row);
  return bound.type == Type::decimal && value.type() == Type::text ? Value::decimal(value.as_string())
                                                                   : value;
}

void read_flags(std::string_view flags, std::vector<bool>& changed, std::vector<bool>& kept) {
  changed.reserve(flags.size());
  for (const char flag : flags) changed.push_back(flag == '1');
  if (flags.find('k') == std::string_view::npos) return;
  for (const char flag : flags) kept.push_back(flag == 'k');
}

}  // namespace

std::string_view name_of(PlanKind kind) {
  constexpr std::array<std::string_view, 5> names = {"sync", "resend", "undo", "baseline", "resolve"};
  return names[static_cast<std::size_t>(kind)];
}

Plan load_plan(engine::Connection& connection, const std::string& plan_id) {
  const auto rows =
      connection.query("select body from sync_db.main.plans where id = ?", {Value::text(plan_id)}).rows();
  if (rows.empty())
    throw Error("sync.plan_unknown", fmt::format("there is no plan {} in this project", plan_id),
                "make it again with `eddy plan`");
  return plan_from_json(json::parse(rows.front()[0].as_string()));
}

namespace {

std::vector<PlannedChange> planned(engine::Connection& connection, const Plan& plan,
                                   const std::string& condition) {
  const std::size_t keys = plan.definition.key.size(), values = plan.definition.fields.size();
  const std::string columns =
      numbered("k", keys) + (values == 0 ? "" : ", " + numbered("v", values) + ", " + numbered("o", values));
  auto result = connection.query(fmt::format("select number, op::bigint, changed, {} from {} where {}",
                                             columns, plan_table(plan.id), condition));
  std::vector<PlannedChange> out;
  while (auto chunk = result.next())
    for (std::size_t r = 0; r < chunk->rows(); ++r) {
      PlannedChange& change = out.emplace_back();
      change.number = static_cast<std::uint64_t>(chunk->bigint(0, r));
      change.operation = static_cast<Operation>(chunk->bigint(1, r));
      read_flags(chunk->varchar(2, r), change.changed, change.kept);
      for (std::size_t i = 0; i < keys; ++i)
        change.key.push_back(cell(*chunk, 3 + i, r, plan.definition.key[i]));
      for (std::size_t i = 0; i < values; ++i) {
        if (change.operation != Operation::remove)
          change.after.push_back(cell(*chunk, 3 + keys + i, r, plan.definition.fields[i]));
        if (change.operation != Operation::add)
          change.before.push_back(cell(*chunk, 3 + keys + values + i, r, plan.definition.fields[i]));
      }
    }
  return out;
}

}  // namespace

std::vector<PlannedChange> page(engine::Connection& connection, const Plan& plan, std::uint64_t offset,
                                std::uint64_t limit) {
  return planned(connection, plan,
                 fmt::format("number >= {} and number < {} order by number", offset, offset + limit));
}

std::vector<PlannedChange> first_of(engine::Connection& connection, const Plan& plan, Operation operation,
                                    std::size_t limit) {
  return planned(connection, plan,
                 fmt::format("op = {} order by number limit {}", static_cast<int>(operation), limit));
}

std::optional<PlannedChange> row_of(engine::Connection& connection, const Plan& plan,
                                    const std::string& typed) {
  std::vector<PlannedChange> rows = planned(connection, plan, key_is("", plan.definition, typed));
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

void check_fresh(const Plan& plan, std::uint64_t epoch, const Definition& now) {
  if (plan.epoch != epoch)
    throw Error(
        "sync.plan_stale",
        fmt::format(
            "plan {} of sync {} was made before the last delivery (epoch {}, now {}); nothing was sent",
            plan.id, plan.definition.sync, plan.epoch, epoch),
        "make a new one with `eddy plan`");
  if (!(plan.definition == now))
    throw Error("sync.plan_stale",
                fmt::format("sync {} or its model has changed since plan {} was made; nothing was sent",
                            plan.definition.sync, plan.id),
                "make a new one with `eddy plan`");
}

void forget_plan(engine::Connection& connection, const std::string& id) {
  engine::Transaction transaction(connection);
  connection.execute("drop view if exists " + plan_table(id) + "; drop table if exists " + plan_rows(id) +
                     "; drop table if exists " + outcome_table(id) + "; drop table if exists " +
                     settled_table(id) + "; drop table if exists " + same_table(id));
  connection.query("delete from sync_db.main.deliveries where plan_id = ?", {Value::text(id)});
  connection.query("delete from sync_db.main.plans where id = ?", {Value::text(id)});
  transaction.commit();
}

void forget_plans(engine::Connection& connection, const std::string& sync, std::size_t keep,
                  const std::string& before, const std::vector<std::string>& needed) {
  const auto rows = connection
                        .query(
                            "select p.id, d.plan_id is not null, p.body->>'made_at' from sync_db.main.plans "
                            "p left join sync_db.main.deliveries d on d.plan_id = p.id where p.sync = ? "
                            "order by p.id desc",
                            {Value::text(sync)})
                        .rows();
  std::size_t delivered = 0, shown = 0;
  for (const Row& row : rows) {
    const std::string& id = row[0].as_string();
    const bool beyond = ++(row[1].as_boolean() ? delivered : shown) > keep;
    if (!beyond && row[2].to_text() >= before) continue;
    if (std::find(needed.begin(), needed.end(), id) == needed.end()) forget_plan(connection, id);
  }
}

json to_json(const PlanCounts& n) {
  return {{"source", n.source},
          {"valid", n.valid},
          {"invalid", n.invalid()},
          {"null_key", n.null_key},
          {"duplicate_key", n.duplicate_key},
          {"snapshot", n.snapshot},
          {"unchanged", n.unchanged},
          {"added", n.added},
          {"changed", n.changed},
          {"removed", n.removed},
          {"kept", n.kept},
          {"rejected_before", n.rejected_before},
          {"in_doubt_before", n.in_doubt_before},
          {"bad_value", n.bad_value},
          {"parked", n.parked},
          {"left_out", n.left_out},
          {"unread", n.unread},
          {"changed_since", n.changed_since},
          {"planned", n.planned()}};
}

json to_json(const Plan& plan) {
  json fields = json::array(), examples = json::array(), holds = json::array();
  for (const auto& [field, rows] : plan.field_changes) fields.push_back({{"field", field}, {"rows", rows}});
  for (const InvalidExample& e : plan.invalid_examples)
    examples.push_back({{"reason", e.reason}, {"row", e.row}});
  for (const Hold& h : plan.holds)
    holds.push_back({{"code", h.code}, {"message", h.message}, {"examples", h.examples}});
  json groups = json::array(), reasons = json::array();
  for (const FieldGroup& g : plan.groups) groups.push_back({{"fields", g.fields}, {"rows", g.rows}});
  for (const auto& [reason, rows] : plan.invalid_reasons)
    reasons.push_back({{"reason", reason}, {"rows", rows}});
  return {{"id", plan.id},
          {"kind", name_of(plan.kind)},
          {"groups", groups},
          {"invalid_reasons", reasons},
          {"schema_checked", plan.schema_checked},
          {"reject_runs_max", plan.reject_runs_max},
          {"sync", plan.definition.sync},
          {"epoch", plan.epoch},
          {"made_at", plan.made_at},
          {"definition", to_json(plan.definition)},
          {"counts", to_json(plan.counts)},
          {"field_changes", fields},
          {"invalid_examples", examples},
          {"holds", holds},
          {"definition_changed", plan.definition_changed},
          {"settled", plan.settled},
          {"undone_run", plan.undone_run}};
}

json to_json(const PlannedChange& change, const Definition& definition) {
  json key = json::object(), fields = json::object();
  for (std::size_t i = 0; i < change.key.size(); ++i) key[definition.key[i].field] = change.key[i].to_json();
  for (std::size_t i = 0; i < definition.fields.size(); ++i) {
    if (change.operation == Operation::change && !change.changed[i]) continue;
    json& field = fields[definition.fields[i].field] = json::object();
    if (!change.before.empty()) field["before"] = change.before[i].to_json();
    if (!change.after.empty()) field["after"] = change.after[i].to_json();
  }
  return {
      {"number", change.number}, {"operation", name_of(change.operation)}, {"key", key}, {"fields", fields}};
}

std::string summary(const PlanCounts& n) {
  std::string out =
      fmt::format("+{} ~{} -{}", with_commas(n.added), with_commas(n.changed), with_commas(n.removed));
  if (n.invalid() > 0) out += fmt::format(" !{} invalid", with_commas(n.invalid()));
  return out;
}

}  // namespace eddy::sync
