// Time comes in as an argument, so that a back-off of ten minutes is tested in a millisecond.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace eddy {

class Clock {
 public:
  using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
  using MonotonicTime = std::chrono::steady_clock::time_point;
  virtual ~Clock() = default;
  virtual WallTime now() = 0;             // for records only; may jump
  virtual MonotonicTime monotonic() = 0;  // for waits and rates
  virtual void sleep_for(std::chrono::nanoseconds duration) = 0;
};

Clock& system_clock();  // the real one; thread-safe

// A clock that moves only when told, or when somebody sleeps on it. Thread-safe. For tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime{std::chrono::seconds{1'700'000'000}});
  WallTime now() override;
  MonotonicTime monotonic() override;
  void sleep_for(std::chrono::nanoseconds duration) override { advance(duration); }
  void advance(std::chrono::nanoseconds duration);

 private:
  std::chrono::nanoseconds elapsed() const;
  WallTime start_;
  std::chrono::nanoseconds elapsed_{0};
};

// "2026-11-23T10:53:42.123456Z"; the fraction is left out when it is zero.
std::string format_utc(Clock::WallTime time);
// Accepts what format_utc prints, also "2026-11-23 10:53:42" and a bare date. Throws Error("time.invalid").
Clock::WallTime parse_utc(std::string_view text);
// "15m", "90s", "1h30m", "2d", "250ms". Throws Error("time.invalid_duration").
std::chrono::milliseconds parse_duration(std::string_view text);

}  // namespace eddy
