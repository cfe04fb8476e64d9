#include "sandbox/rate.h"

#include <charconv>
#include <cmath>

#include "core/error.h"

namespace eddy::sandbox {

Rate parse_rate(std::string_view text) {
  const auto number = [&](std::string_view part) {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (ec != std::errc{} || end != part.data() + part.size())
      throw Error("sandbox.invalid_rate", fmt::format("`{}` is not a rate", text),
                  "write CALLS/SECONDS, for example 100/20, or 0 for no limit");
    return value;
  };
  const std::size_t slash = text.find('/');
  Rate rate{.calls = number(text.substr(0, slash))};
  if (slash != std::string_view::npos) rate.window = std::chrono::seconds{number(text.substr(slash + 1))};
  if (rate.window.count() == 0) number("");
  return rate;
}

Clock::WallTime us_central(Clock::WallTime utc) {
  using namespace std::chrono;
  const year year = year_month_day{floor<days>(utc)}.year();
  // At two in the morning, standard and summer time.
  const sys_seconds spring = sys_days{year / March / Sunday[2]} + hours{8};
  const sys_seconds autumn = sys_days{year / November / Sunday[1]} + hours{7};
  return utc - (utc >= spring && utc < autumn ? hours{5} : hours{6});
}

std::uint64_t DailyCount::count() {
  const auto day =
      std::chrono::floor<std::chrono::days>(us_central_ ? us_central(clock_.now()) : clock_.now());
  if (std::exchange(day_, day) != day) count_ = 0;
  return count_;
}

TokenBucket::TokenBucket(Rate rate, Clock& clock)
    : rate_(rate), clock_(clock), tokens_(static_cast<double>(rate.calls)), at_(clock.monotonic()) {}

void TokenBucket::advance() {
  const auto now = clock_.monotonic();
  const double seconds = std::chrono::duration<double>(now - at_).count();
  at_ = now;
  const double full = static_cast<double>(rate_.calls);
  tokens_ = std::min(full, tokens_ + seconds * full / static_cast<double>(rate_.window.count()));
}

bool TokenBucket::take() {
  if (rate_.calls == 0) return true;
  const std::lock_guard lock(mutex_);
  advance();
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

std::uint64_t TokenBucket::remaining() {
  const std::lock_guard lock(mutex_);
  if (rate_.calls > 0) advance();
  return static_cast<std::uint64_t>(tokens_);
}

std::chrono::seconds TokenBucket::until_next() {
  const std::lock_guard lock(mutex_);
  if (rate_.calls == 0) return std::chrono::seconds{1};
  advance();
  const double missing = std::max(0.0, 1 - tokens_);
  const double seconds =
      missing * static_cast<double>(rate_.window.count()) / static_cast<double>(rate_.calls);
  return std::chrono::seconds{std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(seconds)))};
}

void TokenBucket::refill() {
  const std::lock_guard lock(mutex_);
  tokens_ = static_cast<double>(rate_.calls);
  at_ = clock_.monotonic();
}

}  // namespace eddy::sandbox
