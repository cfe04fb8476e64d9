#include "app/nodes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/sync_request.h"
#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"
#include "ingest/loader.h"
#include "report/report.h"
#include "transform/build.h"

namespace eddy::app {

NodeRunner::NodeRunner(Workspace& workspace, std::string run_id, Progress& progress, const Cancel& cancel,
                       std::uint64_t rows_max)
    : workspace_(workspace),
      run_id_(std::move(run_id)),
      progress_(progress),
      cancel_(cancel),
      rows_max_(rows_max) {}

project::NodeResult NodeRunner::operator()(const project::Node& node) {
  const project::Project& project = workspace_.project();
  switch (node.kind) {
    case project::NodeKind::stream:
      return load(*project.stream(node.name));
    case project::NodeKind::model:
      return build(*project.model(node.name));
    case project::NodeKind::test:
      return test(*project.test(node.name));
    case project::NodeKind::sync:
      return deliver(*project.sync(node.name));
    case project::NodeKind::dashboard:
      return draw(*project.dashboard(node.name));
  }
  return {};
}

project::NodeResult NodeRunner::load(const ingest::StreamSpec& stream) {
  std::string connection;
  for (const ingest::SourceSpec& source : workspace_.project().sources)
    if (source.name == stream.source) connection = source.connection;
  const auto source = workspace_.source(connection);
  const auto result =
      ingest::load_stream(workspace_.session(), stream, *source, run_id_, system_clock(), progress_, cancel_);
  return {result.status(), result.rows, result.summary(), nlohmann::json::parse(result.details()), ""};
}

project::NodeResult NodeRunner::build(const transform::ModelSpec& model) {
  const auto result =
      transform::build_model(workspace_.session(), model, run_id_, system_clock(), progress_, cancel_);
  return {NodeStatus::ok,
          result.rows,
          result.summary,
          {{"rows", result.rows}, {"version", result.version}, {"kept", result.kept}},
          ""};
}

project::NodeResult NodeRunner::test(const transform::DataTest& test) {
  const auto result = transform::run_test(workspace_.session(), test, cancel_);
  project::NodeResult out{NodeStatus::ok, result.failing, result.summary, {{"failing", result.failing}}, ""};
  if (result.status == transform::TestStatus::passed) return out;
  out.status = result.status == transform::TestStatus::warned ? NodeStatus::warned : NodeStatus::failed;
  std::string samples;
  for (const std::string& sample : result.samples) samples += "    " + sample + "\n";
  const Diagnostic said =
      test.source.complaint("transform.test_failed", fmt::format("test {}: {}", result.name, result.summary),
                            "what reads the tested relation is not run until this holds", test.at);
  out.error = redact(render(said) + samples);
  return out;
}

project::NodeResult node_result(const sync::SyncResult& result) {
  project::NodeResult out{result.node_status(), result.rows(), sync::summary(result), sync::details(result),
                          ""};
  for (const Diagnostic& diagnostic : result.failure) out.error += redact(render(diagnostic));
  return out;
}

project::NodeResult NodeRunner::deliver(const sync::SyncSpec& sync) {
  const auto destination = workspace_.destination(sync.destination);
  sync::ApplyOptions options;
  options.request.rows_max = rows_max_;
  const sync::Unread unread = unread_rows(workspace_, sync);
  options.request.unread = &unread;
  return node_result(sync::run_sync(workspace_.session(), sync, *destination, run_id_, system_clock(),
                                    progress_, cancel_, options));
}

project::NodeResult NodeRunner::draw(const report::DashboardSpec& dashboard) {
  const auto& settings = workspace_.project().settings;
  const auto file = settings.places.project / "reports" / (dashboard.name + ".html");
  const auto result =
      report::write_report(workspace_.session(), std::span(&dashboard, 1), file, system_clock(),
                           silent_progress(), cancel_, {settings.name, EDDY_VERSION, {}});
  const auto& tiles = result.dashboards.front();
  project::NodeResult out{
      NodeStatus::ok,
      tiles.rows,
      fmt::format("{} tiles → reports/{}.html ({})", tiles.tiles, dashboard.name, human_bytes(result.bytes)),
      {{"tiles", tiles.tiles}},
      ""};
  for (const report::Failure& failure : result.failures) {
    out.status = NodeStatus::failed;
    out.error += render(failure.diagnostic);
  }
  return out;
}

RecordedRun::RecordedRun(Workspace& workspace, const std::string& command, const std::string& selection)
    : workspace_(workspace), id_(new_id()) {
  workspace_.store().begin_run(
      {id_, command, selection, "running", format_utc(system_clock().now()), "", ""});
}

RecordedRun::~RecordedRun() {
  if (finished_) return;
  try {
    workspace_.store().end_run(id_, "failed", "ended by an error");
  } catch (const std::exception&) {
    // The error that ended the run is already on its way; this one would hide it.
  }
}

void RecordedRun::record(const project::NodeOutcome& outcome, const project::Node& node) {
  const auto now = system_clock().now();
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::duration<double>(outcome.seconds));
  nlohmann::json details = outcome.result.details;
  if (!outcome.result.error.empty()) details["error"] = outcome.result.error;
  workspace_.store().record_node({id_, node.name, std::string(name_of(node.kind)),
                                  std::string(name_of(outcome.result.status)), format_utc(now - took),
                                  format_utc(now), outcome.result.rows, outcome.result.summary,
                                  details.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)});
}

void RecordedRun::finish(const std::string& status) {
  workspace_.store().end_run(id_, status, "");
  finished_ = true;
  const warehouse::History& history = workspace_.project().settings.history;
  if (history.runs > 0 || history.days > 0)
    workspace_.store().forget_history(history.runs, history.before(system_clock()));
}

Verdicts::Verdicts(const std::vector<project::NodeOutcome>& outcomes) {
  for (const project::NodeOutcome& outcome : outcomes) switch (outcome.result.status) {
      case NodeStatus::ok:
        ++ok;
        break;
      case NodeStatus::warned:
        ++warned;
        break;
      case NodeStatus::failed:
        ++failed;
        break;
      case NodeStatus::skipped:
        ++skipped;
        break;
      case NodeStatus::held:
        ++held;
        break;
      case NodeStatus::interrupted:
        ++stopped;
        break;
    }
}

std::string Verdicts::status(bool interrupted) const {
  if (interrupted) return "interrupted";
  if (failed > 0) return "failed";
  if (held > 0) return "held";
  return warned > 0 ? "done_with_rejects" : "done";
}

int Verdicts::exit_code(bool interrupted) const {
  if (interrupted) return exit_interrupted;
  if (failed > 0) return exit_failed;
  return held > 0 ? exit_held : exit_done;
}

}  // namespace eddy::app
