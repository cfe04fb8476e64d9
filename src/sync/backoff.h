// When a delivery may send again: what the destination asked for, and what we choose ourselves when it asked
// for nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <random>

#include "core/clock.h"

namespace eddy::sync {

struct RetryPolicy {
  int attempts_max = 6;
  std::chrono::milliseconds backoff_first{500};  // doubles with each attempt, with half of it random
  std::chrono::milliseconds backoff_max{60'000};
  std::chrono::milliseconds retry_after_max{900'000};  // what a destination may ask for
  std::uint64_t seed = 0;
};

// Thread-safe: shared by the workers of one delivery. All sleeping is done on the injected clock in slices of
// 100 ms, so that `stopping` (Ctrl-C, a failure elsewhere) ends even an hour's wait at once.
class Backoff {
 public:
  Backoff(const RetryPolicy& policy, Clock& clock, std::function<bool()> stopping)
      : policy_(policy), clock_(clock), stopping_(std::move(stopping)), random_(policy.seed) {}

  struct Held {
    std::chrono::milliseconds wait{0};
    bool news = false;  // clearly longer than what was asked for already
  };
  // The destination asks everybody to stay away for so long. Negative is nothing, absurd is cut to
  // retry_after_max.
  Held hold(std::chrono::milliseconds asked);
  // Own choice: exponential in the number of attempts made (from 1), half of it random, so that workers that
  // failed together do not come back together.
  std::chrono::milliseconds pause_after(int attempts);
  void sleep_for(std::chrono::milliseconds pause) { sleep_until(clock_.monotonic() + pause); }
  void sleep_until(Clock::MonotonicTime until);
  // Until nobody asks us to stay away any more, or the delivery is stopping.
  void wait_while_held();

 private:
  const RetryPolicy& policy_;
  Clock& clock_;
  const std::function<bool()> stopping_;
  std::mutex mutex_;  // guards what follows
  Clock::MonotonicTime held_until_{};
  std::mt19937_64 random_;
};

}  // namespace eddy::sync
