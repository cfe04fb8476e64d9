#include "connectors/tables/rows.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace eddy::connectors {
namespace {

Change masked(std::vector<bool> kept) {
  return {.key = {Value::integer(1)}, .fields = {Value(), Value()}, .changed = {}, .kept = std::move(kept)};
}

TEST(GroupByMask, TheUsualBatchIsOneGroup) {
  const std::vector<Change> changes(3, masked({}));
  const auto groups = group_by_mask(changes);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_TRUE(groups[0].kept.empty());
  EXPECT_EQ(groups[0].rows, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(GroupByMask, RowsOfOneMaskStandTogether) {
  const std::vector<Change> changes = {masked({true, false}), masked({}), masked({true, false}),
                                       masked({false, false}), masked({true, true})};
  const auto groups = group_by_mask(changes);
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups[0].rows, (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(groups[1].rows, (std::vector<std::size_t>{1, 3})) << "a mask without a kept field is none";
  EXPECT_EQ(groups[2].rows, (std::vector<std::size_t>{4}));
}

TEST(Rows, OnlyNewAndWholeOnesAreWholeAdds) {
  std::vector<Change> changes(3, masked({}));
  EXPECT_TRUE(are_whole_adds(changes));
  changes[1].kept = {true, false};
  EXPECT_FALSE(are_whole_adds(changes));
  changes[1] = masked({});
  changes[2].operation = Operation::change;
  EXPECT_FALSE(are_whole_adds(changes));
}

TEST(Rows, RemovalsThatTheSyncIgnoresEndTheRun) {
  std::vector<Change> changes(2, masked({}));
  EXPECT_FALSE(removes(changes, true));
  for (Change& change : changes) change.operation = Operation::remove;
  EXPECT_TRUE(removes(changes, false));
  EXPECT_THROW(removes(changes, true), Error);
}

}  // namespace
}  // namespace eddy::connectors
