// Commands that run nodes: run, test.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/nodes.h"
#include "core/error.h"
#include "core/text.h"
#include "project/selection.h"

namespace eddy::app {
namespace {

ProgressForm progress_form(const Context& context) {
  if (context.json) return ProgressForm::json;
  return context.quiet ? ProgressForm::quiet : ProgressForm::people;
}

void print_end(const Context& context, const std::string& run_id, const std::string& status,
               const Verdicts& v, std::size_t total, double seconds) {
  if (context.json) {
    print_out(nlohmann::json{{"type", "run_finished"},
                             {"run", run_id},
                             {"status", status},
                             {"ok", v.ok},
                             {"warned", v.warned},
                             {"failed", v.failed},
                             {"skipped", v.skipped},
                             {"held", v.held},
                             {"interrupted", v.stopped},
                             {"total", total},
                             {"seconds", seconds}}
                  .dump() +
              "\n");
    return;
  }
  if (context.quiet) return;
  const Style style = v.failed > 0 ? Style::red : v.warned + v.held > 0 ? Style::yellow : Style::green;
  print_err(fmt::format("\n{} in {:.1f}s: OK={} WARN={} HELD={} FAIL={} SKIP={}{} TOTAL={}  (run {})\n",
                        context.terminal.err_style(style, replace_all(status, "_", " ")), seconds, v.ok,
                        v.warned, v.held, v.failed, v.skipped,
                        v.stopped > 0 ? fmt::format(" STOP={}", v.stopped) : "", total, run_id));
}

int run_selected(const Context& context, Workspace& workspace, const std::string& command,
                 const Selection& selection, const std::set<std::string>& selected, std::size_t threads,
                 std::uint64_t rows_max) {
  const project::Project& project = workspace.project();
  workspace.lock(command);
  workspace.session(warehouse::Access::write);
  RecordedRun recorded(workspace, command, join(selection.select, " "));
  const auto start = std::chrono::steady_clock::now();
  std::string errors;
  std::vector<project::NodeOutcome> outcomes;
  {
    const auto progress = make_progress(progress_form(context), context.terminal);
    NodeRunner runner(workspace, recorded.id(), *progress, context.cancel, rows_max);
    outcomes = project::run_nodes(
        project.graph, selected, threads == 0 ? project.settings.threads : threads, std::ref(runner),
        [&](const project::NodeOutcome& outcome) {
          recorded.record(outcome, *project.graph.find(outcome.node));
          errors += outcome.result.error;
        },
        *progress, context.cancel);
  }
  if (!errors.empty()) print_err("\n" + errors);
  const Verdicts verdicts(outcomes);
  const bool interrupted = context.cancel.requested();
  recorded.finish(verdicts.status(interrupted));
  print_end(context, recorded.id(), verdicts.status(interrupted), verdicts, outcomes.size(),
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return verdicts.exit_code(interrupted);
}

}  // namespace

int run(const Context& context, const RunOptions& options) {
  Workspace workspace(context);
  const auto selected =
      project::select(workspace.project().graph, options.selection.select, options.selection.exclude);
  if (selected.empty())
    throw Error("selection.empty", "nothing is selected",
                "`eddy ls` lists every node; a new project gets its first files with `eddy init`");
  return run_selected(context, workspace, "run", options.selection, selected, options.threads,
                      options.rows_max);
}

int test(const Context& context, const Selection& selection) {
  Workspace workspace(context);
  const project::Graph& graph = workspace.project().graph;
  auto selected = project::select(graph, selection.select, selection.exclude);
  std::erase_if(selected,
                [&](const std::string& name) { return graph.find(name)->kind != project::NodeKind::test; });
  if (selected.empty())
    throw Error("selection.empty", "no test is selected",
                "tests are `tests:` in a model's header and files tests/*.sql");
  return run_selected(context, workspace, "test", selection, selected, 0, 0);
}

}  // namespace eddy::app
