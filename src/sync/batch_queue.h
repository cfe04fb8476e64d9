// The bounded queue between the reader of a plan and the workers.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "sync/batch.h"

namespace eddy::sync {

// Thread-safe; one mutex guards all of it. A reader that found it full is woken when half of it has gone, not
// for every batch. Closed by the reader when everything is in, or by whoever stops the delivery; closing
// wakes everybody, and is for ever.
class BatchQueue {
 public:
  explicit BatchQueue(std::size_t capacity) : capacity_(capacity) {}

  // Waits for room. False when the queue is closed: the batch was not taken.
  bool push(Batch batch) {
    std::unique_lock lock(mutex_);
    if (waiting_.size() >= capacity_)
      room_.wait(lock, [&] { return closed_ || waiting_.size() <= capacity_ / 2; });
    if (closed_) return false;
    waiting_.push_back(std::move(batch));
    filled_.notify_one();
    return true;
  }
  // Waits for a batch; nullopt when the queue is closed and empty.
  std::optional<Batch> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return std::nullopt;
    Batch batch = std::move(waiting_.front());
    waiting_.pop_front();
    if (waiting_.size() == capacity_ / 2) room_.notify_one();
    return batch;
  }
  void close(bool drop_waiting) {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    if (drop_waiting) waiting_.clear();
    filled_.notify_all();
    room_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable room_, filled_;
  std::deque<Batch> waiting_;
  std::size_t capacity_;
  bool closed_ = false;
};

}  // namespace eddy::sync
