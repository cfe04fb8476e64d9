#include "app/plan_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "sync/field_checks.h"

namespace eddy::app {
namespace {

using sync::PlanCounts;
using sync::PlannedChange;

constexpr std::size_t cell_text_max = 60;

std::string shown(const Value& value) {
  if (value.is_null()) return "null";
  std::string text = value.to_json().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() <= cell_text_max) return text;
  std::size_t end = cell_text_max - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…\"";
}

std::string rows_of(std::uint64_t n) { return fmt::format("{} row{}", with_commas(n), n == 1 ? "" : "s"); }

// "too_long:name" -> "name: longer than the destination takes"
std::string invalid_text(const std::string& reason) {
  const auto colon = reason.find(':');
  if (colon == std::string::npos) return sync::describe_reason(reason);
  return fmt::format("{}: {}", reason.substr(colon + 1), sync::describe_reason(reason.substr(0, colon)));
}

// Up to `examples` rows of each kind, in the plan's order.
std::vector<PlannedChange> examples_of(engine::Connection& connection, const sync::Plan& plan,
                                       std::size_t examples) {
  std::vector<PlannedChange> out;
  if (examples == 0) return out;
  for (const Operation operation : {Operation::add, Operation::change, Operation::remove})
    for (PlannedChange& change : sync::first_of(connection, plan, operation, examples))
      out.push_back(std::move(change));
  return out;
}

// What the counts say besides adds, changes and removes: (text, whether it deserves attention).
std::vector<std::pair<std::string, bool>> remarks(const PlanView& view) {
  const PlanCounts& c = view.plan.counts;
  std::vector<std::pair<std::string, bool>> out;
  const auto add = [&](std::uint64_t rows, const std::string& text, bool attention) {
    if (rows > 0) out.emplace_back(fmt::format("{} {}", with_commas(rows), text), attention);
  };
  if (c.invalid() > 0) {
    std::vector<std::string> reasons;
    if (c.null_key > 0) reasons.push_back(with_commas(c.null_key) + " " + sync::describe_reason("null_key"));
    if (c.duplicate_key > 0)
      reasons.push_back(with_commas(c.duplicate_key) + " " + sync::describe_reason("duplicate_key"));
    for (const auto& [reason, rows] : view.plan.invalid_reasons)
      reasons.push_back(fmt::format("{} {}", with_commas(rows), invalid_text(reason)));
    add(c.invalid(), "invalid and not sent: " + join(reasons, ", "), true);
  }
  if (view.plan.kind == sync::PlanKind::undo) {
    add(c.kept, "were added by that run and stay at the destination (removed: ignore)", true);
    add(c.changed_since,
        "are left as they are: changed since that run, or what was there before is not certain", true);
  } else {
    add(c.kept, "have left the model and stay at the destination (removed: ignore)", false);
  }
  add(c.unread, "are among the rows set aside on their way into the model: not removed (eddy rejects)", true);
  add(c.rejected_before,
      fmt::format("refused before and the same since: not sent (eddy rejects {})", view.spec.name), false);
  add(c.in_doubt_before,
      fmt::format("in doubt: not sent again by themselves (eddy rejects {})", view.spec.name), true);
  add(c.parked, fmt::format("parked after too many tries: not sent (eddy replay {})", view.spec.name), true);
  add(c.left_out, "more differ, and are left out of this plan", false);
  if (!view.schema_note.empty())
    out.emplace_back("values were not checked against the destination: " + view.schema_note, false);
  if (!view.schema_age.empty() && view.schema_age != "read just now")
    out.emplace_back(fmt::format("checked against the fields of {} at {}: {}", view.spec.object,
                                 view.spec.destination, view.schema_age),
                     false);
  return out;
}

std::string group_text(const sync::FieldGroup& group) {
  if (group.fields.empty()) return rows_of(group.rows) + ": other fields";
  return fmt::format("{}: {}{}", rows_of(group.rows), group.fields.size() == 1 ? "only " : "",
                     join(group.fields, ", "));
}

std::string drift_text(const sync::Drift& drift) {
  std::string out =
      fmt::format("  {} read at the destination: {} changed there since our last write, {} gone\n",
                  with_commas(drift.read), with_commas(drift.changed), with_commas(drift.missing));
  for (const auto& [field, rows] : drift.fields) out += fmt::format("    {}: {}\n", field, rows_of(rows));
  for (const sync::DriftExample& e : drift.examples)
    out += e.field.empty()
               ? fmt::format("    {}: the record is gone\n", e.key)
               : fmt::format("    {} {}: ours {}, theirs {}\n", e.key, e.field, e.acknowledged, e.theirs);
  return out;
}

std::string title(const sync::Plan& plan) {
  switch (plan.kind) {
    case sync::PlanKind::sync:
      return "";
    case sync::PlanKind::resend:
      return " (resend: every current row)";
    case sync::PlanKind::undo:
      return fmt::format(" (undo of run {}: the values from before)", plan.undone_run);
    case sync::PlanKind::baseline:
      return " (baseline: nothing is sent)";
    case sync::PlanKind::resolve:
      return " (resolve: nothing is sent)";
  }
  return "";
}

std::string escaped(const std::string& text) {
  return replace_all(replace_all(replace_all(text, "|", "\\|"), "\n", " "), "`", "'");
}

std::string markdown_change(const sync::Plan& plan, const PlannedChange& change) {
  const bool added = change.operation == Operation::add;
  const char* sign = added ? "+" : change.operation == Operation::remove ? "-" : "~";
  std::vector<std::string> cells;
  for (std::size_t i = 0; i < change.after.size(); ++i) {
    if (!change.changed[i]) continue;
    const std::string& field = plan.definition.fields[i].field;
    cells.push_back(added
                        ? fmt::format("{}: {}", field, shown(change.after[i]))
                        : fmt::format("{}: {} → {}", field, shown(change.before[i]), shown(change.after[i])));
  }
  return fmt::format("| {} | {} | {} |\n", sign, escaped(key_text(plan, change.key)),
                     escaped(join(cells, "; ")));
}

}  // namespace

std::string key_text(const sync::Plan& plan, const Row& key) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < key.size(); ++i)
    parts.push_back(plan.definition.key[i].field + "=" + key[i].to_text());
  return join(parts, ", ");
}

std::string change_text(const Terminal& t, const sync::Plan& plan, const PlannedChange& change) {
  const std::string key = key_text(plan, change.key);
  if (change.operation == Operation::remove) return t.out_style(Style::red, "  - " + key) + "\n";
  const bool added = change.operation == Operation::add;
  std::string out = t.out_style(added ? Style::green : Style::yellow, (added ? "  + " : "  ~ ") + key) + "\n";
  for (std::size_t i = 0; i < change.after.size(); ++i) {
    if (!change.changed[i]) continue;
    const std::string& field = plan.definition.fields[i].field;
    out += added ? fmt::format("      {}: {}\n", field, shown(change.after[i]))
                 : fmt::format("      {}: {} → {}\n", field, shown(change.before[i]), shown(change.after[i]));
  }
  return out;
}

std::string plan_text(const Terminal& t, engine::Connection& connection, const PlanView& view) {
  const sync::Plan& plan = view.plan;
  const PlanCounts& c = plan.counts;
  std::string out = fmt::format("{}  {} → {} {}{}\n", t.out_style(Style::bold, sync::node_name(view.spec)),
                                view.spec.model, view.spec.destination, view.spec.object, title(plan));
  out += fmt::format("  {} to add, {} to change, {} to remove; {} unchanged of {} rows\n",
                     with_commas(c.added), with_commas(c.changed), with_commas(c.removed),
                     with_commas(c.unchanged), with_commas(c.source));
  for (const auto& [text, attention] : remarks(view))
    out += attention ? t.out_style(Style::yellow, "  " + text) + "\n" : "  " + text + "\n";
  for (const sync::InvalidExample& example : plan.invalid_examples)
    out += t.out_style(Style::dim, fmt::format("    {}: {}", example.reason, example.row)) + "\n";
  if (view.drift != nullptr) out += drift_text(*view.drift);
  for (const sync::FieldGroup& group : plan.groups) out += "  " + group_text(group) + "\n";
  std::uint64_t printed = 0;
  for (const PlannedChange& change : examples_of(connection, plan, view.examples)) {
    out += change_text(t, plan, change);
    ++printed;
  }
  if (c.planned() > printed && view.examples > 0)
    out += t.out_style(Style::dim, fmt::format("  … and {} more", with_commas(c.planned() - printed))) + "\n";
  for (const sync::Hold& hold : plan.holds) {
    out += t.out_style(Style::yellow, fmt::format("  HELD ({}): {}", hold.code, hold.message)) + "\n";
    for (const std::string& example : hold.examples) out += t.out_style(Style::dim, "    " + example) + "\n";
  }
  return out + "\n";
}

std::string plan_markdown(engine::Connection& connection, const PlanView& view) {
  const sync::Plan& plan = view.plan;
  const PlanCounts& c = plan.counts;
  std::string out = fmt::format("### `{}`: {} → {} {}{}\n\n", sync::node_name(view.spec), view.spec.model,
                                view.spec.destination, view.spec.object, title(plan));
  for (const sync::Hold& hold : plan.holds) {
    out += fmt::format("> **Held ({})**: {}\n", hold.code, hold.message);
    for (const std::string& example : hold.examples) out += fmt::format("> - `{}`\n", escaped(example));
    out += "\n";
  }
  out += "| add | change | remove | unchanged | invalid | rows |\n|---:|---:|---:|---:|---:|---:|\n";
  out += fmt::format("| {} | {} | {} | {} | {} | {} |\n\n", with_commas(c.added), with_commas(c.changed),
                     with_commas(c.removed), with_commas(c.unchanged), with_commas(c.invalid()),
                     with_commas(c.source));
  for (const auto& [text, attention] : remarks(view)) out += "- " + text + "\n";
  for (const sync::FieldGroup& group : plan.groups) out += "- " + group_text(group) + "\n";
  if (view.drift != nullptr)
    out += fmt::format("- {} read at the destination: {} changed there since our last write, {} gone\n",
                       with_commas(view.drift->read), with_commas(view.drift->changed),
                       with_commas(view.drift->missing));
  const auto examples = examples_of(connection, plan, view.examples);
  if (!examples.empty()) {
    out += "\n<details><summary>Examples</summary>\n\n| | key | fields |\n|---|---|---|\n";
    for (const PlannedChange& change : examples) out += markdown_change(plan, change);
    if (c.planned() > examples.size())
      out += fmt::format("\n… and {} more\n", with_commas(c.planned() - examples.size()));
    out += "\n</details>\n";
  }
  return out + "\n";
}

}  // namespace eddy::app
