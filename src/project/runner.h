// Runs selected nodes in graph order, independent ones in parallel. A failed node skips what depends on it,
// nothing else.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/progress.h"
#include "project/graph.h"

namespace eddy::project {

struct NodeResult {
  NodeStatus status = NodeStatus::ok;
  std::uint64_t rows = 0;
  std::string summary;  // one line for people
  nlohmann::json details = nlohmann::json::object();
  std::string error;  // rendered, for people; empty unless failed
};

struct NodeOutcome {
  std::string node;
  NodeResult result;
  double seconds = 0;
  std::string because_of;  // skipped: the failed node above it, or "interrupted"
};

// Does one node's work. An exception becomes a failed result. Called from several threads.
using NodeAction = std::function<NodeResult(const Node&)>;
// Told once per node, as soon as its outcome is known; calls are serialised.
using NodeListener = std::function<void(const NodeOutcome&)>;

// Outcomes in the order they became known; exactly one per selected node. After cancel.requested() nothing
// new is started and the rest is skipped.
std::vector<NodeOutcome> run_nodes(const Graph& graph, const std::set<std::string>& selected,
                                   std::size_t threads, const NodeAction& action,
                                   const NodeListener& listener, Progress& progress, const Cancel& cancel);

}  // namespace eddy::project
