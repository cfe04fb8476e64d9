#include "sync/sync_spec.h"

#include <gtest/gtest.h>

#include "sync/definition.h"
#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::spec_of;

std::vector<Diagnostic> complaints(const std::string& yaml, const std::string& name = "people") {
  Diagnostics diagnostics;
  const config::Node node = config::parse(yaml, "syncs/people.yml", config::no_variables(), diagnostics);
  EXPECT_FALSE(parse_sync(name, node, diagnostics).has_value());
  return diagnostics.list();
}

const std::string head =
    "model: presentation.people\ndestination: crm\nobject: contacts\nkey: {email: email}\n";

TEST(ParseSync, ReadsEverythingAUserMayWrite) {
  const SyncSpec spec = spec_of(R"(
model: presentation.customer_360
destination: hubspot
object: contacts
key: {email: lower(email), region: region}
mode: update
removed: archive
fields:
  firstname: first_name
  score: round(propensity * 100)
  ltv: {value: lifetime_value, when_null: write, write: always}
guards: {removed: 5%, changed: 0.5}
on: [every 15m, after presentation.customer_360, cron "0 6 * * 1", webhook]
options: {anything: 1}
tags: [crm, daily]
description: for sales
)",
                                "hubspot_contacts");
  EXPECT_EQ(spec.name, "hubspot_contacts");
  EXPECT_EQ(node_name(spec), "sync.hubspot_contacts");
  EXPECT_EQ(spec.mode, Mode::update);
  EXPECT_EQ(spec.removed, Removed::archive);
  ASSERT_EQ(spec.key.size(), 2u);
  EXPECT_EQ(spec.key[0].field, "email");
  EXPECT_EQ(spec.key[0].expression, "lower(email)");
  ASSERT_EQ(spec.fields.size(), 3u);
  EXPECT_EQ(spec.fields[2].expression, "lifetime_value");
  EXPECT_DOUBLE_EQ(spec.guards.removed_max, 0.05);
  EXPECT_DOUBLE_EQ(spec.guards.changed_max, 0.5);
  EXPECT_EQ(spec.on.size(), 4u);
  EXPECT_EQ(spec.tags, (std::vector<std::string>{"crm", "daily"}));
  EXPECT_TRUE(spec.options["anything"].exists());
}

TEST(ParseSync, DefaultsAreTheCarefulOnes) {
  const SyncSpec spec = spec_of(head);
  EXPECT_EQ(spec.mode, Mode::upsert);
  EXPECT_EQ(spec.removed, Removed::ignore);
  EXPECT_DOUBLE_EQ(spec.guards.removed_max, 0.10);
  EXPECT_TRUE(spec.fields.empty());
}

TEST(ParseSync, SaysWhatIsWrongAndWhere) {
  struct Case {
    std::string yaml, code;
    int line, column;
  };
  for (const Case& c : std::vector<Case>{
           {head + "feilds: {a: b}\n", "config.unknown_key", 5, 1},
           {"model: presentation.people\ndestination: crm\nobject: contacts\n", "config.missing_key", 1, 1},
           {head + "mode: replace\n", "config.not_allowed", 5, 7},
           {head + "fields: {a: {value: b, when_null: never}}\n", "config.not_allowed", 5, 35},
           {head + "mode: update\nfields: {a: {value: b, write: on_create}}\n", "sync.bad_policy", 6, 21},
           {head + "mode: insert\nfields: {a: {value: b, write: if_empty}}\n", "sync.bad_policy", 6, 21},
           {head + "removed: {set: {}}\n", "sync.bad_removed", 5, 10},
           {head + "mode: mirror\nremoved: archive\n", "sync.bad_removed", 6, 10},
           {head + "fields: {a: {value: b, normalize: [trim, loud]}}\n", "config.not_allowed", 5, 42},
           {head + "mode: insert\nremoved: delete\n", "sync.bad_removed", 6, 10},
           {head + "on: [sometimes]\n", "sync.bad_trigger", 5, 6},
           {head + "on: every day\n", "sync.bad_trigger", 5, 5},
           {head + "fields: {email: email}\n", "sync.duplicate_field", 5, 17},
           {head + "fields: {a: ''}\n", "sync.missing_expression", 5, 10},
           {"model: people\ndestination: crm\nobject: contacts\nkey: {email: email}\n", "sync.bad_model", 1,
            8},
           {head + "guards: {removed: 150%}\n", "config.wrong_type", 5, 19},
       }) {
    const auto list = complaints(c.yaml);
    ASSERT_EQ(list.size(), 1u) << c.yaml;
    EXPECT_EQ(list[0].code, c.code) << c.yaml;
    EXPECT_EQ(list[0].position.line, c.line) << c.yaml;
    EXPECT_EQ(list[0].position.column, c.column) << c.yaml;
    EXPECT_FALSE(list[0].code.starts_with("sync.") && list[0].hint.empty()) << c.yaml;
  }
  EXPECT_EQ(complaints(head, "../escape").at(0).code, "sync.bad_name");
}

TEST(Bind, FindsTypesAndExplainsBadExpressions) {
  Bed bed;
  bed.model(
      "select 1::integer as id, 'Ada' as first_name, 1.50::decimal(10,2) as ltv, ['a'] as tags, "
      "'x'::enum('x','y') as kind, 0.5::double as p");
  auto c = bed.session->connect();
  const std::string start =
      "model: warehouse.people\ndestination: crm\nobject: people\nkey: {id: id}\nfields:\n";
  const Definition d = bind(*bed.session, c,
                            spec_of(start + "  a: first_name\n  b: ltv * 2\n  c: tags\n  d: kind\n  e: "
                                            "\"null\"\n  f: \"id -- the number\"\n  g: 5\n"));
  std::vector<std::string> types;
  for (const BoundColumn& column : d.fields) types.push_back(column.engine_type);
  EXPECT_EQ(types[0], "VARCHAR");
  EXPECT_TRUE(types[1].starts_with("DECIMAL")) << types[1];
  EXPECT_EQ(types[2], "VARCHAR[]");
  EXPECT_EQ(d.fields[2].type, Type::json);
  EXPECT_EQ(types[3], "VARCHAR");
  EXPECT_EQ(types[6], "INTEGER");
  EXPECT_EQ(definition_from_json(to_json(d)), d);
  try {
    bind(*bed.session, c, spec_of(start + "  name: upper(frist_name)\n  x: round(\n  y: a, b\n"));
    FAIL();
  } catch (const Error& error) {
    ASSERT_EQ(error.diagnostics().size(), 3u);
    const Diagnostic& first = error.diagnostics()[0];
    EXPECT_EQ(first.code, "sync.bad_expression");
    EXPECT_EQ(first.hint, "did you mean `first_name`?");
    EXPECT_EQ(first.position.line, 6);
    EXPECT_EQ(first.position.column, 15);
    EXPECT_EQ(error.diagnostics()[1].position.line, 7);
    EXPECT_EQ(error.diagnostics()[2].position.line, 8);
  }
  try {
    bind(*bed.session, c,
         spec_of("model: warehouse.poeple\ndestination: crm\nobject: people\nkey: {id: id}\n"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "sync.unknown_model");
    EXPECT_EQ(error.hint(), "did you mean `warehouse.people`?");
    EXPECT_EQ(error.diagnostics()[0].position.column, 8);
  }
  EXPECT_EQ(testing::code_of([&] {
              bind(*bed.session, c,
                   spec_of("model: warehouse.people\ndestination: crm\nobject: people\nkey: {id: tags}\n"));
            }),
            "sync.bad_key_type");
}

TEST(SyncSpec, AnExpressionCutAtItsCommaIsExplained) {
  Diagnostics diagnostics;
  const std::string text =
      "model: a.b\ndestination: d\nobject: o\nkey: {id: id}\nfields: {name: left(name, 5), city: city}\n";
  EXPECT_FALSE(
      parse_sync("s", config::parse(text, "syncs/s.yml", config::no_variables(), diagnostics), diagnostics));
  ASSERT_EQ(diagnostics.list().size(), 1U);
  EXPECT_EQ(diagnostics.list()[0].message, "the expression of `name` ends at its comma: `left(name`");
  EXPECT_EQ(diagnostics.list()[0].position.column, 16);
}

}  // namespace
}  // namespace eddy::sync
