#include "sync/pii.h"

#include <gtest/gtest.h>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

const PersonalColumns personal = {{"warehouse.people", {"email", "phone"}}, {"clean.staff", {"name"}}};

class PiiTest : public ::testing::Test {
 protected:
  engine::Database database =
      engine::Database::in_memory({.memory_limit = "200MB", .spill_folder = {}, .threads = 1});
  engine::Connection connection = database.connect();
  Diagnostics problems;

  SyncSpec guarded(const std::string& field, PiiPolicy policy) {
    const SyncSpec spec = testing::spec_of(
        "model: warehouse.people\ndestination: crm\nobject: people\nkey: {id: id}\nfields:\n  x: " + field +
        "\n");
    problems = {};
    return with_pii_policy(connection, spec, personal, policy, problems);
  }
  std::string hashed(const std::string& field) {
    const std::string out = guarded(field, PiiPolicy::hash).fields[0].expression;
    problems.throw_if_any();
    return out;
  }
  bool blocks(const std::string& field) {
    guarded(field, PiiPolicy::block);
    return !problems.empty() && problems.list()[0].code == "sync.pii_blocked";
  }
  std::string value(const std::string& expression) {
    const Value cell = connection
                           .query("select " + expression +
                                  " from (select ' Ada@X.org' as email, '030 901820' as phone, 7 as id, "
                                  "{'domain': 'x'} as contact) people")
                           .scalar();
    return cell.is_null() ? "null" : cell.to_text();
  }
};

TEST_F(PiiTest, AllowTouchesNothing) {
  EXPECT_EQ(guarded("not SQL at all (", PiiPolicy::allow).fields[0].expression, "not SQL at all (");
  EXPECT_TRUE(problems.empty());
}

TEST_F(PiiTest, BlockNamesFieldColumnAndDestination) {
  guarded("lower(email)", PiiPolicy::block);
  ASSERT_EQ(problems.list().size(), 1u);
  const Diagnostic& d = problems.list()[0];
  EXPECT_EQ(d.code, "sync.pii_blocked");
  EXPECT_EQ(d.message,
            "`x` reads warehouse.people.email, marked as personal data; `crm` takes none (pii: block)");
  EXPECT_EQ(d.position.file, "syncs/people.yml");
  EXPECT_EQ(d.position.line, 6);
  EXPECT_EQ(d.position.column, 6);
  EXPECT_NE(d.hint.find("x: {value: …, pii: false}"), std::string::npos);
}

TEST_F(PiiTest, WhateverMayReadAPersonalColumn) {
  for (const std::string expression :
       {"email", "EMAIL", "people.email", "warehouse.people.email", "memory.warehouse.people.phone",
        "coalesce(plan, phone)", "case when email is null then 1 else 2 end", "people", "to_json(people)",
        "warehouse.people", "'a' || \"email\"", "eddy_email_sha256(email)", "email.domain",
        "struct_pack(*columns('e.*'))", "#1", "(select max(name) from clean.staff)",
        "(select any_value(s) from clean.staff s)", "(select max(p.email) from warehouse.people p)",
        "list_transform([1], lambda i: email)"})
    EXPECT_TRUE(blocks("\"" + replace_all(replace_all(expression, "\\", "\\\\"), "\"", "\\\"") + "\""))
        << expression;
  for (const std::string expression :
       {"id", "plan || score", "'email'", "count(*) over ()", "emails", "staff.id", "name",
        "(select max(id) from clean.staff)", "(select count(*) from clean.staff where boss = people.id)"})
    EXPECT_FALSE(blocks("\"" + expression + "\"")) << expression;
}

TEST_F(PiiTest, AMappingHasTheLastWord) {
  EXPECT_FALSE(blocks("{value: email, pii: false}"));
  EXPECT_TRUE(blocks("{value: plan, pii: true}"));
  EXPECT_EQ(problems.list()[0].message, "`x` is marked as personal data; `crm` takes none (pii: block)");
  EXPECT_EQ(hashed("{value: email, pii: false}"), "email");
  EXPECT_TRUE(hashed("{value: plan, pii: true}").starts_with("eddy_sha256("));
}

TEST_F(PiiTest, HashOfTheNormalizedValue) {
  EXPECT_EQ(value(hashed("email")), value("sha256('ada@x.org')"));
  EXPECT_EQ(value(hashed("email -- the address")), value("sha256('ada@x.org')"));
  EXPECT_EQ(value(hashed("{value: email, normalize: email}")), value("eddy_email_sha256(email)"));
  EXPECT_EQ(value(hashed("{value: email, normalize: trim}")), value("sha256('Ada@X.org')"));
  EXPECT_EQ(value(hashed("{value: phone, normalize: {e164: DE}}")), value("sha256('+4930901820')"));
  EXPECT_EQ(value(hashed("{value: id, pii: true}")), value("sha256('7')"));
  EXPECT_EQ(value(hashed("nullif(email, email)")), "null");
  EXPECT_EQ(value(hashed("{value: \"'  '\", pii: true}")), "null");
  EXPECT_TRUE(guarded("{value: email, normalize: email}", PiiPolicy::hash).fields[0].normalize.empty());
}

TEST_F(PiiTest, WhatIsHashedAlreadyStays) {
  EXPECT_EQ(hashed("eddy_email_sha256(email)"), "eddy_email_sha256(email)");
  EXPECT_EQ(hashed("eddy_hmac_sha256(email, 'k')"), "eddy_hmac_sha256(email, 'k')");
  EXPECT_NE(hashed("eddy_sha256(phone) || email"), "eddy_sha256(phone) || email");
  EXPECT_EQ(hashed("plan"), "plan");
}

TEST_F(PiiTest, KeysAndRemovedValuesToo) {
  SyncSpec spec = testing::spec_of(
      "model: Warehouse.People\ndestination: crm\nobject: people\nkey: {mail: email}\nfields: {plan: plan}\n"
      "removed: {set: {gone: \"(select max(name) from clean.staff)\"}}\n");
  const SyncSpec out = with_pii_policy(connection, spec, personal, PiiPolicy::hash, problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(value(out.key[0].expression), value("sha256('ada@x.org')"));
  EXPECT_EQ(out.fields[0].expression, "plan");
  EXPECT_TRUE(out.removed_values[0].expression.starts_with("eddy_sha256("));
  with_pii_policy(connection, spec, personal, PiiPolicy::block, problems);
  EXPECT_EQ(problems.list().size(), 2u);
}

TEST_F(PiiTest, WhatCannotBeReadIsNotSent) {
  guarded("lower(email", PiiPolicy::hash);
  ASSERT_EQ(problems.list().size(), 1u);
  EXPECT_EQ(problems.list()[0].code, "sync.bad_expression");
  guarded("plan) from warehouse.people; select (1", PiiPolicy::block);
  EXPECT_EQ(problems.list()[0].code, "sync.bad_expression");
}

}  // namespace
}  // namespace eddy::sync
