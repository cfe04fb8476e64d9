// runs: what was done, and the funnel of each sync.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/workspace.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::app {
namespace {

// source → valid → planned → sent → applied always; what else became of rows only where there are some.
void print_funnel(const Context& context, const state::NodeRun& node) {
  const auto details = nlohmann::json::parse(node.details, nullptr, false);
  if (!details.is_object() || !details.contains("planned")) return;
  std::vector<std::string> steps, others;
  for (const char* name : {"source", "valid", "planned", "sent", "applied"})
    if (details.contains(name))
      steps.push_back(fmt::format("{} {}", name, with_commas(details[name].get<std::uint64_t>())));
  for (const char* name :
       {"invalid", "unchanged", "rejected_before", "rejected", "in_doubt", "gave_up", "not_sent"})
    if (details.value(name, std::uint64_t{0}) > 0)
      others.push_back(
          fmt::format("{} {}", with_commas(details[name].get<std::uint64_t>()), replace_all(name, "_", " ")));
  std::string line = "         " + join(steps, " → ");
  if (!others.empty()) line += "  (" + join(others, ", ") + ")";
  print_out(context.terminal.out_style(Style::dim, line) + "\n");
}

}  // namespace

int runs(const Context& context, const std::string& id, std::size_t limit) {
  Workspace workspace(context);
  if (id.empty()) {
    Table table(std::vector<std::string>{"run", "command", "selection", "status", "started", "ended"});
    for (const state::Run& run : workspace.store().runs(limit))
      table.add(std::vector<std::string>{run.id, run.command, run.selection, run.status, run.started_at,
                                         run.ended_at});
    print_out(table.render(context.json ? TableForm::json : TableForm::table));
    return exit_done;
  }
  const auto run = workspace.store().run(id);
  if (!run)
    throw Error("usage.unknown_run", fmt::format("there is no run `{}`", id), "`eddy runs` lists them");
  const auto nodes = workspace.store().nodes_of(run->id);
  if (context.json) {
    for (const state::NodeRun& n : nodes)
      print_out(nlohmann::json{{"run", n.run_id},
                               {"node", n.node},
                               {"kind", n.kind},
                               {"status", n.status},
                               {"started_at", n.started_at},
                               {"ended_at", n.ended_at},
                               {"rows", n.rows},
                               {"summary", n.summary},
                               {"details", nlohmann::json::parse(n.details, nullptr, false)}}
                    .dump() +
                "\n");
    return exit_done;
  }
  print_out(fmt::format("run {}  {}  {}  {} – {}\n\n", run->id, run->command, run->status, run->started_at,
                        run->ended_at));
  for (const state::NodeRun& node : nodes) {
    print_out(fmt::format("{:<8} {:<46} {}\n", node.status, node.node, node.summary));
    if (node.kind == "sync") print_funnel(context, node);
  }
  return exit_done;
}

}  // namespace eddy::app
