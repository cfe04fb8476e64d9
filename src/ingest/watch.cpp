#include "ingest/watch.h"

#include <chrono>

namespace eddy::ingest {

Watch::Watch(engine::Connection& connection, Progress& progress, std::string node, const Cancel& cancel)
    : connection_(connection), progress_(progress), node_(std::move(node)), cancel_(cancel), thread_([this] {
        look();
      }) {}

Watch::~Watch() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  end_.notify_all();
  thread_.join();
}

void Watch::add_rows(std::uint64_t rows) {
  const std::lock_guard lock(mutex_);
  rows_before_ += rows;
  progress_.advanced(node_, rows_before_);
}

void Watch::look() {
  std::unique_lock lock(mutex_);
  while (!end_.wait_for(lock, std::chrono::milliseconds(100), [this] { return ended_; })) {
    // Again and again: an interrupt between two statements is lost.
    if (cancel_.requested())
      connection_.interrupt();
    else if (const std::uint64_t rows = connection_.rows_done(); rows > 0)
      progress_.advanced(node_, rows_before_ + rows);
  }
}

}  // namespace eddy::ingest
