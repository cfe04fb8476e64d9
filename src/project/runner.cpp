#include "project/runner.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "core/secrets.h"

namespace eddy::project {
namespace {

// The codes of work that was told to stop, and did (cancel.h).
bool is_interruption(const std::string& code) {
  return code.ends_with(".interrupted") || code == "run.cancelled";
}

class Runner {
 public:
  Runner(const Graph& graph, const std::set<std::string>& selected, const NodeAction& action,
         const NodeListener& listener, Progress& progress, const Cancel& cancel)
      : graph_(graph), action_(action), listener_(listener), progress_(progress), cancel_(cancel) {
    // An unselected node in between still orders the two around it.
    for (const std::string& name : graph.order()) {
      if (!selected.contains(name)) continue;
      order_.push_back(name);
      for (const std::string& ancestor : graph.ancestors(name))
        if (selected.contains(ancestor)) waits_for_[name].insert(ancestor);
    }
  }

  std::vector<NodeOutcome> run(std::size_t threads) {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < std::max<std::size_t>(1, threads); ++i)
      workers.emplace_back([this] { work(); });
    workers.clear();  // joins
    if (broken_) std::rethrow_exception(broken_);
    return std::move(outcomes_);
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (const std::string* name = next(lock)) {
      const Node& node = *graph_.find(*name);
      lock.unlock();
      NodeOutcome outcome = perform(node);
      lock.lock();
      settle(std::move(outcome));
    }
  }

  // The next node that can start; waits for one while others run. Nodes that can never start are settled as
  // skipped.
  const std::string* next(std::unique_lock<std::mutex>& lock) {
    while (true) {
      bool anything_left = false;
      for (const std::string& name : order_) {
        if (started_.contains(name)) continue;
        const std::string* obstacle = cancel_.requested() || broken_ ? &interrupted_ : obstacle_of(name);
        if (obstacle != nullptr) {
          started_.insert(name);
          NodeOutcome outcome{name, {}, 0, *obstacle};
          outcome.result.status = NodeStatus::skipped;
          outcome.result.summary =
              obstacle == &interrupted_ ? "interrupted" : fmt::format("because of {}", *obstacle);
          settle(std::move(outcome));
          continue;
        }
        if (ready(name)) {
          started_.insert(name);
          return &name;
        }
        anything_left = true;
      }
      if (!anything_left) return nullptr;
      changed_.wait(lock);
    }
  }

  bool ready(const std::string& name) {
    for (const std::string& before : waits_for_[name])
      if (!settled_.contains(before)) return false;
    return true;
  }

  const std::string* obstacle_of(const std::string& name) {
    for (const std::string& before : waits_for_[name])
      if (const auto found = settled_.find(before); found != settled_.end() && !found->second.empty())
        return &found->second;
    return nullptr;
  }

  NodeOutcome perform(const Node& node) {
    progress_.started(node.name);
    const auto start = std::chrono::steady_clock::now();
    NodeOutcome outcome{node.name, {}, 0, {}};
    try {
      outcome.result = action_(node);
    } catch (const Error& e) {
      outcome.result.status =
          cancel_.requested() && is_interruption(e.code()) ? NodeStatus::interrupted : NodeStatus::failed;
      outcome.result.summary = redact(e.message());
      if (outcome.result.status == NodeStatus::failed)
        for (const Diagnostic& diagnostic : e.diagnostics())
          outcome.result.error += redact(render(diagnostic));
    } catch (const std::exception& e) {
      outcome.result.status = NodeStatus::failed;
      outcome.result.summary = redact(e.what());
      outcome.result.error =
          redact(render({"internal.unexpected",
                         e.what(),
                         "this is a defect of eddy; please report it with the project's files",
                         {},
                         {}}));
    }
    outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return outcome;
  }

  void settle(NodeOutcome outcome) {
    const bool blocks = outcome.result.status == NodeStatus::failed ||
                        outcome.result.status == NodeStatus::skipped ||
                        outcome.result.status == NodeStatus::interrupted;
    settled_[outcome.node] = !blocks ? "" : outcome.because_of.empty() ? outcome.node : outcome.because_of;
    progress_.finished(outcome.node, outcome.result.status, outcome.result.rows, outcome.result.summary);
    try {
      listener_(outcome);
    } catch (...) {  // the outcome cannot be recorded (a full disk): nothing more is begun, and run() throws
      if (!broken_) broken_ = std::current_exception();
    }
    outcomes_.push_back(std::move(outcome));
    changed_.notify_all();
  }

  const Graph& graph_;
  const NodeAction& action_;
  const NodeListener& listener_;
  Progress& progress_;
  const Cancel& cancel_;
  const std::string interrupted_ = "interrupted";
  std::vector<std::string> order_;
  std::map<std::string, std::set<std::string>> waits_for_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> started_;
  std::map<std::string, std::string> settled_;  // node -> what blocks its descendants, "" when nothing does
  std::vector<NodeOutcome> outcomes_;
  std::exception_ptr broken_;
};

}  // namespace

std::vector<NodeOutcome> run_nodes(const Graph& graph, const std::set<std::string>& selected,
                                   std::size_t threads, const NodeAction& action,
                                   const NodeListener& listener, Progress& progress, const Cancel& cancel) {
  return Runner(graph, selected, action, listener, progress, cancel).run(threads);
}

}  // namespace eddy::project
