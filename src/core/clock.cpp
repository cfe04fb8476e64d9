#include "core/clock.h"

#include <fmt/format.h>

#include <cstdio>
#include <mutex>
#include <thread>

#include "core/error.h"

namespace eddy {
namespace {

class SystemClock final : public Clock {
 public:
  WallTime now() override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
  MonotonicTime monotonic() override { return std::chrono::steady_clock::now(); }
  void sleep_for(std::chrono::nanoseconds duration) override { std::this_thread::sleep_for(duration); }
};

std::mutex manual_clock_mutex;  // one for all manual clocks: they exist only in tests

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

ManualClock::ManualClock(WallTime start) : start_(start) {}
std::chrono::nanoseconds ManualClock::elapsed() const {
  const std::lock_guard lock(manual_clock_mutex);
  return elapsed_;
}
Clock::WallTime ManualClock::now() {
  return start_ + std::chrono::duration_cast<std::chrono::microseconds>(elapsed());
}
Clock::MonotonicTime ManualClock::monotonic() {
  return MonotonicTime{std::chrono::duration_cast<std::chrono::steady_clock::duration>(elapsed())};
}
void ManualClock::advance(std::chrono::nanoseconds duration) {
  const std::lock_guard lock(manual_clock_mutex);
  elapsed_ += duration;
}

std::string format_utc(Clock::WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (const auto micros = clock.subseconds().count(); micros != 0) text += fmt::format(".{:06}", micros);
  return text + "Z";
}

Clock::WallTime parse_utc(std::string_view text) {
  using namespace std::chrono;
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, consumed = 0;
  const std::string copy(text);
  int fields = std::sscanf(copy.c_str(), "%d-%d-%d%n", &y, &mo, &d, &consumed);
  std::string_view rest =
      fields == 3 ? std::string_view(copy).substr(static_cast<std::size_t>(consumed)) : "x";
  bool good = fields == 3;
  microseconds fraction{0};
  if (good && !rest.empty() && rest != "Z") {
    int used = 0;
    good = (rest[0] == 'T' || rest[0] == ' ') &&
           std::sscanf(std::string(rest.substr(1)).c_str(), "%d:%d:%d%n", &h, &mi, &s, &used) == 3;
    if (good) {
      rest.remove_prefix(static_cast<std::size_t>(used) + 1);
      if (rest.starts_with('.')) {
        std::int64_t scale = 100'000;
        for (rest.remove_prefix(1); !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
             rest.remove_prefix(1), scale /= 10)
          fraction += microseconds{(rest[0] - '0') * scale};
      }
      good = rest.empty() || rest == "Z" || rest == "+00:00" || rest == "+00";
    }
  }
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
  if (!good || !date.ok() || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 60)
    throw Error("time.invalid", fmt::format("`{}` is not a UTC time", text),
                "write it as 2026-11-23T10:53:42Z");
  return sys_days{date} + hours{h} + minutes{mi} + seconds{s} + fraction;
}

std::chrono::milliseconds parse_duration(std::string_view text) {
  using namespace std::chrono;
  milliseconds total{0};
  std::string_view rest = text;
  bool good = !rest.empty();
  while (good && !rest.empty()) {
    std::int64_t number = 0;
    std::size_t digits = 0;
    while (digits < rest.size() && digits < 12 && rest[digits] >= '0' && rest[digits] <= '9')
      number = number * 10 + (rest[digits++] - '0');
    rest.remove_prefix(digits);
    const std::size_t unit_end = std::min(rest.size(), rest.find_first_of("0123456789"));
    const std::string_view unit = rest.substr(0, unit_end);
    rest.remove_prefix(unit_end);
    if (digits == 0)
      good = false;
    else if (unit == "ms")
      total += milliseconds{number};
    else if (unit == "s")
      total += seconds{number};
    else if (unit == "m")
      total += minutes{number};
    else if (unit == "h")
      total += hours{number};
    else if (unit == "d")
      total += hours{24 * number};
    else
      good = false;
  }
  if (!good)
    throw Error("time.invalid_duration", fmt::format("`{}` is not a duration", text),
                "write it like 15m, 90s or 1h30m");
  return total;
}

}  // namespace eddy
