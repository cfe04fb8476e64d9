// What running one node means, for every kind of node.
#pragma once

#include <string>

#include "app/workspace.h"
#include "core/progress.h"
#include "project/runner.h"
#include "sync/apply.h"

namespace eddy::app {

// Called from several threads at once. Throws Error; the runner makes a failed outcome of it.
class NodeRunner {
 public:
  // The workspace must hold the lock and a writing session.
  // `rows_max`: rows that each sync may send; 0: all.
  NodeRunner(Workspace& workspace, std::string run_id, Progress& progress, const Cancel& cancel,
             std::uint64_t rows_max = 0);
  project::NodeResult operator()(const project::Node& node);

 private:
  project::NodeResult load(const ingest::StreamSpec& stream);
  project::NodeResult build(const transform::ModelSpec& model);
  project::NodeResult test(const transform::DataTest& test);
  project::NodeResult deliver(const sync::SyncSpec& sync);
  project::NodeResult draw(const report::DashboardSpec& dashboard);

  Workspace& workspace_;
  std::string run_id_;
  Progress& progress_;
  const Cancel& cancel_;
  const std::uint64_t rows_max_;
};

// A sync's end as the outcome of its node.
project::NodeResult node_result(const sync::SyncResult& result);

// A run in the control database: begun here, ended by finish(). One that an error ends is recorded as failed;
// one whose process is killed as interrupted, by the next that finds the project free (Workspace).
class RecordedRun {
 public:
  RecordedRun(Workspace& workspace, const std::string& command, const std::string& selection);
  ~RecordedRun();
  RecordedRun(const RecordedRun&) = delete;
  RecordedRun& operator=(const RecordedRun&) = delete;
  const std::string& id() const { return id_; }
  void record(const project::NodeOutcome& outcome, const project::Node& node);
  void finish(const std::string& status);

 private:
  Workspace& workspace_;
  std::string id_;
  bool finished_ = false;
};

// What a finished run was, in words and as an exit code, from the outcomes of its nodes.
struct Verdicts {
  std::size_t ok = 0, warned = 0, failed = 0, skipped = 0, held = 0, stopped = 0;
  explicit Verdicts(const std::vector<project::NodeOutcome>& outcomes);
  std::string status(bool interrupted) const;  // done | done_with_rejects | held | failed | interrupted
  int exit_code(bool interrupted) const;
};

}  // namespace eddy::app
