// How fast a service may be asked: request budgets and turns shared by all workers of a connection, by all
// syncs of this process, and through a small file by the other processes on the project.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <expected>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "transport/http/rate_headers.h"
#include "transport/http/shared_words.h"

namespace eddy::http {

// At most `max` requests in any `window`, wherever the service lays its own windows.
struct Rate {
  std::size_t max = 0;
  std::chrono::milliseconds window{0};
};

struct PaceLimits {
  std::vector<Rate> rates;
  std::vector<HeaderReader> readers = {};
  std::size_t concurrency = 0;  // requests in flight at a time; 0: no limit
};

// Thread-safe. One for all workers, and all syncs, of a connection.
//
// Every request of a budget of n takes one of n places, and a place is free again a window (and a little
// more: see `margin`) after its last request left. So no window of the service, sliding or fixed, ever holds
// more than n of ours; and a budget that is used up is used wholly, in the rhythm in which it was used
// before.
//
// Time is the monotonic clock, which on Linux is one for all processes of a boot. It stands still while the
// machine sleeps: places look younger than they are then, which errs on the careful side.
class Pace {
 public:
  // `file`: where processes share the budgets, what they were told to wait, and the turns in flight; empty:
  // only this process. A damaged or unwritable file is no error (shared_words.h).
  Pace(Clock& clock, PaceLimits limits, std::filesystem::path file = {});

  // The right to send one request now; gives its turn in flight back when it dies.
  class Turn {
   public:
    Turn(Turn&& other) noexcept;
    Turn& operator=(Turn&&) = delete;
    ~Turn();
    // After the reply: the request left so long after the turn was taken (it had to connect first).
    void left_after(std::chrono::nanoseconds delay);

   private:
    friend class Pace;
    static constexpr std::size_t no_slot = static_cast<std::size_t>(-1);
    Turn(Pace& pace, std::size_t slot) : pace_(&pace), slot_(slot) {}
    Pace* pace_;
    std::size_t slot_;
    std::int64_t taken_at_ = 0;
    std::vector<std::size_t> places_;  // words, one per budget
  };

  // Takes a turn and one request out of every budget, waiting for them when the wait is short. Otherwise (the
  // wait is longer than `patience`, or cancel was requested) how long to stay away; nothing is taken then.
  std::expected<Turn, std::chrono::milliseconds> take(
      const Cancel& cancel, std::chrono::milliseconds patience = std::chrono::seconds{30});
  // Reads the headers of a reply that was no throttle.
  void note(const Headers& headers);
  // The service refused because we were too fast: nobody sends for as long as it told, in so many words or in
  // the headers; else for a second that doubles with each such refusal in a row, to a minute. Returns which.
  std::chrono::milliseconds throttled(std::optional<std::chrono::milliseconds> told, const Headers& headers);
  // Nobody sends for so long.
  void hold(std::chrono::milliseconds duration);

  bool shared() const { return words_.shared(); }

 private:
  struct Budget {
    std::size_t max = 0;
    std::chrono::milliseconds told{0};   // the service's window
    std::chrono::nanoseconds window{0};  // with the margin
    std::size_t first_word = 0;          // the next place, then the times when the places were taken
  };
  static std::vector<Budget> budgets_of(const std::vector<Rate>& rates);
  std::int64_t now() const;
  // Takes one of every budget when it is due now and returns zero; else the time until it is.
  std::chrono::nanoseconds take_or_wait(Turn& turn);
  std::optional<std::size_t> raise_any();
  // nullopt: all turns are taken and cancel was requested or patience has ended.
  std::optional<Turn> wait_for_turn(const Cancel& cancel, std::chrono::milliseconds patience);
  void give_back(std::size_t slot);
  bool used_up(std::chrono::milliseconds window);

  Clock& clock_;
  const PaceLimits limits_;
  const std::vector<Budget> budgets_;
  SharedWords words_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable given_back_;
  std::vector<bool> slots_;  // turns in flight of this process
  int throttled_in_a_row_ = 0;
};

}  // namespace eddy::http
