#include "report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/text.h"
#include "report/page.h"

namespace eddy::report {
namespace {

using nlohmann::json;

std::string to_the_second(Clock::WallTime time) {
  return format_utc(std::chrono::floor<std::chrono::seconds>(time));
}

// The newest model version, or the newest load where there are no models. Times are UTC ISO 8601 and so sort
// as text.
json data_as_of(state::Store& store) {
  std::string newest;
  for (const state::ModelVersion& version : store.current_models())
    newest = std::max(newest, version.built_at);
  if (newest.empty())
    for (const auto& [source, stream] : store.loaded_streams())
      for (const state::Load& load : store.loads(source, stream)) newest = std::max(newest, load.loaded_at);
  return newest.empty() ? json(nullptr) : json(newest);
}

std::string summary_of(const DashboardRun& run) {
  const std::string tiles =
      fmt::format("{} {}, {} rows", run.tiles, run.tiles == 1 ? "tile" : "tiles", with_commas(run.rows));
  return run.failures.empty() ? tiles : fmt::format("{}, {} failed", tiles, run.failures.size());
}

}  // namespace

ReportResult write_report(warehouse::Session& session, std::span<const DashboardSpec> dashboards,
                          const std::filesystem::path& out_file, Clock& clock, Progress& progress,
                          const Cancel& cancel, const ReportOptions& options) {
  ReportResult result;
  json data = {{"project", options.project},
               {"version", options.version},
               {"generated_at", to_the_second(clock.now())},
               {"data_as_of", data_as_of(session.store())},
               {"dashboards", json::array()}};
  for (const DashboardSpec& spec : dashboards) {
    const std::string node = "dashboard." + spec.name;
    progress.started(node);
    DashboardRun run = run_dashboard(session, spec, cancel, options.limits);
    progress.finished(node, run.failures.empty() ? NodeStatus::ok : NodeStatus::failed, run.rows,
                      summary_of(run));
    result.dashboards.push_back({spec.name, run.tiles, run.rows, run.failures.size()});
    std::move(run.failures.begin(), run.failures.end(), std::back_inserter(result.failures));
    data["dashboards"].push_back(std::move(run.data));
  }
  const std::string page = render_page(data);
  if (out_file.has_parent_path()) {
    std::error_code ignored;  // the write below says what is wrong
    std::filesystem::create_directories(out_file.parent_path(), ignored);
  }
  write_file_atomically(out_file, page);
  result.bytes = page.size();
  return result;
}

}  // namespace eddy::report
