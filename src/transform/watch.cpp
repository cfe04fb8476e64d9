#include "transform/watch.h"

#include <chrono>

#include "core/error.h"

namespace eddy::transform {

Watch::Watch(engine::Connection& connection, std::string node, Progress& progress, const Cancel& cancel)
    : thread_([this, &connection, node = std::move(node), &progress, &cancel] {
        std::unique_lock lock(mutex_);
        std::uint64_t told = 0;
        while (!wake_.wait_for(lock, std::chrono::milliseconds(50), [this] { return stopping_; })) {
          // Again and again: an interrupt between two statements is forgotten by the engine.
          if (cancel.requested()) connection.interrupt();
          if (const std::uint64_t rows = connection.rows_done(); rows > told)
            progress.advanced(node, told = rows);
        }
      }) {}

void Watch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void throw_if_cancelled(const Cancel& cancel) {
  if (cancel.requested()) throw Error("engine.interrupted", "the work was interrupted");
}

}  // namespace eddy::transform
