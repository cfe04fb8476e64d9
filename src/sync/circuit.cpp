#include "sync/circuit.h"

#include <chrono>

namespace eddy::sync {

namespace {
constexpr std::size_t batches_enough = 3;
constexpr std::chrono::milliseconds while_trying{100};  // when to look whether the try has succeeded
}  // namespace

Circuit::Entry Circuit::enter(Clock::MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  if (!open_) return {};
  if (trying_) return {false, false, now + while_trying};
  if (now < not_before_) return {false, false, not_before_};
  trying_ = true;
  return {true, true, {}};
}

void Circuit::answered() {
  const std::lock_guard lock(mutex_);
  open_ = trying_ = false;
  fruitless_ = 0;
  failed_tries_ = 0;
  batches_.clear();
}

Circuit::Finding Circuit::unanswered(const Entry& entry, std::uint64_t batch) {
  const std::lock_guard lock(mutex_);
  if (batches_.size() < batches_enough) batches_.insert(batch);
  if (!open_) {
    open_ = ++fruitless_ > fruitless_max_;
    if (open_) not_before_ = next_try_(0);
    return Finding::attempt;
  }
  // Attempts that were under way already when it opened say nothing new.
  if (!entry.trying) return Finding::attempt;
  trying_ = false;
  not_before_ = next_try_(++failed_tries_);
  if (batches_.size() < batches_enough) return Finding::attempt;
  return failed_tries_ >= tries_max_ ? Finding::hopeless : Finding::outage;
}

void Circuit::leave(const Entry& entry) {
  const std::lock_guard lock(mutex_);
  if (entry.trying) trying_ = false;
}

}  // namespace eddy::sync
