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

// Calls of a day that begins at midnight UTC, or at midnight US Central time.
class DailyCount {
 public:
  explicit DailyCount(Clock& clock, bool us_central = false) : clock_(clock), us_central_(us_central) {}
  void add() { count_ = count() + 1; }
  std::uint64_t count();
  void clear() { count_ = 0; }

 private:
  Clock& clock_;
  const bool us_central_;
  std::chrono::sys_days day_{};
  std::uint64_t count_ = 0;
};

// The time US Central clocks show, summer time from the second Sunday of March to the first of November.
Clock::WallTime us_central(Clock::WallTime utc);

}  // namespace eddy::sandbox
