#include "sync/column_facts.h"

#include <gtest/gtest.h>

namespace eddy::sync {
namespace {

std::vector<ColumnFacts> measured(const std::string& select) {
  auto db = engine::Database::in_memory({});
  auto c = db.connect();
  c.execute("create table t as " + select);
  return measure_columns(c, "t");
}

TEST(ColumnFacts, CountsWhatMayBeAKey) {
  const auto facts = measured(
      "select i as id, case when i % 100 = 0 then null else i end as ref, case when i < 12 then 0 else i end "
      "as "
      "twice, case when i = 1 then 'A0@x.org' else 'a' || i || '@x.org' end as mail, 1 as same from "
      "range(1000) r(i)");
  EXPECT_EQ(facts[0].uniqueness(), "unique in 1,000 of 1,000 rows");
  EXPECT_TRUE(facts[0].unique());
  EXPECT_EQ(facts[1].uniqueness(), "10 null in 1,000 rows");
  EXPECT_EQ(facts[2].uniqueness(), "11 duplicates in 1,000 rows");
  EXPECT_EQ(facts[3].uniqueness(), "unique in 1,000 of 1,000 rows");
  EXPECT_EQ(facts[3].folded, 999U);
  EXPECT_EQ(facts[4].uniqueness(), "999 duplicates in 1,000 rows");
  EXPECT_FALSE(facts[4].unique());
}

TEST(ColumnFacts, InALargeModelOnlyWhatMayBeAKeyIsCounted) {
  const auto facts = measured("select i as id, i % 5 as few from range(300000) r(i)");
  EXPECT_EQ(facts[0].uniqueness(), "unique in 300,000 of 300,000 rows");
  EXPECT_EQ(facts[1].uniqueness(), "only about 5 different values in 300,000 rows");
}

TEST(ColumnFacts, RecognisesTexts) {
  const auto facts = measured(
      "select * from (values ('ada@example.com', '+49 30 901820', 'https://a.example', 'yes', '1.5', "
      "'2026-01-02', "
      "'lead'), (' Bo@example.com ', '(650) 555-1212', 'www.b.example', 'no', '-3', '2026-01-03 10:00:00', "
      "'lead'), "
      "(null, '', null, null, null, null, 'customer')) t(mail, phone, url, flag, number, day, stage)");
  EXPECT_EQ(facts[0].email_share, 1);
  EXPECT_EQ(facts[1].phone_share, 1);
  EXPECT_EQ(facts[2].url_share, 1);
  EXPECT_EQ(facts[3].boolean_share, 1);
  EXPECT_EQ(facts[4].number_share, 1);
  EXPECT_EQ(facts[5].date_share, 1);
  EXPECT_EQ(facts[5].phone_share, 0) << "a day is no phone number";
  EXPECT_EQ(facts[6].email_share, 0);
  EXPECT_EQ(facts[6].values,
            (std::vector<std::pair<std::string, std::uint64_t>>{{"lead", 2}, {"customer", 1}}));
  EXPECT_EQ(facts[0].nulls, 1U);
  EXPECT_EQ(facts[0].length_max, 16U);
}

TEST(ColumnFacts, NamesAreQuotedWhereSqlWantsIt) {
  const auto facts =
      measured("select 1 as plain_1, 2 as \"order id\", 3 as \"Name\", 4 as \"select\", [1] as list");
  EXPECT_EQ(facts[0].expression, "plain_1");
  EXPECT_EQ(facts[1].expression, "\"order id\"");
  EXPECT_EQ(facts[2].expression, "\"Name\"");
  EXPECT_EQ(facts[3].expression, "\"select\"");
  EXPECT_EQ(facts[4].distinct, 0U) << "a list is no key";
}

TEST(ColumnFacts, AnEmptyModelSaysSo) {
  const auto facts = measured("select 1 as id, 'x' as name where false");
  EXPECT_EQ(facts[0].uniqueness(), "the model has no rows");
  EXPECT_FALSE(facts[0].unique());
}

}  // namespace
}  // namespace eddy::sync
