#include "sync/schema_checks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <utility>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::spec_of;

const std::string head = "model: warehouse.people\ndestination: crm\nobject: people\n";

ObjectSchema people() {
  return {"people",
          {{.name = "id", .type = Type::integer, .key = true},
           {.name = "name", .type = Type::text, .required = true, .length_max = 5},
           {.name = "stage", .type = Type::text, .options = {"lead", "customer", "churned"}},
           {.name = "score", .type = Type::decimal, .native_type = "number"},
           {.name = "vip", .type = Type::boolean},
           {.name = "since", .type = Type::date},
           {.name = "address", .type = Type::json},
           {.name = "made_at", .type = Type::timestamp, .writable = false}},
          false};
}

// "line:column code" of each problem.
std::vector<std::string> problems(const std::string& yaml) {
  Diagnostics diagnostics;
  check_fields(spec_of(head + yaml), people(), diagnostics);
  std::vector<std::string> out;
  for (const Diagnostic& d : diagnostics.list())
    out.push_back(fmt::format("{}:{} {}", d.position.line, d.position.column, d.code));
  return out;
}

TEST(SchemaChecks, EveryProblemHasThePlaceOfItsField) {
  EXPECT_EQ(problems("key: {id: id}\nfields:\n  name: name\n  address.city: city\n"),
            std::vector<std::string>{});
  EXPECT_EQ(problems("key: {stage: id}\nfields:\n  nam: name\n  made_at: {value: now(), when_null: keep}\n"),
            (std::vector<std::string>{"4:7 sync.not_a_key", "6:3 sync.unknown_field",
                                      "7:3 sync.read_only_field", "6:3 sync.required_field"}));
  EXPECT_EQ(problems("key: {id: id}\n"), std::vector<std::string>{"1:1 sync.required_field"});
  EXPECT_EQ(problems("key: {id: id}\nmode: update\n"), std::vector<std::string>{}) << "nothing is made";
  EXPECT_EQ(problems("key: {stage: stage}\nmode: update\n"), std::vector<std::string>{})
      << "an update of all that match";
  EXPECT_EQ(problems("key: {id: id}\nfields: {name: name}\nremoved: {set: {stag: \"'x'\"}}\n"),
            std::vector<std::string>{"6:17 sync.unknown_field"});
}

TEST(SchemaChecks, WhatIsOpenMayHaveMore) {
  ObjectSchema open = people();
  open.open = true;
  Diagnostics diagnostics;
  check_fields(spec_of(head + "key: {ref: id}\nfields: {name: name, other: name}\n"), open, diagnostics);
  EXPECT_TRUE(diagnostics.empty());
}

TEST(SchemaChecks, LookupsNameAnObjectAndAFieldOfIt) {
  testing::ScriptedDestination crm;
  crm.object = people();
  const SyncSpec spec = spec_of(head +
                                "key: {id: id}\nfields:\n  name: name\n  boss: {value: boss, lookup: "
                                "{object: people, by: nam}}\n  firm:\n    "
                                "value: firm\n    lookup: {object: firms, by: domain}\n  friend: {value: f, "
                                "lookup: {object: people, by: id}}\n");
  Diagnostics diagnostics;
  check_lookups(spec, crm, diagnostics);
  ASSERT_EQ(diagnostics.list().size(), 2U);
  EXPECT_EQ(diagnostics.list()[0].message, "people at crm has no field `nam`");
  EXPECT_EQ(diagnostics.list()[0].hint, "did you mean `name`?");
  EXPECT_EQ(diagnostics.list()[0].position.line, 7);
  EXPECT_EQ(diagnostics.list()[1].message, "crm has no object `firms`");
  EXPECT_EQ(diagnostics.list()[1].position.line, 10);
}

class Rows : public ::testing::Test {
 protected:
  void SetUp() override {
    bed.model(
        "select * from (values (1, 'Ada', 'lead', '1.5', date '2026-01-01'), (2, 'Johannes', 'Prospect', "
        "'none', "
        "null), (3, 'Leopold', 'Prospect', '3', null), (4, null, 'lead;customer', '4', null)) t(id, name, "
        "stage, "
        "score, day)");
    connection.emplace(bed.session->connect());
  }
  std::vector<std::string> types(const std::string& yaml) {
    const SyncSpec spec = spec_of(head + yaml);
    Diagnostics diagnostics;
    check_types(spec, bind(*bed.session, *connection, spec), people(), diagnostics);
    std::vector<std::string> out;
    for (const Diagnostic& d : diagnostics.list())
      out.push_back(fmt::format("{}:{} {}", d.position.line, d.position.column, d.message));
    return out;
  }
  std::vector<Diagnostic> look(const std::string& yaml) {
    const SyncSpec spec = spec_of(head + yaml);
    const Definition definition = bind(*bed.session, *connection, spec);
    bool cut = true;
    const std::string rows = desired_rows(*bed.session, *connection, definition, 10, cut);
    EXPECT_FALSE(cut);
    return look_at_rows(*connection, rows, spec, definition, people());
  }
  Bed bed;
  std::optional<engine::Connection> connection;
};

TEST_F(Rows, TypesThatNeverFit) {
  EXPECT_EQ(types("key: {id: id}\nfields: {score: id, vip: id, since: score, name: day, address: name}\n"),
            std::vector<std::string>{});
  EXPECT_EQ(types("key: {id: id}\nfields:\n  score: day\n  vip: day\n  since: id > 1\n"),
            (std::vector<std::string>{
                "6:10 `score` of people at crm is a decimal (number), and the expression gives DATE",
                "7:8 `vip` of people at crm is a boolean, and the expression gives DATE",
                "8:10 `since` of people at crm is a date, and the expression gives BOOLEAN"}));
}

TEST_F(Rows, WhatWouldBeStoppedIsCountedWithItsValues) {
  const auto found = look(
      "key: {id: id}\nfields:\n  name: name\n  stage: {value: stage, when_null: keep}\n  score: score\n");
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].message, "1 row has no value for `name`, which people at crm needs to make a record");
  EXPECT_EQ(found[1].message, "2 rows have a text longer than the 5 characters of `name`: the longest has 8");
  EXPECT_EQ(found[2].message,
            "2 rows have a value that `stage` of people at crm does not allow: `Prospect` (2)");
  EXPECT_EQ(found[2].position.line, 7);
  EXPECT_EQ(found[2].position.column, 18) << "the expression inside the map";
  EXPECT_EQ(found[3].message, "1 row has a value that is no decimal for `score`: `none` (1)");
  EXPECT_TRUE(look("key: {id: id}\nfields: {name: \"'x'\", stage: \"'lead'\"}\n").empty());
}

TEST_F(Rows, FiveValuesAndHowManyMore) {
  bed.model("select i as id, 'x' as name, 'v' || (i % 9) as stage from range(100) r(i)");
  connection.emplace(bed.session->connect());
  const auto found = look("key: {id: id}\nfields: {name: name, stage: stage}\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].message,
            "100 rows have a value that `stage` of people at crm does not allow: `v0` (12), `v1` (11), `v2` "
            "(11), `v3` "
            "(11), `v4` (11) and 4 more");
  EXPECT_EQ(found[0].hint, "allowed: lead, customer, churned");
  bed.model("select 1 as id, 'x' as name, 'Lead' as stage");
  connection.emplace(bed.session->connect());
  EXPECT_EQ(look("key: {id: id}\nfields: {name: name, stage: stage}\n")[0].hint,
            "they differ in upper and lower case only; allowed: lead, customer, churned");
}

// Answers from what is kept, until it is asked anew.
class Kept final : public Destination {
 public:
  explicit Kept(testing::ScriptedDestination& now) : now_(now), kept_(now.object) {}
  std::string check() override { return now_.check(); }
  std::vector<std::string> objects() override { return now_.objects(); }
  std::optional<ObjectSchema> describe(const std::string& name) override {
    return anew ? now_.describe(name) : kept_;
  }
  bool ask_anew() override { return !std::exchange(anew, true); }
  std::unique_ptr<Writer> open(const Delivery& delivery) override { return now_.open(delivery); }
  bool anew = false;

 private:
  testing::ScriptedDestination& now_;
  ObjectSchema kept_;
};

TEST(RunSync, AnUnknownFieldIsLookedForAnew) {
  Bed bed;
  bed.model("select 1 as id, 'Ada' as name, 5 as score");
  bed.destination.object = {"people", {{.name = "id"}, {.name = "name"}}, false};
  Kept kept(bed.destination);
  bed.destination.object.fields.push_back({.name = "score"});
  const SyncSpec spec = spec_of(testing::people_yaml);
  EXPECT_EQ(run_sync(*bed.session, spec, kept, "r1", bed.clock, silent_progress(), *bed.cancel).tally.applied,
            1U);
  EXPECT_TRUE(kept.anew);
}

TEST(RunSync, RowsAreStoppedOnlyForWhatTheDestinationSaysNow) {
  Bed bed;
  bed.model("select 1 as id, 'Ada' as name, 'gold' as score");
  bed.destination.object = {
      "people", {{.name = "id"}, {.name = "name"}, {.name = "score", .options = {"blue"}}}, false};
  Kept kept(bed.destination);
  bed.destination.object.fields[2].options.push_back("gold");
  const SyncSpec spec = spec_of(testing::people_yaml);
  const SyncResult result =
      run_sync(*bed.session, spec, kept, "r1", bed.clock, silent_progress(), *bed.cancel);
  EXPECT_EQ(result.plan.counts.bad_value, 0U);
  EXPECT_EQ(result.tally.applied, 1U);
  EXPECT_EQ(bed.query("select count(*) from sync_db.main.plans")[0][0].as_integer(), 1)
      << "the plan that was made first is forgotten";
}

}  // namespace
}  // namespace eddy::sync
