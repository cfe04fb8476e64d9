// plan and apply: what is shown is what is sent.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/nodes.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "project/selection.h"
#include "sync/snapshot.h"

namespace eddy::app {
namespace {

constexpr int plan_file_version = 1;

std::string shown(const Value& value) {
  if (value.is_null()) return "null";
  std::string text = value.to_json().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "…\"";
  return text;
}

std::string key_text(const sync::Plan& plan, const Row& key) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < key.size(); ++i)
    parts.push_back(plan.definition.key[i].field + "=" + key[i].to_text());
  return join(parts, ", ");
}

void print_change(const Context& context, const sync::Plan& plan, const sync::PlannedChange& change) {
  const Terminal& t = context.terminal;
  const std::string key = key_text(plan, change.key);
  if (change.operation == Operation::remove) {
    print_out(t.out_style(Style::red, "  - " + key) + "\n");
    return;
  }
  const bool added = change.operation == Operation::add;
  print_out(t.out_style(added ? Style::green : Style::yellow, (added ? "  + " : "  ~ ") + key) + "\n");
  for (std::size_t i = 0; i < change.after.size(); ++i) {
    if (!added && !change.changed[i]) continue;
    const std::string& field = plan.definition.fields[i].field;
    print_out(
        added ? fmt::format("      {}: {}\n", field, shown(change.after[i]))
              : fmt::format("      {}: {} → {}\n", field, shown(change.before[i]), shown(change.after[i])));
  }
}

void print_plan(const Context& context, engine::Connection& connection, const sync::SyncSpec& spec,
                const sync::Plan& plan, std::size_t examples) {
  const sync::PlanCounts& c = plan.counts;
  const Terminal& t = context.terminal;
  print_out(fmt::format("{}  {} → {} {}\n", t.out_style(Style::bold, sync::node_name(spec)), spec.model,
                        spec.destination, spec.object));
  print_out(fmt::format("  {} to add, {} to change, {} to remove; {} unchanged of {} rows\n",
                        with_commas(c.added), with_commas(c.changed), with_commas(c.removed),
                        with_commas(c.unchanged), with_commas(c.source)));
  if (c.invalid() > 0)
    print_out(t.out_style(
        Style::yellow,
        fmt::format("  {} invalid and not sent: {} without a key, {} with a key that occurs more than once\n",
                    with_commas(c.invalid()), with_commas(c.null_key), with_commas(c.duplicate_key))));
  for (const sync::InvalidExample& example : plan.invalid_examples)
    print_out(t.out_style(Style::dim, fmt::format("    {}: {}\n", example.reason, example.row)));
  if (c.kept > 0)
    print_out(fmt::format("  {} have left the model and stay at the destination (removed: ignore)\n",
                          with_commas(c.kept)));
  if (c.rejected_before > 0)
    print_out(fmt::format("  {} refused before and the same since: not sent (eddy rejects {})\n",
                          with_commas(c.rejected_before), spec.name));
  if (c.in_doubt_before > 0)
    print_out(t.out_style(Style::yellow,
                          fmt::format("  {} in doubt: not sent again by themselves (eddy rejects {})\n",
                                      with_commas(c.in_doubt_before), spec.name)));
  for (const auto& [field, rows] : plan.field_changes)
    if (rows > 0) print_out(fmt::format("  {} row{}: {}\n", with_commas(rows), rows == 1 ? "" : "s", field));
  std::map<Operation, std::size_t> seen;
  std::map<Operation, std::uint64_t> totals = {
      {Operation::add, c.added}, {Operation::change, c.changed}, {Operation::remove, c.removed}};
  // A look at each kind: rows of one kind stand together only for removes, so the first pages are searched
  // for examples.
  for (const sync::PlannedChange& change : page(connection, plan, 0, 2000))
    if (seen[change.operation]++ < examples) print_change(context, plan, change);
  if (c.removed > 0 && seen[Operation::remove] == 0)
    for (const sync::PlannedChange& change : page(connection, plan, c.added + c.changed, examples))
      print_change(context, plan, change);
  const std::uint64_t printed = std::min<std::uint64_t>(examples, c.added) +
                                std::min<std::uint64_t>(examples, c.changed) +
                                std::min<std::uint64_t>(examples, c.removed);
  if (c.planned() > printed && examples > 0)
    print_out(t.out_style(Style::dim, fmt::format("  … and {} more\n", with_commas(c.planned() - printed))));
  for (const sync::Hold& hold : plan.holds)
    print_out(t.out_style(Style::yellow, fmt::format("  HELD ({}): {}\n", hold.code, hold.message)));
  print_out("\n");
}

std::vector<const sync::SyncSpec*> selected_syncs(const project::Project& project,
                                                  const Selection& selection) {
  const auto selected = project::select(project.graph, selection.select, selection.exclude);
  std::vector<const sync::SyncSpec*> out;
  for (const std::string& name : project.graph.order())
    if (selected.contains(name) && project.graph.find(name)->kind == project::NodeKind::sync)
      out.push_back(project.sync(name));
  if (out.empty())
    throw Error("selection.empty", "no sync is selected",
                "syncs are files syncs/*.yml; `eddy ls -s resource_type:sync` lists them");
  return out;
}

}  // namespace

int plan(const Context& context, const PlanOptions& options) {
  Workspace workspace(context);
  const auto syncs = selected_syncs(workspace.project(), options.selection);
  workspace.lock("plan");
  warehouse::Session& session = workspace.session();
  auto connection = session.connect();
  nlohmann::json file = {{"format", "eddy plan"},
                         {"version", plan_file_version},
                         {"project", workspace.project().settings.name},
                         {"target", context.target},
                         {"plans", nlohmann::json::array()}};
  std::uint64_t added = 0, changed = 0, removed = 0;
  bool held = false;
  bool failed = false;
  for (const sync::SyncSpec* spec : syncs) {
    try {
      const sync::Plan plan = sync::plan_sync(session, *spec, system_clock());
      file["plans"].push_back({{"sync", spec->name},
                               {"plan", plan.id},
                               {"epoch", plan.epoch},
                               {"made_at", plan.made_at},
                               {"counts", sync::to_json(plan.counts)}});
      added += plan.counts.added, changed += plan.counts.changed, removed += plan.counts.removed;
      held = held || !plan.holds.empty();
      if (context.json)
        print_out(sync::to_json(plan).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
      else
        print_plan(context, connection, *spec, plan, options.examples);
    } catch (const Error& e) {
      failed = true;
      for (const Diagnostic& d : e.diagnostics()) print_err(render(d));
    }
  }
  if (!context.json)
    print_out(fmt::format("Plan: {} to add, {} to change, {} to remove.\n", with_commas(added),
                          with_commas(changed), with_commas(removed)));
  if (failed) return exit_failed;
  if (!options.out.empty()) {
    write_file_atomically(options.out, file.dump(2) + "\n");
    // It names keys and counts only; the rows stay in .eddy.
    std::filesystem::permissions(options.out,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    if (!context.quiet)
      print_err(fmt::format("kept in {}; send it with: eddy apply {}\n", options.out.string(),
                            options.out.string()));
  }
  if (held) return exit_held;
  return options.detailed_exitcode && added + changed + removed > 0 ? exit_changes : exit_done;
}

namespace {

std::string node_of(const Workspace& workspace, const std::string& sync) {
  const sync::SyncSpec* spec = workspace.project().sync(sync);
  if (spec == nullptr)
    throw Error("sync.plan_stale", fmt::format("the plan is for sync `{}`, which is no longer there", sync),
                "make a new plan");
  return sync::node_name(*spec);
}

// Sync node -> plan id.
std::map<std::string, std::string> plans_in_file(const Workspace& workspace,
                                                 const std::filesystem::path& path) {
  const auto file = nlohmann::json::parse(read_file(path), nullptr, false);
  if (file.is_discarded() || !file.is_object() || file.value("format", "") != "eddy plan" ||
      !file.contains("plans") || !file["plans"].is_array())
    throw Error("sync.bad_plan_file", fmt::format("{} is not a plan", path.string()),
                "make one with `eddy plan --out FILE`");
  if (file.value("version", 0) != plan_file_version)
    throw Error("sync.bad_plan_file", fmt::format("{} was made by another version of eddy", path.string()),
                "make it again");
  std::map<std::string, std::string> plans;
  for (const auto& entry : file["plans"])
    plans[node_of(workspace, entry.value("sync", ""))] = entry.value("plan", "");
  return plans;
}

std::map<std::string, std::string> plans_by_id(Workspace& workspace, const std::vector<std::string>& ids) {
  if (ids.empty())
    throw Error("usage.invalid", "neither a plan file nor --approve ID is given",
                "eddy apply plan.json, or eddy apply --approve ID");
  auto connection = workspace.session().connect();
  sync::open_sync_database(workspace.session(), connection);
  std::map<std::string, std::string> plans;
  for (const std::string& id : ids)
    plans[node_of(workspace, sync::load_plan(connection, id).definition.sync)] = id;
  return plans;
}

}  // namespace

int apply(const Context& context, const ApplyOptions& options) {
  Workspace workspace(context);
  workspace.lock("apply");
  workspace.session();
  std::map<std::string, std::string> plan_of =
      options.plan.empty() ? plans_by_id(workspace, options.approve) : plans_in_file(workspace, options.plan);
  std::set<std::string> selected;
  for (const auto& [node, ignored] : plan_of) selected.insert(node);
  RecordedRun recorded(workspace, "apply",
                       options.plan.empty() ? join(options.approve, " ") : options.plan.filename().string());
  const auto progress = make_progress(context.json    ? ProgressForm::json
                                      : context.quiet ? ProgressForm::quiet
                                                      : ProgressForm::people,
                                      context.terminal);
  std::string errors;
  const auto outcomes = project::run_nodes(
      workspace.project().graph, selected, workspace.project().settings.threads,
      [&](const project::Node& node) {
        const sync::SyncSpec& spec = *workspace.project().sync(node.name);
        const auto destination = workspace.destination(spec.destination);
        sync::ApplyOptions apply_options;
        const std::string& id = plan_of.at(node.name);
        apply_options.approved =
            std::find(options.approve.begin(), options.approve.end(), id) != options.approve.end();
        return node_result(sync::apply_plan(workspace.session(), spec, *destination, id, recorded.id(),
                                            system_clock(), *progress, context.cancel, apply_options));
      },
      [&](const project::NodeOutcome& outcome) {
        recorded.record(outcome, *workspace.project().graph.find(outcome.node));
        errors += outcome.result.error;
      },
      *progress, context.cancel);
  if (!errors.empty()) print_err("\n" + errors);
  const Verdicts verdicts(outcomes);
  recorded.finish(verdicts.status(context.cancel.requested()));
  return verdicts.exit_code(context.cancel.requested());
}

}  // namespace eddy::app
