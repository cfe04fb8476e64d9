#include "sync/normalization.h"

#include <gtest/gtest.h>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using enum Normalization;

class Normalizing : public ::testing::Test {
 protected:
  engine::Database database =
      engine::Database::in_memory({.memory_limit = "200MB", .spill_folder = {}, .threads = 1});
  engine::Connection connection = database.connect();

  std::string value(const std::string& text, const std::vector<Normalization>& steps,
                    const std::string& region = {}) {
    const Value cell =
        connection
            .query("select " + normalized_sql("x", steps, region) + " from (select ?::varchar as x)",
                   {Value::text(text)})
            .scalar();
    return cell.is_null() ? "null" : cell.as_string();
  }
};

TEST_F(Normalizing, EachStep) {
  EXPECT_EQ(value(" \t\u00A0a b\u3000\n", {trim}), "a b");
  EXPECT_EQ(value(" \u00A0 ", {trim}), "null");
  EXPECT_EQ(value("", {trim}), "null");
  EXPECT_EQ(value("", {lower}), "");
  EXPECT_EQ(value("ÄB", {lower}), "äb");
  EXPECT_EQ(value("äb", {upper}), "ÄB");
  EXPECT_EQ(value(" Ada@Example.com ", {email}), "ada@example.com");
  EXPECT_EQ(value("nobody", {email}), "null");
  EXPECT_EQ(value("030 901820", {e164}, "DE"), "+4930901820");
  EXPECT_EQ(value("030 901820", {e164}), "null");
  EXPECT_EQ(value("+49 30 901820", {e164}), "+4930901820");
}

TEST_F(Normalizing, StepsFollowEachOther) {
  EXPECT_EQ(value("  AbC ", {trim, upper}), "ABC");
  EXPECT_EQ(value("  AbC ", {lower}), "  abc ");
  EXPECT_EQ(value("AbC", {lower, upper}), "ABC");
}

TEST_F(Normalizing, TheExpressionStaysWhole) {
  EXPECT_EQ(normalized_sql("email", {}, ""), "email");
  const std::string sql =
      "select " + normalized_sql("a || b -- both", {trim, lower}, "") + " from (values (' A', 'B ')) t(a, b)";
  EXPECT_EQ(connection.query(sql).scalar().as_string(), "ab");
}

TEST_F(Normalizing, TextOnly) {
  const SyncSpec spec = testing::spec_of(
      "model: warehouse.people\ndestination: crm\nobject: people\nkey: {id: id}\nfields:\n"
      "  score: {value: score, normalize: [trim, lower]}\n");
  const auto problem = check_normalization(spec.fields[0], "DECIMAL(10,2)");
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->code, "sync.normalize_not_text");
  EXPECT_EQ(problem->message, "`score` is a DECIMAL(10,2); `normalize: trim` is for text");
  EXPECT_EQ(problem->hint, "leave `normalize` out, or make text of it: score::varchar");
  EXPECT_EQ(problem->position.line, 6);
  EXPECT_FALSE(check_normalization(spec.fields[0], "VARCHAR"));
  EXPECT_FALSE(check_normalization(spec.key[0], "INTEGER"));
}

TEST_F(Normalizing, RegionsAreChecked) {
  const SyncSpec spec = testing::spec_of(
      "model: warehouse.people\ndestination: crm\nobject: people\nkey: {id: id}\nfields:\n"
      "  a: {value: phone, normalize: {e164: UK}}\n"
      "  b: {value: phone, normalize: {e164: Germany}}\n"
      "  c: {value: phone, normalize: {e164: de}}\n");
  Diagnostics problems;
  check_phone_regions(spec, problems);
  ASSERT_EQ(problems.list().size(), 2u);
  EXPECT_EQ(problems.list()[0].code, "sync.unknown_region");
  EXPECT_EQ(problems.list()[0].hint, "write GB");
  EXPECT_EQ(problems.list()[1].message, "`b`: `Germany` is no region of phone numbers");
}

}  // namespace
}  // namespace eddy::sync
