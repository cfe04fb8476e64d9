#include "core/time_zone.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

std::string next(const std::string& zone, std::chrono::minutes at, const std::string& after) {
  return format_utc(next_time_of_day(zone, at, parse_utc(after)));
}

TEST(TimeZone, MidnightIsSomewhere) {
  EXPECT_EQ(next("America/Chicago", 0min, "2026-11-23T17:00:00Z"), "2026-11-24T06:00:00Z");
  EXPECT_EQ(next("America/Chicago", 0min, "2026-07-01T05:00:00Z"), "2026-07-02T05:00:00Z");
  EXPECT_EQ(next("America/Chicago", 0min, "2026-07-01T04:59:59Z"), "2026-07-01T05:00:00Z");
  EXPECT_EQ(next("UTC", 90min, "2026-07-01T00:00:00Z"), "2026-07-01T01:30:00Z");
  EXPECT_EQ(next("Asia/Kolkata", 0min, "2026-07-01T18:29:00Z"), "2026-07-01T18:30:00Z");
}

TEST(TimeZone, ClocksChange) {
  // Chicago: summer time ended on 1 November 2026 at 07:00 UTC.
  EXPECT_EQ(next("America/Chicago", 0min, "2026-10-31T12:00:00Z"), "2026-11-01T05:00:00Z");
  EXPECT_EQ(next("America/Chicago", 0min, "2026-11-01T05:00:00Z"), "2026-11-02T06:00:00Z");
}

TEST(TimeZone, UnknownOnesAreSaid) {
  EXPECT_TRUE(is_time_zone("Europe/Berlin"));
  EXPECT_FALSE(is_time_zone("Middle/Earth"));
  EXPECT_THROW(next_time_of_day("Middle/Earth", 0min, parse_utc("2026-07-01")), Error);
}

}  // namespace
}  // namespace eddy
