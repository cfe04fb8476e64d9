#include "sync/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace eddy::sync {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

class BackoffTest : public ::testing::Test {
 protected:
  milliseconds elapsed() { return std::chrono::duration_cast<milliseconds>(clock_.monotonic() - start_); }
  ManualClock clock_;
  Clock::MonotonicTime start_ = clock_.monotonic();
  RetryPolicy policy_;
  bool stopping_ = false;
  Backoff backoff_{policy_, clock_, [this] { return stopping_; }};
};

TEST_F(BackoffTest, DoublesToTheMaximumWithHalfOfItRandom) {
  milliseconds full = policy_.backoff_first;
  std::set<milliseconds> different;
  for (int attempt = 1; attempt < 200; ++attempt) {
    const milliseconds pause = backoff_.pause_after(attempt);
    EXPECT_GE(pause, full / 2) << attempt;
    EXPECT_LE(pause, full) << attempt;
    full = std::min(full * 2, policy_.backoff_max);
    if (attempt > 10) different.insert(pause);
  }
  EXPECT_GT(different.size(), 100U);
}

TEST_F(BackoffTest, WhatIsAskedForHoldsAndIsCut) {
  EXPECT_EQ(backoff_.hold(42s).wait, 42s);
  EXPECT_EQ(backoff_.hold(-5s).wait, 0s);
  EXPECT_EQ(backoff_.hold(10s).wait, 10s);  // the longer one stands
  backoff_.wait_while_held();
  EXPECT_EQ(elapsed(), 42s);
  EXPECT_EQ(backoff_.hold(milliseconds::max()).wait, policy_.retry_after_max);
  backoff_.wait_while_held();
  EXPECT_EQ(elapsed(), 42s + 900s);
}

TEST_F(BackoffTest, WorkersThatAreToldTheSameAreNoNews) {
  EXPECT_TRUE(backoff_.hold(1min).news);
  clock_.advance(20ms);
  EXPECT_FALSE(backoff_.hold(1min).news);
  EXPECT_FALSE(backoff_.hold(10s).news);
  EXPECT_TRUE(backoff_.hold(2min).news);
}

TEST_F(BackoffTest, StoppingEndsEveryWaitAtOnce) {
  backoff_.hold(15min);
  stopping_ = true;
  backoff_.wait_while_held();
  backoff_.sleep_for(1h);
  EXPECT_EQ(elapsed(), 0s);
}

}  // namespace
}  // namespace eddy::sync
