// How fast a service may be asked: request budgets shared by all workers of a connection, and what its
// replies say.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "transport/http/exchange.h"

namespace eddy::http {

// At most `max` requests in any `window`, wherever the service lays its own windows.
struct Rate {
  std::size_t max = 0;
  std::chrono::milliseconds window{0};
};

// Reads what is left from reply headers: when `remaining` says 0 (or less), hold until `reset`.
struct HeaderReader {
  enum class Reset { seconds, milliseconds, unix_time };
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

// Thread-safe. One for all workers, and all syncs, of a connection.
class Pace {
 public:
  Pace(Clock& clock, std::vector<Rate> rates, std::vector<HeaderReader> readers = {});

  // Takes one request out of every budget, waiting for it when the wait is short. Returns nullopt when the
  // request may go now; otherwise (the wait is longer than `patience`, or cancel was requested) how long to
  // stay away; nothing is taken then.
  std::optional<std::chrono::milliseconds> acquire(const Cancel& cancel,
                                                   std::chrono::milliseconds patience = std::chrono::seconds{
                                                       30});
  // Reads the headers of a reply.
  void note(const Headers& headers);
  // Nobody sends for so long.
  void hold(std::chrono::milliseconds duration);

 private:
  struct Budget {
    Rate rate;
    std::deque<Clock::MonotonicTime> sent;  // the last rate.max requests
  };
  // Takes one when it is due now and returns zero; else the time until it is.
  std::chrono::nanoseconds take_or_wait();

  Clock& clock_;
  std::mutex mutex_;
  std::vector<Budget> budgets_;
  std::vector<HeaderReader> readers_;
  std::optional<Clock::MonotonicTime> held_until_;
};

}  // namespace eddy::http
