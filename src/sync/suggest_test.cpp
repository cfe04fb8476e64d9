#include "sync/suggest.h"

#include <gtest/gtest.h>

#include "config/edit.h"
#include "core/text.h"

namespace eddy::sync {
namespace {

ObjectSchema contact() {
  ObjectSchema object{"Contact", {}, false};
  object.fields = {
      {"Id", Type::text, "id", false, false, true, 0, {}},
      {"External_Id__c", Type::text, "string", false, true, true, 40, {}},
      {"Email", Type::text, "email", false, true, true, 80, {}},
      {"LastName", Type::text, "string", true, true, false, 80, {}},
      {"Lifetime_Value__c", Type::real, "currency", false, true, false, 0, {}},
      {"At_Risk__c", Type::boolean, "boolean", false, true, false, 0, {}},
      {"Stage__c", Type::text, "picklist", false, true, false, 0, {"lead", "customer", "churned"}}};
  return object;
}

ColumnFacts column(const std::string& name, Type type = Type::text) {
  return {.name = name, .type = type, .expression = name, .rows = 100};
}
ColumnFacts unique(ColumnFacts facts) {
  facts.distinct = facts.folded = 100;
  facts.exact = true;
  return facts;
}

std::string pairs(const std::vector<Suggestion>& suggestions) {
  std::vector<std::string> out;
  for (const Suggestion& s : suggestions) out.push_back(s.field + "=" + s.column);
  return join(out, " ");
}

const Suggestion* of(const MappingSuggestion& s, const std::string& field) {
  for (const Suggestion& one : s.fields)
    if (one.field == field) return &one;
  return nullptr;
}

TEST(Suggest, MapsByNameSynonymAndValues) {
  ColumnFacts mail = unique(column("contact_address"));
  mail.email_share = 0.97;
  const auto s =
      suggest_mapping({unique(column("customer_id", Type::integer)), mail, column("ltv", Type::decimal),
                       column("at_risk", Type::boolean), column("shoe_size", Type::integer)},
                      contact());
  ASSERT_NE(s.sure_key(), nullptr);
  EXPECT_EQ(s.sure_key()->field + "=" + s.sure_key()->column, "External_Id__c=customer_id");
  EXPECT_EQ(s.sure_key()->reason.substr(0, 28), "unique in 100 of 100 rows; `");
  EXPECT_EQ(pairs(s.fields), "Email=contact_address Lifetime_Value__c=ltv At_Risk__c=at_risk");
  EXPECT_EQ(of(s, "Email")->reason, "97% of the values are e-mail addresses");
  EXPECT_EQ(s.unmapped_required, std::vector<std::string>{"LastName"});
  EXPECT_EQ(s.unmapped_columns, std::vector<std::string>{"shoe_size"});
  EXPECT_NE(as_yaml(s).find("key: {External_Id__c: customer_id}"), std::string::npos);
}

TEST(Suggest, AKeyMustTellTheRowsApart) {
  ColumnFacts id = unique(column("customer_id", Type::integer));
  id.distinct = 88, id.nulls = 3;
  ColumnFacts mail = unique(column("email"));
  mail.email_share = 1;
  const auto s = suggest_mapping({id, mail}, contact());
  EXPECT_EQ(s.key.front().field, "Email");
  EXPECT_EQ(s.key.front().value(), "{value: email, normalize: email}");
  EXPECT_EQ(s.key[1].reason,
            "9 duplicates, 3 null in 100 rows: not usable; `External_Id__c` and `customer_id` mean the same");
  const auto none = suggest_mapping({id}, contact());
  EXPECT_EQ(none.sure_key(), nullptr);
  EXPECT_NE(as_yaml(none).find("# or key: {External_Id__c: customer_id}"), std::string::npos)
      << as_yaml(none);
}

TEST(Suggest, KeysThatDifferInCaseOnlyAreTheSameThere) {
  ColumnFacts mail = unique(column("email"));
  mail.email_share = 1;
  mail.folded = 98;
  EXPECT_EQ(suggest_mapping({mail}, contact()).sure_key(), nullptr);
}

TEST(Suggest, AKeyThatIsNotUniqueThereSaysSoAndComesLast) {
  FieldSchema domain, number;
  domain.name = "domain", domain.key = true, domain.unique = false;
  number.name = "number", number.key = true;
  const ObjectSchema companies{"companies", {domain, number}, false};
  const auto alone = suggest_mapping({unique(column("domain"))}, companies);
  ASSERT_NE(alone.sure_key(), nullptr);
  EXPECT_NE(alone.sure_key()->reason.find("not unique there, several matches are rejected"),
            std::string::npos);
  const auto both = suggest_mapping({unique(column("domain")), unique(column("number"))}, companies);
  ASSERT_NE(both.sure_key(), nullptr);
  EXPECT_EQ(both.sure_key()->field, "number");
}

TEST(Suggest, AServicesOwnIdIsNotOurs) {
  EXPECT_EQ(pairs(suggest_mapping({unique(column("customer_id"))}, {"o", {contact().fields[0]}, false}).key),
            "");
}

TEST(Suggest, PickListsSpeakForAndAgainst) {
  ColumnFacts kind = column("kind");
  kind.values = {{"lead", 60}, {"customer", 40}};
  EXPECT_EQ(of(suggest_mapping({kind}, contact()), "Stage__c")->reason, "all 2 values are in its pick-list");
  ColumnFacts stage = column("stage");
  stage.values = {{"Lead", 60}, {"customer", 40}};
  const auto s = suggest_mapping({stage}, contact());
  EXPECT_EQ(of(s, "Stage__c")->reason, "same name, but 1 of 2 values are not in its pick-list");
  EXPECT_TRUE(of(s, "Stage__c")->is_sure()) << "validate tells the rows";
}

TEST(Suggest, WhatCannotBeTheFieldsIsNotSure) {
  ColumnFacts text = column("lifetime_value");
  text.number_share = 0.4;
  const auto s = suggest_mapping({text, column("at_risk", Type::date)}, contact());
  EXPECT_EQ(of(s, "Lifetime_Value__c")->reason, "same name, but only 40% of the values read as real");
  EXPECT_EQ(of(s, "At_Risk__c")->reason, "same name, but date is not boolean");
  EXPECT_TRUE(s.sure_fields().empty());
  ColumnFacts numbers = column("lifetime_value");
  numbers.number_share = 1;
  EXPECT_EQ(suggest_mapping({numbers}, contact()).sure_fields().size(), 1U);
}

TEST(Suggest, WhatIsMappedIsLeftAlone) {
  const Mapped mapped{true, {"External_Id__c", "LastName"}, {"customer_id", "surname"}};
  const auto s = suggest_mapping(
      {unique(column("customer_id")), column("surname"), column("email"), column("ltv", Type::real)},
      contact(), mapped);
  EXPECT_TRUE(s.key.empty());
  EXPECT_EQ(pairs(s.fields), "Email=email Lifetime_Value__c=ltv");
  EXPECT_TRUE(s.unmapped_required.empty());
  EXPECT_EQ(as_yaml(s, mapped).find("key"), std::string::npos);
}

TEST(Suggest, FirstAndLastNameMakeAWholeOne) {
  const ObjectSchema user{"user", {{.name = "name", .required = true}, {.name = "email"}}, false};
  const auto s = suggest_mapping({column("given_name"), column("surname"), column("email")}, user);
  ASSERT_EQ(s.fields.size(), 2U);
  EXPECT_EQ(s.fields[0].value(), "\"concat_ws(' ', given_name, surname)\"");
  EXPECT_TRUE(s.unmapped_columns.empty());
  EXPECT_TRUE(s.unmapped_required.empty());
  EXPECT_EQ(
      pairs(suggest_mapping({column("given_name"), column("surname"), column("full_name")}, user).fields),
      "name=full_name");
}

TEST(Suggest, ASecondTimeProposesNothingNew) {
  const std::vector<ColumnFacts> columns = {
      unique(column("customer_id")), column("email"), column("mail"), column("last"),
      column("ltv", Type::real),     column("status")};
  const auto first = suggest_mapping(columns, contact());
  Mapped mapped{true, {first.sure_key()->field}, {first.sure_key()->column}};
  for (const Suggestion& s : first.sure_fields())
    mapped.fields.insert(s.field), mapped.columns.insert(s.column);
  EXPECT_TRUE(suggest_mapping(columns, contact(), mapped).sure_fields().empty());
}

TEST(Suggest, KnowsManyWordsForOneThing) {
  const auto found = [](const std::string& field, const std::string& name) {
    const auto s = suggest_mapping({column(name)}, {"o", {{.name = field}}, false});
    return !s.sure_fields().empty();
  };
  EXPECT_TRUE(found("firstname", "given_name"));
  EXPECT_TRUE(found("FirstName", "first"));
  EXPECT_TRUE(found("user_fields.zip", "PostalCode"));
  EXPECT_TRUE(found("mobilephone", "cell_phone"));
  EXPECT_TRUE(found("MailingCity", "town"));
  EXPECT_FALSE(found("city", "customer_city")) << "nearly: shown, not written";
  EXPECT_FALSE(found("lastname", "first_name"));
  EXPECT_FALSE(found("ltv", "shoe_size"));
}

}  // namespace
}  // namespace eddy::sync
