#include "connectors/tables/rows.h"

#include <gtest/gtest.h>

#include "core/secrets.h"

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
  const Schema fields = {{"a", Type::text}, {"b", Type::text}};
  EXPECT_EQ(written(fields, groups[0].kept), (Schema{{"b", Type::text}}));
  EXPECT_EQ(written(fields, groups[1].kept), fields);
  EXPECT_TRUE(written(fields, groups[2].kept).empty());
}

TEST(ForPeople, CutsAtACharacterAndHidesSecrets) {
  register_secret("hush-hush-4711");
  EXPECT_EQ(for_people("it was hush-hush-4711"), "it was ***");
  std::string umlauts = "x";
  for (int i = 0; i < 400; ++i) umlauts += "ü";
  EXPECT_EQ(for_people(umlauts), umlauts.substr(0, 499) + "…");
}

}  // namespace
}  // namespace eddy::connectors
