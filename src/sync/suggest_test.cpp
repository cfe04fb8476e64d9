#include "sync/suggest.h"

#include <gtest/gtest.h>

namespace eddy::sync {
namespace {

ObjectSchema contact() {
  ObjectSchema object{"Contact", {}, false};
  object.fields = {{"Id", Type::text, "id", false, false, true, 0, {}},
                   {"External_Id__c", Type::text, "string", false, true, true, 40, {}},
                   {"Email", Type::text, "email", false, true, true, 80, {}},
                   {"LastName", Type::text, "string", true, true, false, 80, {}},
                   {"Lifetime_Value__c", Type::real, "currency", false, true, false, 0, {}},
                   {"At_Risk__c", Type::boolean, "boolean", false, true, false, 0, {}}};
  return object;
}

TEST(Suggest, MapsByNameSynonymAndValues) {
  const std::vector<ColumnFacts> columns = {{"customer_id", Type::integer, true, 0},
                                            {"contact_address", Type::text, true, 0.97},
                                            {"ltv", Type::decimal, false, 0},
                                            {"at_risk", Type::boolean, false, 0},
                                            {"shoe_size", Type::integer, false, 0}};
  const auto s = suggest_mapping(columns, contact());
  ASSERT_FALSE(s.key.empty());
  EXPECT_EQ(s.key.front().field, "External_Id__c");
  EXPECT_EQ(s.key.front().column, "customer_id");
  ASSERT_EQ(s.fields.size(), 3U);
  EXPECT_EQ(s.fields[0].field + "=" + s.fields[0].column, "Email=contact_address");
  EXPECT_EQ(s.fields[1].field + "=" + s.fields[1].column, "Lifetime_Value__c=ltv");
  EXPECT_EQ(s.fields[2].field + "=" + s.fields[2].column, "At_Risk__c=at_risk");
  EXPECT_EQ(s.unmapped_required, std::vector<std::string>{"LastName"});
  EXPECT_EQ(s.unmapped_columns, std::vector<std::string>{"shoe_size"});
  EXPECT_NE(as_yaml(s).find("key: {External_Id__c: customer_id}"), std::string::npos);
}

TEST(Suggest, ANonUniqueColumnIsNoFirstChoiceForTheKey) {
  const std::vector<ColumnFacts> columns = {{"customer_id", Type::integer, false, 0},
                                            {"email", Type::text, true, 1}};
  const auto s = suggest_mapping(columns, contact());
  EXPECT_EQ(s.key.front().field, "Email");
}

TEST(Suggest, MeasuresOnTheRealData) {
  auto db = engine::Database::in_memory({});
  auto c = db.connect();
  c.execute("create table t as select i as id, 'a' || i || '@x.org' as mail, 1 as same from range(10) r(i)");
  const auto facts = measure_columns(c, "t");
  EXPECT_TRUE(facts[0].unique);
  EXPECT_DOUBLE_EQ(facts[1].email_share, 1.0);
  EXPECT_FALSE(facts[2].unique);
}

}  // namespace
}  // namespace eddy::sync
