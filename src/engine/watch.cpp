#include "engine/watch.h"

#include <chrono>

#include "core/error.h"

namespace eddy::engine {

Watch::Watch(Connection& connection, std::string node, Progress& progress, const Cancel& cancel)
    : connection_(connection), node_(std::move(node)), progress_(progress), cancel_(cancel), thread_([this] {
        look();
      }) {}

void Watch::expect_rows(std::uint64_t rows) {
  const std::lock_guard lock(mutex_);
  rows_expected_ = rows;
}

void Watch::add_rows(std::uint64_t rows) {
  const std::lock_guard lock(mutex_);
  rows_before_ += rows;
  rows_expected_ = 0;
  told_ = rows_before_;
  progress_.advanced(node_, told_);
}

void Watch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watch::look() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::milliseconds(50), [this] { return stopping_; })) {
    // Again and again: an interrupt between two statements is forgotten by the engine.
    if (cancel_.requested()) connection_.interrupt();
    const std::uint64_t rows =
        rows_expected_ > 0
            ? static_cast<std::uint64_t>(connection_.share_done() * static_cast<double>(rows_expected_))
            : connection_.rows_done();
    if (rows_before_ + rows > told_) progress_.advanced(node_, told_ = rows_before_ + rows);
  }
}

void throw_if_cancelled(const Cancel& cancel) {
  if (cancel.requested()) throw Error("engine.interrupted", "the work was interrupted");
}

}  // namespace eddy::engine
