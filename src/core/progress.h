// What a long operation tells while it works. The app renders it: live lines on a terminal, one line per
// event elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace eddy {

enum class NodeStatus { ok, failed, skipped, warned, held, interrupted };
std::string_view name_of(NodeStatus status);

// Thread-safe: nodes run in parallel.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void started(std::string_view node) = 0;
  // Rows done so far in this node; called often, must be cheap.
  virtual void advanced(std::string_view node, std::uint64_t rows) = 0;
  // summary: "1,204 rows in 3 files", "+120 ~42 -0 !3"
  virtual void finished(std::string_view node, NodeStatus status, std::uint64_t rows,
                        std::string_view summary) = 0;
  virtual void note(std::string_view message) = 0;
};

Progress& silent_progress();

}  // namespace eddy
