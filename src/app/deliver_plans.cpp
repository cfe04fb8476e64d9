#include "app/deliver_plans.h"

#include <fmt/format.h>

#include "app/nodes.h"
#include "app/sync_request.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::app {

int deliver_plans(const Context& context, Workspace& workspace, const PlansToSend& plans) {
  std::set<std::string> selected;
  for (const auto& [node, ignored] : plans.plan) selected.insert(node);
  RecordedRun recorded(workspace, plans.command, plans.selection);
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
        sync::ApplyOptions options;
        const std::string& id = plans.plan.at(node.name);
        options.approved = plans.approved.contains(id);
        return node_result(sync::apply_plan(workspace.session(), spec, *destination, id, recorded.id(),
                                            system_clock(), *progress, context.cancel, options));
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

const sync::SyncSpec& find_sync(const project::Project& project, const std::string& name) {
  if (const sync::SyncSpec* spec = project.sync(name)) return *spec;
  std::vector<std::string> names;
  for (const sync::SyncSpec& spec : project.syncs) names.push_back(spec.name);
  throw Error("usage.unknown_sync", fmt::format("there is no sync `{}`", name),
              did_you_mean(name, names) ? did_you_mean_hint(name, names) : "syncs are files syncs/*.yml");
}

}  // namespace eddy::app
