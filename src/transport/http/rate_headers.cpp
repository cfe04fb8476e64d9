#include "transport/http/rate_headers.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "core/text.h"

namespace eddy::http {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

namespace {

std::optional<double> number_in(std::string_view text) {
  const std::string clean = trim(text);
  double value = 0;
  const auto [end, error] = std::from_chars(clean.data(), clean.data() + clean.size(), value);
  // "1e400" is out of range but surely a number, and surely too long.
  if (error == std::errc::result_out_of_range) return clean.starts_with('-') ? -1e18 : 1e18;
  if (error != std::errc{} || end != clean.data() + clean.size()) return std::nullopt;
  return value;
}

std::optional<milliseconds> sensible(double ms) {
  if (!(ms > 0)) return std::nullopt;
  if (ms >= static_cast<double>(wait_max.count())) return wait_max;
  return milliseconds{std::max<std::int64_t>(1, static_cast<std::int64_t>(ms))};
}

// "Sun, 06 Nov 1994 08:49:37 GMT", the only form a server may generate (RFC 9110 §5.6.7).
std::optional<Clock::WallTime> parse_http_date(const std::string& text) {
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{parts.tm_year + 1900},
                                         std::chrono::month{static_cast<unsigned>(parts.tm_mon + 1)},
                                         std::chrono::day{static_cast<unsigned>(parts.tm_mday)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{parts.tm_hour} +
         std::chrono::minutes{parts.tm_min} + std::chrono::seconds{parts.tm_sec};
}

double ms_between(Clock::WallTime from, Clock::WallTime to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

}  // namespace

std::optional<milliseconds> parse_retry_after(std::string_view value, Clock::WallTime now) {
  if (const auto seconds = number_in(value)) return sensible(*seconds * 1000);
  if (const auto date = parse_http_date(trim(value))) return sensible(ms_between(now, *date));
  return std::nullopt;
}

std::optional<milliseconds> reset_told(const HeaderReader& reader, const Headers& headers,
                                       Clock::WallTime now) {
  const auto text = reader.reset.empty() ? std::nullopt : headers.get(reader.reset);
  const auto number = text ? number_in(*text) : std::nullopt;
  if (!number) return reader.otherwise;
  switch (reader.reset_as) {
    case HeaderReader::Reset::seconds:
      return sensible(*number * 1000);
    case HeaderReader::Reset::milliseconds:
    case HeaderReader::Reset::window_ms:
      return sensible(*number);
    case HeaderReader::Reset::unix_time:
      return sensible(*number * 1000 -
                      std::chrono::duration<double, std::milli>(now.time_since_epoch()).count());
  }
  return std::nullopt;
}

bool says_nothing_left(const HeaderReader& reader, const Headers& headers) {
  const auto text = headers.get(reader.remaining);
  const auto left = text ? number_in(*text) : std::nullopt;
  return left && *left <= 0;
}

}  // namespace eddy::http
