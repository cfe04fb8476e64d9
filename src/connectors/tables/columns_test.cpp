#include "connectors/tables/columns.h"

#include <gtest/gtest.h>

namespace eddy::connectors {
namespace {

const Schema fields = {{"a", Type::text}, {"b", Type::text}};

TEST(Columns, WhatIsKeptIsNotWritten) {
  EXPECT_EQ(written(fields, {true, false}), (Schema{{"b", Type::text}}));
  EXPECT_EQ(written(fields, {}), fields);
  EXPECT_EQ(written(fields, {true}), (Schema{{"b", Type::text}})) << "a mask may be shorter";
  EXPECT_TRUE(written(fields, {true, true}).empty());
}

TEST(Columns, AreListedThroughAPattern) {
  const auto quote = [](std::string_view name) { return "<" + std::string(name) + ">"; };
  EXPECT_EQ(each(names_of(fields), quote, "t.{0} = s.{0}", " and "), "t.<a> = s.<a> and t.<b> = s.<b>");
  EXPECT_EQ(each({}, quote, "{0}", ", "), "");
}

}  // namespace
}  // namespace eddy::connectors
