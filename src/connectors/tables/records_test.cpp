#include "connectors/tables/records.h"

#include <gtest/gtest.h>

namespace eddy::connectors {
namespace {

TEST(Records, OfSeveralMatchesTheFirstGivesTheFields) {
  sync::Record record;
  const Schema fields = {{"flag", Type::boolean}, {"amount", Type::decimal}};
  for (const int n : {1, 0})
    add_match(record, fields,
              [&](std::size_t i) { return i == 0 ? Value::integer(n) : Value::decimal("12.500"); });
  EXPECT_EQ(record.matches, 2U);
  EXPECT_EQ(record.fields, (Row{Value::boolean(true), Value::decimal("12.5")}));
}

TEST(Records, ATableThatIsNotThereHasNone) {
  const std::vector<Row> keys(3, Row{Value::integer(1)});
  const auto records = EmptyReader().read(keys);
  ASSERT_EQ(records.size(), 3U);
  for (const sync::Record& record : records) EXPECT_EQ(record.matches, 0U);
}

}  // namespace
}  // namespace eddy::connectors
