// Ctrl-C and SIGTERM set one flag; long operations look at it between steps, finish what is in flight, and
// stop.
#pragma once

#include <atomic>

namespace eddy {

class Cancel {
 public:
  void request() { requested_.store(true, std::memory_order_relaxed); }  // async-signal-safe
  bool requested() const { return requested_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
};

}  // namespace eddy
