// A token bucket: `calls` per `window`, refilled evenly. Thread-safe.
#pragma once

#include <chrono>
#include <mutex>
#include <string_view>

#include "core/clock.h"

namespace eddy::sandbox {

struct Rate {
  std::uint64_t calls = 0;  // 0: no limit
  std::chrono::seconds window{1};
};

// "100/20" is 100 calls in 20 seconds; "0" is no limit. Throws Error("sandbox.invalid_rate").
Rate parse_rate(std::string_view text);

class TokenBucket {
 public:
  TokenBucket(Rate rate, Clock& clock);
  bool take();  // false: too many; nothing is taken
  std::uint64_t remaining();
  std::chrono::seconds until_next();  // rounded up, at least 1
  Rate rate() const { return rate_; }
  void refill();  // to the brim

 private:
  void advance();
  const Rate rate_;
  Clock& clock_;
  std::mutex mutex_;
  double tokens_;
  Clock::MonotonicTime at_;
};

}  // namespace eddy::sandbox
