#include "transport/http/pacing.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <thread>

#include "support/scratch.h"

namespace eddy::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

class PaceTest : public ::testing::Test {
 protected:
  milliseconds elapsed() { return std::chrono::duration_cast<milliseconds>(clock_.monotonic() - start_); }
  bool goes(Pace& pace, milliseconds patience = 30s) { return pace.take(cancel_, patience).has_value(); }
  ManualClock clock_;
  Clock::MonotonicTime start_ = clock_.monotonic();
  Cancel cancel_;
};

TEST_F(PaceTest, NeverMoreThanMaxInAnyWindow) {
  Pace pace(clock_, {.rates = {{10, 1s}}});
  std::vector<milliseconds> sent;
  for (int i = 0; i < 95; ++i) {
    ASSERT_TRUE(goes(pace));
    sent.push_back(elapsed());
    clock_.advance(7ms);
  }
  for (std::size_t i = 10; i < sent.size(); ++i) EXPECT_GE(sent[i] - sent[i - 10], 1s) << i;
  // 95 requests at 10 a second need nine full windows, with the margin, and no more than a slice beyond.
  EXPECT_LE(sent.back(), 9s + 9 * 20ms + 300ms);
}

TEST_F(PaceTest, TheTightestBudgetDecides) {
  Pace pace(clock_, {.rates = {{100, 1s}, {2, 10s}}});
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(goes(pace));
  EXPECT_EQ(elapsed(), 10s + 100ms);
}

TEST_F(PaceTest, ALongWaitIsGivenBackAndTakesNothing) {
  Pace pace(clock_, {.rates = {{1, 1h}}});
  ASSERT_TRUE(goes(pace));
  EXPECT_EQ(pace.take(cancel_, 30s).error(), 1h + 250ms);
  EXPECT_EQ(elapsed(), 0ms);
  clock_.advance(1h + 250ms);
  EXPECT_TRUE(goes(pace, 0ms));
}

TEST_F(PaceTest, CancelEndsTheWait) {
  Pace pace(clock_, {.rates = {{1, 10s}}});
  ASSERT_TRUE(goes(pace));
  cancel_.request();
  EXPECT_EQ(pace.take(cancel_).error(), 10s + 100ms);
  EXPECT_EQ(elapsed(), 0ms);
}

TEST_F(PaceTest, HoldIsForEverybody) {
  Pace pace(clock_, {});
  pace.hold(5s);
  pace.hold(2s);  // the longer one stands
  ASSERT_TRUE(goes(pace));
  EXPECT_EQ(elapsed(), 5s);
  pace.hold(1000h);  // cut
  EXPECT_EQ(pace.take(cancel_).error(), wait_max);
}

TEST_F(PaceTest, HeadersWithNothingLeftHold) {
  Pace pace(clock_, {.rates = {}, .readers = {{.remaining = "X-Left", .reset = "X-Reset"}}});
  pace.note({{"x-left", "3"}, {"x-reset", "9"}});
  ASSERT_TRUE(goes(pace));
  EXPECT_EQ(elapsed(), 0ms);
  pace.note({{"x-left", "0"}, {"x-reset", "9"}});
  ASSERT_TRUE(goes(pace));
  EXPECT_EQ(elapsed(), 9s);
}

// A service that tells its window only: what we have used ourselves is known exactly; what others used is
// not.
TEST_F(PaceTest, AWindowToldHoldsOnlyWhenOthersUsedIt) {
  using Reset = HeaderReader::Reset;
  Pace pace(clock_, {.rates = {{2, 10s}},
                     .readers = {{.remaining = "Left", .reset = "Interval", .reset_as = Reset::window_ms}}});
  ASSERT_TRUE(goes(pace));
  pace.note({{"Left", "0"}, {"Interval", "10000"}});  // but we have sent one of two
  ASSERT_TRUE(goes(pace));
  EXPECT_EQ(elapsed(), 1s);
  pace.note({{"Left", "0"}, {"Interval", "10000"}});  // now both are ours
  ASSERT_TRUE(goes(pace));
  EXPECT_EQ(elapsed(), 10s + 100ms);
}

TEST_F(PaceTest, ThrottledWithoutAWordWaitsLongerEachTime) {
  Pace pace(clock_, {.rates = {}, .readers = {{.remaining = "Left", .reset = "Reset"}}});
  EXPECT_EQ(pace.throttled(std::nullopt, {}), 1s);
  EXPECT_EQ(pace.throttled(std::nullopt, {}), 2s);
  EXPECT_EQ(pace.throttled(42s, {}), 42s);
  EXPECT_EQ(pace.throttled(std::nullopt, {}), 8s);
  EXPECT_EQ(pace.throttled(std::nullopt, {{"Left", "0"}, {"Reset", "3"}}), 3s);
  for (int i = 0; i < 40; ++i) pace.throttled(std::nullopt, {});
  EXPECT_EQ(pace.throttled(std::nullopt, {}), 60s);
  pace.note({});
  EXPECT_EQ(pace.throttled(std::nullopt, {}), 1s);
}

TEST_F(PaceTest, WorkersShareOneBudget) {
  Pace pace(clock_, {.rates = {{8, 1h}}});
  std::atomic<int> went{0};
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < 4; ++w)
      workers.emplace_back([&] {
        for (int i = 0; i < 10; ++i) went += goes(pace, 0ms);
      });
  }
  EXPECT_EQ(went, 8);
}

TEST_F(PaceTest, ABudgetTooLargeForTheFileIsCutIntoParts) {
  Pace pace(clock_, {.rates = {{650'000, 24h}}});
  int went = 0;
  while (goes(pace, 0ms)) ++went;
  EXPECT_EQ(went, 65'000);  // of 650,000 a day in a tenth of a day
  EXPECT_NEAR(std::chrono::duration<double>(pace.take(cancel_, 0ms).error()).count(), 8'640.25, 0.01);
}

TEST_F(PaceTest, NoMoreTurnsInFlightThanAllowed) {
  Pace pace(clock_, {.rates = {}, .readers = {}, .concurrency = 2});
  auto one = pace.take(cancel_), two = pace.take(cancel_);
  ASSERT_TRUE(one && two);
  EXPECT_FALSE(pace.take(cancel_, 0ms));
  { const Pace::Turn done = std::move(*one); }
  EXPECT_TRUE(pace.take(cancel_, 0ms));
}

// What a service sees: requests arrive a little late, each by another delay. Under either way of counting it
// refuses nothing, and after the first window nearly all of the quota is used.
struct Service {
  std::vector<milliseconds> arrivals;
  int refused_sliding = 0, refused_fixed = 0;
  void arrive(milliseconds at) {
    const auto in_last =
        std::count_if(arrivals.begin(), arrivals.end(), [&](milliseconds t) { return t > at - 10s; });
    refused_sliding += in_last >= 190;
    const auto in_this =
        std::count_if(arrivals.begin(), arrivals.end(), [&](milliseconds t) { return t / 10s == at / 10s; });
    refused_fixed += in_this >= 190;
    arrivals.push_back(at);
  }
};

TEST_F(PaceTest, AQuotaIsUsedAndNotOverrun) {
  for (const auto spent_each : {2ms, 30ms, 52ms}) {
    Pace pace(clock_, {.rates = {{190, 10s}}});
    Service service;
    std::minstd_rand random(7);
    clock_.advance(3'333ms);
    const auto begin = clock_.monotonic();
    const auto since = [&] { return std::chrono::duration_cast<milliseconds>(clock_.monotonic() - begin); };
    while (since() < 100s) {
      ASSERT_TRUE(goes(pace));
      service.arrive(since() + milliseconds{random() % 90});
      clock_.advance(spent_each);
    }
    EXPECT_EQ(service.refused_sliding, 0);
    EXPECT_EQ(service.refused_fixed, 0);
    EXPECT_GE(static_cast<double>(service.arrivals.size()), 0.95 * 1'900) << spent_each;
  }
}

TEST_F(PaceTest, ARequestCountsFromWhenItLeft) {
  Pace pace(clock_, {.rates = {{1, 10s}}});
  {
    auto turn = pace.take(cancel_);
    clock_.advance(2s);
    turn->left_after(1'500ms);  // name, connection, TLS
  }
  ASSERT_TRUE(goes(pace));
  EXPECT_EQ(elapsed(), 11'600ms);
}

class SharedPaceTest : public PaceTest {
 protected:
  std::filesystem::path file() const { return scratch_ / ".eddy/pace/hubspot.pace"; }
  // Exit code of a process that runs `work`.
  static int in_child(const std::function<int()>& work) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  testing::Scratch scratch_;
};

TEST_F(SharedPaceTest, TwoProcessesShareOneBudget) {
  const auto requests_that_go = [&] {
    Pace pace(clock_, {.rates = {{20, 1h}}}, file());
    int went = 0;
    for (int i = 0; i < 50; ++i) went += goes(pace, 0ms);
    return went;
  };
  std::array<pid_t, 2> children{};
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  for (pid_t& child : children)
    if (child = ::fork(); child == 0) {
      const auto went = static_cast<char>(requests_that_go());
      ::_exit(::write(pipe[1], &went, 1) == 1 ? 0 : 1);
    }
  int went = 0;
  for (const pid_t child : children) {
    char one = 0;
    ASSERT_EQ(::read(pipe[0], &one, 1), 1);
    went += one;
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(went, 20);
  EXPECT_EQ(requests_that_go(), 0);  // and they stay spent after both have ended
}

TEST_F(SharedPaceTest, WhatOneProcessIsToldHoldsForTheOther) {
  Pace here(clock_, {}, file());
  EXPECT_EQ(in_child([&] {
              Pace there(clock_, {}, file());
              there.throttled(40s, {});
              return 0;
            }),
            0);
  EXPECT_EQ(here.take(cancel_, 30s).error(), 40s);
}

TEST_F(SharedPaceTest, OtherConnectionsProceed) {
  Pace one(clock_, {}, file()), other(clock_, {}, scratch_ / ".eddy/pace/zendesk.pace");
  one.throttled(40s, {});
  EXPECT_TRUE(goes(other, 0ms));
  EXPECT_FALSE(goes(one, 0ms));
}

TEST_F(SharedPaceTest, TurnsInFlightAreSharedAndDieWithTheirProcess) {
  Pace here(clock_, {.rates = {}, .readers = {}, .concurrency = 3}, file());
  auto mine = here.take(cancel_, 0ms);
  ASSERT_TRUE(mine);
  std::array<int, 2> ready{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    Pace there(clock_, {.rates = {}, .readers = {}, .concurrency = 3}, file());
    auto a = there.take(cancel_, 0ms), b = there.take(cancel_, 0ms), c = there.take(cancel_, 0ms);
    const char went = static_cast<char>(a.has_value() + b.has_value() + c.has_value());
    if (::write(ready[1], &went, 1) != 1) ::_exit(1);
    ::pause();
  }
  char went = 0;
  ASSERT_EQ(::read(ready[0], &went, 1), 1);
  EXPECT_EQ(went, 2);
  EXPECT_FALSE(here.take(cancel_, 0ms));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(here.take(cancel_, 0ms));
}

TEST_F(SharedPaceTest, AProcessKilledAtAnyMomentHoldsNothing) {
  Pace here(clock_, {.rates = {{100'000, 1h}}}, file());
  for (int round = 0; round < 20; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      Pace there(clock_, {.rates = {{100'000, 1h}}}, file());
      for (;;) there.take(cancel_, 0ms);
    }
    std::this_thread::sleep_for(2ms);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ASSERT_TRUE(goes(here, 0ms));
    ASSERT_TRUE(here.shared());
  }
}

TEST_F(SharedPaceTest, ADamagedFileIsMadeAnew) {
  const auto budget = PaceLimits{.rates = {{2, 1h}}};
  const std::vector<std::function<void()>> damages = {
      [&] { std::ofstream(file(), std::ios::trunc) << "garbage"; },
      [&] { std::filesystem::resize_file(file(), 20); }, [&] { std::filesystem::resize_file(file(), 0); },
      [&] { std::filesystem::remove(file()); },
      [&] {  // the head is whole, the words are not
        std::fstream words(file(), std::ios::in | std::ios::out | std::ios::binary);
        words.seekp(24);
        for (int i = 0; i < 32; ++i) words.put('\x7f');
      }};
  for (std::size_t i = 0; i < damages.size(); ++i) {
    Pace running(clock_, budget, file());
    goes(running, 0ms);
    damages[i]();
    // Both the one that was running and one that starts now go on, together.
    EXPECT_TRUE(goes(running, 0ms)) << i;
    Pace fresh(clock_, budget, file());
    EXPECT_TRUE(goes(fresh, 0ms)) << i;
    EXPECT_FALSE(goes(fresh, 0ms)) << i;
    EXPECT_FALSE(goes(running, 0ms)) << i;
    EXPECT_TRUE(running.shared() && fresh.shared()) << i;
    std::filesystem::remove(file());
  }
}

TEST_F(SharedPaceTest, WhereNothingCanBeWrittenEverybodyIsAlone) {
  Pace pace(clock_, {.rates = {{2, 1h}}}, "/proc/no/such/folder/x.pace");
  EXPECT_FALSE(pace.shared());
  EXPECT_TRUE(goes(pace, 0ms));
  EXPECT_TRUE(goes(pace, 0ms));
  EXPECT_FALSE(goes(pace, 0ms));
}

TEST_F(SharedPaceTest, OtherSettingsAreAnotherBudget) {
  Pace before(clock_, {.rates = {{2, 1h}}}, file());
  ASSERT_TRUE(goes(before, 0ms));
  Pace after(clock_, {.rates = {{5, 1h}}}, file());
  int went = 0;
  while (goes(after, 0ms)) ++went;
  EXPECT_EQ(went, 5);
  EXPECT_TRUE(goes(before, 0ms));  // goes on alone, and leaves the file as it is
  EXPECT_FALSE(before.shared());
  EXPECT_FALSE(goes(after, 0ms));
}

}  // namespace
}  // namespace eddy::http
