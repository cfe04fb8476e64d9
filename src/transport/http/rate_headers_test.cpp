#include "transport/http/rate_headers.h"

#include <gtest/gtest.h>

namespace eddy::http {
namespace {

using namespace std::chrono_literals;

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

TEST(RateHeaders, ResetInEveryForm) {
  using Reset = HeaderReader::Reset;
  const auto told = [](Reset as, const std::string& value) {
    return reset_told({.remaining = "Left", .reset = "Reset", .reset_as = as, .otherwise = 7s},
                      {{"reset", value}}, now);
  };
  EXPECT_EQ(told(Reset::seconds, "12"), 12s);
  EXPECT_EQ(told(Reset::milliseconds, "12"), 12ms);
  EXPECT_EQ(told(Reset::window_ms, "10000"), 10s);
  EXPECT_EQ(told(Reset::unix_time, "1700000030"), 30s);
  EXPECT_EQ(told(Reset::unix_time, "1699999999"), std::nullopt);  // over
  EXPECT_EQ(told(Reset::seconds, "99999999999"), wait_max);
  EXPECT_EQ(told(Reset::seconds, "-3"), std::nullopt);
  EXPECT_EQ(told(Reset::seconds, "soon"), 7s);
}

TEST(RateHeaders, NothingLeftIsZeroOrLess) {
  const HeaderReader reader{.remaining = "Left", .reset = "Reset"};
  EXPECT_TRUE(says_nothing_left(reader, {{"left", "0"}}));
  EXPECT_TRUE(says_nothing_left(reader, {{"left", "-2"}}));
  EXPECT_FALSE(says_nothing_left(reader, {{"left", "1"}}));
  EXPECT_FALSE(says_nothing_left(reader, {{"left", "many"}}));
  EXPECT_FALSE(says_nothing_left(reader, {}));
}

}  // namespace
}  // namespace eddy::http
