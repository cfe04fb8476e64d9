// The rows of a stored plan, in its order, a window at a time: what a delivery reads.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/change.h"
#include "engine/database.h"
#include "sync/plan.h"

namespace eddy::sync {

// One thread. A window is a query of its own: the engine's transaction is short, however long the delivery
// takes, and memory holds no more than one window.
class ChangeReader {
 public:
  // Rows from `first` (included) to `end` (excluded; beyond the plan is the plan's end).
  ChangeReader(engine::Connection& connection, const Plan& plan, std::uint64_t first, std::uint64_t end);

  // At least one row, at most a few thousand; empty at the end. Throws Error("sync.plan_unreadable") when
  // rows are missing or out of order, and what the engine throws.
  std::vector<Change> next();

 private:
  bool open_window();
  [[noreturn]] void out_of_order() const;
  Change change_at(const engine::Chunk& chunk, std::size_t row) const;
  Value value_at(const engine::Chunk& chunk, std::size_t column, std::size_t row) const;

  engine::Connection& connection_;
  const Plan& plan_;
  std::uint64_t at_, end_;  // the next row; behind the last one
  std::uint64_t window_end_ = 0;
  bool with_before_ = false;
  std::optional<engine::Result> window_;
  std::vector<bool> plain_text_;    // columns that are VARCHAR and stay text
  std::vector<bool> decimal_text_;  // columns whose text is a decimal's digits
};

}  // namespace eddy::sync
