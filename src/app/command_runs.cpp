// runs: what was done, and the funnel of each sync.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/workspace.h"
#include "core/error.h"
#include "core/text.h"
#include "sync/funnel.h"

namespace eddy::app {
namespace {

// One line per step, with what fell out there.
void print_funnel(const Context& context, const state::NodeRun& node) {
  const auto funnel = sync::funnel_of(nlohmann::json::parse(node.details, nullptr, false));
  std::size_t width = 1;
  for (const sync::FunnelStep& step : funnel) width = std::max(width, with_commas(step.rows).size());
  for (const sync::FunnelStep& step : funnel) {
    std::vector<std::string> notes;
    for (const auto& [what, rows] : step.fell_out)
      notes.push_back(fmt::format("{} {}", with_commas(rows), what));
    std::string line = fmt::format("         {:<8} {:>{}}", step.name, with_commas(step.rows), width);
    if (!notes.empty()) line += "  without " + join(notes, ", ");
    if (step.joined > 0) line += fmt::format("  with {} to remove", with_commas(step.joined));
    print_out(context.terminal.out_style(Style::dim, line) + "\n");
  }
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
    for (const state::NodeRun& n : nodes) {
      nlohmann::json out = {{"run", n.run_id},
                            {"node", n.node},
                            {"kind", n.kind},
                            {"status", n.status},
                            {"started_at", n.started_at},
                            {"ended_at", n.ended_at},
                            {"rows", n.rows},
                            {"summary", n.summary},
                            {"details", nlohmann::json::parse(n.details, nullptr, false)}};
      if (n.kind == "sync") out["funnel"] = sync::to_json(sync::funnel_of(out["details"]));
      print_out(out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    }
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
