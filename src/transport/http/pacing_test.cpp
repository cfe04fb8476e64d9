#include "transport/http/pacing.h"

#include <gtest/gtest.h>

#include <thread>

namespace eddy::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const Clock::WallTime now{std::chrono::seconds{1'700'000'000}};  // 2023-11-14T22:13:20Z

TEST(RetryAfter, Seconds) {
  EXPECT_EQ(parse_retry_after("27", now), 27s);
  EXPECT_EQ(parse_retry_after(" 3 ", now), 3s);
  EXPECT_EQ(parse_retry_after("0.5", now), 500ms);
}

TEST(RetryAfter, HttpDate) {
  EXPECT_EQ(parse_retry_after("Tue, 14 Nov 2023 22:14:20 GMT", now), 60s);
  EXPECT_EQ(parse_retry_after("Tue, 14 Nov 2023 22:13:19 GMT", now), std::nullopt);
}

TEST(RetryAfter, AbsurdIsCut) {
  EXPECT_EQ(parse_retry_after("999999999999", now), wait_max);
  EXPECT_EQ(parse_retry_after("1e400", now), wait_max);
  EXPECT_EQ(parse_retry_after("inf", now), wait_max);
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now), wait_max);
}

TEST(RetryAfter, TellsNothing) {
  for (const char* value : {"0", "-5", "-1e400", "", "soon", "5 minutes", "nan", "Tue, 14 Nov 2023",
                            "Tue, 99 Nov 2023 22:14:20 GMT"})
    EXPECT_EQ(parse_retry_after(value, now), std::nullopt) << value;
}

class PaceTest : public ::testing::Test {
 protected:
  milliseconds elapsed() { return std::chrono::duration_cast<milliseconds>(clock_.monotonic() - start_); }
  ManualClock clock_;
  Clock::MonotonicTime start_ = clock_.monotonic();
  Cancel cancel_;
};

TEST_F(PaceTest, NeverMoreThanMaxInAnyWindow) {
  Pace pace(clock_, {{10, 1s}});
  std::vector<milliseconds> sent;
  for (int i = 0; i < 95; ++i) {
    ASSERT_EQ(pace.acquire(cancel_), std::nullopt);
    sent.push_back(elapsed());
    clock_.advance(7ms);
  }
  for (std::size_t i = 10; i < sent.size(); ++i) EXPECT_GE(sent[i] - sent[i - 10], 1s) << i;
  // 95 requests at 10 a second need nine full windows, and no more than a slice beyond.
  EXPECT_LE(sent.back(), 9s + 500ms);
}

TEST_F(PaceTest, TheTightestBudgetDecides) {
  Pace pace(clock_, {{100, 1s}, {2, 10s}});
  for (int i = 0; i < 4; ++i) ASSERT_EQ(pace.acquire(cancel_), std::nullopt);
  EXPECT_EQ(elapsed(), 10s);
}

TEST_F(PaceTest, ALongWaitIsGivenBackAndTakesNothing) {
  Pace pace(clock_, {{1, 1h}});
  ASSERT_EQ(pace.acquire(cancel_), std::nullopt);
  EXPECT_EQ(pace.acquire(cancel_, 30s), 1h);
  EXPECT_EQ(elapsed(), 0ms);
  clock_.advance(1h);
  EXPECT_EQ(pace.acquire(cancel_), std::nullopt);
}

TEST_F(PaceTest, CancelEndsTheWait) {
  Pace pace(clock_, {{1, 10s}});
  ASSERT_EQ(pace.acquire(cancel_), std::nullopt);
  cancel_.request();
  EXPECT_EQ(pace.acquire(cancel_), 10s);
  EXPECT_EQ(elapsed(), 0ms);
}

TEST_F(PaceTest, HoldIsForEverybody) {
  Pace pace(clock_, {});
  pace.hold(5s);
  pace.hold(2s);  // the longer one stands
  ASSERT_EQ(pace.acquire(cancel_), std::nullopt);
  EXPECT_EQ(elapsed(), 5s);
}

TEST_F(PaceTest, HeadersWithNothingLeftHold) {
  Pace pace(clock_, {},
            {{.remaining = "X-Left",
              .reset = "X-Reset",
              .reset_as = HeaderReader::Reset::seconds,
              .otherwise = 1s}});
  pace.note({{"x-left", "3"}, {"x-reset", "9"}});
  ASSERT_EQ(pace.acquire(cancel_), std::nullopt);
  EXPECT_EQ(elapsed(), 0ms);
  pace.note({{"x-left", "0"}, {"x-reset", "9"}});
  ASSERT_EQ(pace.acquire(cancel_), std::nullopt);
  EXPECT_EQ(elapsed(), 9s);
}

TEST_F(PaceTest, ResetAsUnixTimeMillisecondsOrMissing) {
  const auto unix_now =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
  Pace unix_pace(
      clock_, {},
      {{.remaining = "L", .reset = "R", .reset_as = HeaderReader::Reset::unix_time, .otherwise = 1s}});
  unix_pace.note({{"L", "0"}, {"R", std::to_string(unix_now + 4)}});
  ASSERT_EQ(unix_pace.acquire(cancel_), std::nullopt);
  EXPECT_EQ(elapsed(), 4s);

  Pace ms_pace(
      clock_, {},
      {{.remaining = "L", .reset = "R", .reset_as = HeaderReader::Reset::milliseconds, .otherwise = 1s}});
  ms_pace.note({{"L", "-1"}, {"R", "500"}});
  ASSERT_EQ(ms_pace.acquire(cancel_), std::nullopt);
  EXPECT_EQ(elapsed(), 4s + 500ms);

  ms_pace.note({{"L", "0"}});
  ASSERT_EQ(ms_pace.acquire(cancel_), std::nullopt);
  EXPECT_EQ(elapsed(), 5s + 500ms);
  ms_pace.note({{"L", "many"}});
  ASSERT_EQ(ms_pace.acquire(cancel_), std::nullopt);
  EXPECT_EQ(elapsed(), 5s + 500ms);
}

TEST_F(PaceTest, WorkersShareOneBudget) {
  Pace pace(clock_, {{8, 1h}});
  std::atomic<int> went{0};
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < 4; ++w)
      workers.emplace_back([&] {
        for (int i = 0; i < 10; ++i)
          if (!pace.acquire(cancel_, 0ms)) ++went;
      });
  }
  EXPECT_EQ(went, 8);
}

}  // namespace
}  // namespace eddy::http
