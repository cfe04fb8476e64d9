// What the headers of a reply say about waiting.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "transport/http/exchange.h"

namespace eddy::http {

// Reads what is left from reply headers: when `remaining` says 0 (or less), hold until `reset`.
struct HeaderReader {
  // seconds, milliseconds: from now; unix_time: seconds since 1970; window_ms: only the length of the
  // service's window is told (HubSpot's Interval-Milliseconds), not when it ends.
  enum class Reset { seconds, milliseconds, unix_time, window_ms };
  std::string remaining;  // header name
  std::string reset;      // header name; empty: hold for `otherwise`
  Reset reset_as = Reset::seconds;
  std::chrono::milliseconds otherwise{1'000};
};

// The longest wait a service can impose on us with a header; what it says beyond is cut to this.
constexpr std::chrono::milliseconds wait_max = std::chrono::hours{1};

// Retry-After (RFC 9110 §10.2.3): seconds or an HTTP date. Absurd values are cut to wait_max; zero, negative,
// past and unreadable ones tell nothing (nullopt), so that the caller backs off by its own rule and never
// spins.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, Clock::WallTime now);

bool says_nothing_left(const HeaderReader& reader, const Headers& headers);
// How long until more is there, or with window_ms how long the window is; nullopt: at once.
std::optional<std::chrono::milliseconds> reset_told(const HeaderReader& reader, const Headers& headers,
                                                    Clock::WallTime now);

}  // namespace eddy::http
