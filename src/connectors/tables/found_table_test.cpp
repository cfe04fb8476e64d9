#include "connectors/tables/found_table.h"

#include <gtest/gtest.h>

#include "connectors/tables/testing_tables.h"

namespace eddy::connectors {
namespace {

struct SomeColumn {
  std::string name;
  Type type = Type::text;
  bool not_null = false, has_default = false, generated = false;
};
struct SomeTable {
  bool is_view = false;
  std::vector<SomeColumn> columns;
  bool has_unique_key(const std::vector<std::string>& names) const {
    return names == std::vector<std::string>{"id"};
  }
};

FoundTable people() {
  const SomeTable table{.columns = {{.name = "id", .type = Type::integer, .not_null = true},
                                    {.name = "name"},
                                    {.name = "team", .not_null = true, .has_default = true},
                                    {.name = "born", .not_null = true},
                                    {.name = "age", .not_null = true, .generated = true}}};
  return found_table("crm.people", table, [](const SomeColumn& column, sync::FieldSchema& field) {
    field.native_type = "native " + column.name;
  });
}

sync::Delivery delivery(const std::string& key, std::vector<std::string> fields,
                        sync::Mode mode = sync::Mode::upsert) {
  sync::Delivery out{.object = "people",
                     .mode = mode,
                     .key = {{key, Type::integer}},
                     .fields = {},
                     .options = {},
                     .sync = "test"};
  for (std::string& field : fields) out.fields.push_back({std::move(field), Type::text});
  return out;
}

TEST(FoundTable, IsDescribedInSyncsWords) {
  const FoundTable table = people();
  ASSERT_EQ(table.fields.size(), 5U);
  EXPECT_EQ(
      table.fields[0],
      (sync::FieldSchema{
          .name = "id", .type = Type::integer, .native_type = "native id", .required = true, .key = true}));
  EXPECT_FALSE(table.fields[1].required);
  EXPECT_FALSE(table.fields[2].required) << "it has a default";
  EXPECT_FALSE(table.fields[4].required) << "the database computes it";
  EXPECT_FALSE(table.fields[4].writable);
}

TEST(FoundTable, AsksForMoreThanADeliveryWithoutARequiredColumn) {
  EXPECT_TRUE(asks_for_more(people(), delivery("id", {"name"})));
  EXPECT_FALSE(asks_for_more(people(), delivery("id", {"born"})));
}

TEST(FoundTable, NamesTheColumnThatItDoesNotHave) {
  const Error error = testing::error_of([] { check_columns(people(), delivery("id", {"nmae"})); });
  EXPECT_EQ(error.code(), "destination.unknown_field");
  EXPECT_EQ(error.message(), "table crm.people has no column `nmae`");
  EXPECT_EQ(error.hint(), "did you mean `name`?");
  EXPECT_EQ(testing::error_of([] { check_there(people(), {{"nobody", Type::text}}); }).code(), error.code());
  EXPECT_NO_THROW(check_columns(people(), delivery("id", {"name", "team", "born"})));
}

TEST(FoundTable, WhatTheDatabaseComputesCanBeComparedButNotWritten) {
  EXPECT_EQ(testing::error_of([] { check_columns(people(), delivery("id", {"age"})); }).code(),
            "destination.read_only_field");
  EXPECT_EQ(testing::error_of([] { check_columns(people(), delivery("age", {"name"})); }).code(),
            "destination.read_only_field");
  EXPECT_NO_THROW(check_columns(people(), delivery("age", {"name"}, sync::Mode::update)));
  EXPECT_NO_THROW(check_there(people(), {{"age", Type::integer}}));
}

TEST(FoundTable, AKeyWithoutAnIndexComesWithTheStatementThatMakesIt) {
  FoundTable table = people();
  const Schema key = {{"id", Type::integer}, {"part", Type::text}};
  EXPECT_NO_THROW(check_key(table, key, true, "create it"));
  const Error error = testing::error_of([&] { check_key(table, key, false, "create it"); });
  EXPECT_EQ(error.code(), "destination.key_not_unique");
  EXPECT_NE(error.message().find("(id, part)"), std::string::npos);
  EXPECT_EQ(error.hint(), "run: create it");
  table.is_view = true;
  EXPECT_NE(testing::error_of([&] { check_key(table, key, false, "create it"); }).hint().find("view"),
            std::string::npos);
}

TEST(FoundTable, OneThatIsNotThereIsGuessedOrMade) {
  const auto hint = [](const std::string& object) {
    return testing::error_of([&] { fail_to_find("there is no such table", object, {"people"}); }).hint();
  };
  EXPECT_EQ(hint("poeple"), "did you mean `people`?");
  EXPECT_NE(hint("orders").find("create_table: true"), std::string::npos);
}

struct Name {
  std::string scope, name;
  bool operator==(const Name&) const = default;
};

TEST(FoundTable, IsNamedWithOrWithoutItsScope) {
  EXPECT_EQ(table_name<Name>("orders", "public"), (Name{"public", "orders"}));
  EXPECT_EQ(table_name<Name>("crm.orders", "public"), (Name{"crm", "orders"}));
}

TEST(FoundTable, HasNoArchive) {
  auto archives = delivery("id", {});
  EXPECT_NO_THROW(refuse_archive(archives, "a table"));
  archives.removed = sync::Removal::archive;
  EXPECT_EQ(testing::error_of([&] { refuse_archive(archives, "a table"); }).message(),
            "a table has no archive");
}

TEST(FoundTable, IsMadeOnlyWhenTheSyncSaysSo) {
  const auto options = config::Shape::object({create_table_option()});
  EXPECT_FALSE(makes_table({}));
  EXPECT_FALSE(makes_table(testing::yaml("{}", options)));
  EXPECT_FALSE(makes_table(testing::yaml("{create_table: false}", options)));
  EXPECT_TRUE(makes_table(testing::yaml("{create_table: true}", options)));
}

}  // namespace
}  // namespace eddy::connectors
