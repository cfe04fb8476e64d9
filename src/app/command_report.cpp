#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/workspace.h"
#include "core/error.h"
#include "core/text.h"
#include "project/selection.h"
#include "report/report.h"

namespace eddy::app {

int report(const Context& context, const ReportOptions& options) {
  Workspace workspace(context);
  const project::Project& project = workspace.project();
  const auto selected = project::select(project.graph, options.selection.select, options.selection.exclude);
  std::vector<report::DashboardSpec> dashboards;
  for (const report::DashboardSpec& dashboard : project.dashboards)
    if (selected.contains("dashboard." + dashboard.name)) dashboards.push_back(dashboard);
  if (dashboards.empty())
    throw Error("report.no_dashboards", "no dashboard is selected", "dashboards are files dashboards/*.yml");
  const std::filesystem::path out =
      options.out.empty() ? project.settings.places.project / "report.html" : options.out;
  const auto progress = make_progress(context.quiet  ? ProgressForm::quiet
                                      : context.json ? ProgressForm::json
                                                     : ProgressForm::people,
                                      context.terminal);
  const auto result = report::write_report(workspace.session(), dashboards, out, system_clock(), *progress,
                                           context.cancel, {project.settings.name, EDDY_VERSION, {}});
  for (const report::Failure& failure : result.failures) print_err(render(failure.diagnostic));
  if (context.json)
    print_out(nlohmann::json{{"type", "report"},
                             {"file", out.string()},
                             {"bytes", result.bytes},
                             {"failures", result.failures.size()}}
                  .dump() +
              "\n");
  else
    print_out(out.string() + "\n");
  return result.failures.empty() ? exit_done : exit_failed;
}

}  // namespace eddy::app
