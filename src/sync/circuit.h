// Keeps a delivery from hammering a destination that answers nobody.
//
// Closed: every worker sends. After more than two fruitless attempts per worker in a row the circuit opens:
// one worker at a time may try, with pauses that grow; one answer closes it. When all tries were in vain, by
// more than two batches (so that one poisonous row is not taken for an outage), the destination is given up
// for this run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>

#include "core/clock.h"

namespace eddy::sync {

// Thread-safe; one mutex guards all of it, and nobody sleeps while holding it.
class Circuit {
 public:
  // `next_try(n)`: when to try after n tries (0 when it has just opened) have failed. Called with the mutex
  // held: it must not call back.
  Circuit(std::size_t workers, int tries_max, std::function<Clock::MonotonicTime(int)> next_try)
      : fruitless_max_(2 * workers), tries_max_(tries_max), next_try_(std::move(next_try)) {}

  struct Entry {
    bool allowed = true;           // then the caller reports answered() or unanswered()
    bool trying = false;           // it is the one that may try while the circuit is open
    Clock::MonotonicTime until{};  // not allowed: when to ask again
  };
  Entry enter(Clock::MonotonicTime now);
  // The destination spoke: applied, refused or throttled, which of them does not matter.
  void answered();
  enum class Finding {
    attempt,  // it may be this batch's own fault: count the attempt
    outage,   // it is not: nobody is answered
    hopeless  // give the destination up
  };
  // Nothing came back, or only "unavailable", for the batch that starts with this row of the plan.
  Finding unanswered(const Entry& entry, std::uint64_t batch);
  // Nothing was sent after all.
  void leave(const Entry& entry);

 private:
  const std::size_t fruitless_max_;
  const int tries_max_;
  const std::function<Clock::MonotonicTime(int)> next_try_;
  std::mutex mutex_;
  std::size_t fruitless_ = 0;        // attempts in a row, while closed
  std::set<std::uint64_t> batches_;  // of the fruitless attempts; three are enough to know
  bool open_ = false;
  bool trying_ = false;  // somebody is, right now
  int failed_tries_ = 0;
  Clock::MonotonicTime not_before_{};
};

}  // namespace eddy::sync
