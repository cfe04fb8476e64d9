#include "connectors/tables/wanted.h"

#include <gtest/gtest.h>

#include <limits>

namespace eddy::connectors {
namespace {

TEST(AsWanted, ConvertsWhatLosesNothing) {
  EXPECT_EQ(as_wanted(Value::integer(1), Type::boolean), Value::boolean(true));
  EXPECT_EQ(as_wanted(Value::decimal("12.5000"), Type::decimal), Value::decimal("12.5"));
  EXPECT_EQ(as_wanted(Value::decimal("100"), Type::decimal), Value::decimal("100"));
  EXPECT_EQ(as_wanted(Value::decimal("100.000"), Type::decimal), Value::decimal("100"));
  EXPECT_EQ(as_wanted(Value::decimal("100.000"), Type::integer), Value::integer(100));
  EXPECT_EQ(as_wanted(Value::integer(7), Type::decimal), Value::decimal("7"));
  EXPECT_EQ(as_wanted(Value::integer(7), Type::real), Value::real(7));
  EXPECT_EQ(as_wanted(Value::real(7), Type::integer), Value::integer(7));
  EXPECT_EQ(as_wanted(Value::text("7"), Type::integer), Value::integer(7));
  EXPECT_EQ(as_wanted(Value::integer(7), Type::text), Value::text("7"));
  EXPECT_EQ(as_wanted(Value::date("2026-11-23"), Type::timestamp), Value::timestamp("2026-11-23T00:00:00Z"));
  EXPECT_EQ(as_wanted(Value::timestamp("2026-11-23T00:00:00Z"), Type::date), Value::date("2026-11-23"));
  EXPECT_EQ(as_wanted(Value::text("{\"a\":1}"), Type::json), Value::json("{\"a\":1}"));
  EXPECT_EQ(as_wanted(Value(), Type::text), Value());
}

TEST(AsWanted, LeavesWhatWouldLose) {
  for (const auto& [found, wanted] :
       {std::pair(Value::integer(2), Type::boolean), std::pair(Value::decimal("12.5"), Type::integer),
        std::pair(Value::decimal("9223372036854775808"), Type::integer),
        std::pair(Value::real(9223372036854775808.0), Type::integer),
        std::pair(Value::real(std::numeric_limits<double>::infinity()), Type::integer),
        std::pair(Value::real(0.5), Type::integer), std::pair(Value::text("7 "), Type::integer),
        std::pair(Value::text(""), Type::real),
        std::pair(Value::timestamp("2026-11-23T10:00:00Z"), Type::date),
        std::pair(Value::text("{"), Type::json)})
    EXPECT_EQ(as_wanted(found, wanted), found) << found.to_text();
}

}  // namespace
}  // namespace eddy::connectors
