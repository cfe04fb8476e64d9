#include "sync/backoff.h"

#include <algorithm>

namespace eddy::sync {

using std::chrono::milliseconds;

namespace {
constexpr milliseconds look_up_every{100};
}

Backoff::Held Backoff::hold(milliseconds asked) {
  const milliseconds wait = std::clamp(asked, milliseconds{0}, policy_.retry_after_max);
  const std::lock_guard lock(mutex_);
  const auto until = clock_.monotonic() + wait, before = held_until_;
  held_until_ = std::max(before, until);
  return {wait, until > before + std::chrono::seconds{5}};
}

milliseconds Backoff::pause_after(int attempts) {
  milliseconds pause = policy_.backoff_max;
  if (attempts < 20) pause = std::min<milliseconds>(pause, policy_.backoff_first * (1LL << (attempts - 1)));
  const std::lock_guard lock(mutex_);
  std::uniform_int_distribution<long long> half(0, pause.count() / 2);
  return pause / 2 + milliseconds(half(random_));
}

void Backoff::sleep_until(Clock::MonotonicTime until) {
  for (auto now = clock_.monotonic(); now < until && !stopping_(); now = clock_.monotonic())
    clock_.sleep_for(std::min<std::chrono::nanoseconds>(until - now, look_up_every));
}

void Backoff::wait_while_held() {
  for (;;) {
    Clock::MonotonicTime until;
    {
      const std::lock_guard lock(mutex_);
      until = held_until_;
    }
    if (clock_.monotonic() >= until || stopping_()) return;
    sleep_until(until);
  }
}

}  // namespace eddy::sync
