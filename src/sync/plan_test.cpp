#include "sync/plan.h"

#include <gtest/gtest.h>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::code_of;
using testing::people_yaml;
using testing::spec_of;
using testing::text_of;
using Lines = std::vector<std::string>;

SyncSpec with_fields(const std::string& fields) {
  return spec_of("model: warehouse.people\ndestination: crm\nobject: people\nkey: {id: id}\nfields: {" +
                 fields + "}\n");
}

TEST(MakePlan, IsOrderedByKeyAndShowsBeforeAndAfter) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml + "removed: delete\nguards: {removed: 100%}\n");
  bed.model("select * from (values (3, 'Cid', 3), (1, 'Ada', 1), (2, 'Bob', 2)) t(id, name, score)");
  bed.run(spec);
  bed.model("select * from (values (4, 'Dot', 4), (3, 'Cid', 30), (2, null, 2)) t(id, name, score)");
  const Plan plan = bed.plan(spec);
  auto c = bed.session->connect();
  const auto rows = page(c, plan, 0, 100);
  ASSERT_EQ(rows.size(), 4u);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].number, i);
  EXPECT_EQ(
      to_json(rows[0], plan.definition).dump(),
      R"({"fields":{"name":{"after":null,"before":"Bob"}},"key":{"id":2},"number":0,"operation":"change"})");
  EXPECT_EQ(to_json(rows[1], plan.definition)["fields"].dump(), R"({"score":{"after":30,"before":3}})");
  EXPECT_EQ(rows[2].operation, Operation::add);
  EXPECT_EQ(rows[3].operation, Operation::remove);
  EXPECT_EQ(text_of(rows[3].before), "Ada|1");
  EXPECT_EQ(page(c, plan, 1, 2).size(), 2u);
  EXPECT_EQ(page(c, plan, 1, 2)[0].number, 1u);
  const Plan loaded = load_plan(c, plan.id);
  EXPECT_EQ(to_json(loaded), to_json(plan));
  EXPECT_EQ(summary(plan.counts), "+1 ~2 -1");
}

TEST(MakePlan, WritesNothingOutsideTheDotFolder) {
  Bed bed;
  bed.model("select 1 as id, 'Ada' as name, 1 as score");
  bed.reopen();
  const auto stamp = [&] { return std::filesystem::last_write_time(bed.folder() / "warehouse.duckdb"); };
  const auto before = stamp();
  bed.plan(spec_of(people_yaml));
  bed.reopen();
  EXPECT_EQ(stamp(), before);
  EXPECT_EQ(bed.snapshot(spec_of(people_yaml)).size(), 0u);
  EXPECT_FALSE(bed.store->sync_state("people").has_value());
}

TEST(MakePlan, ANewFieldIsBackFilledAloneAndARemovedOneChangesNothing) {
  Bed bed;
  bed.model("select i as id, 'n' || i as name, case when i % 2 = 0 then i end as score from range(10) t(i)");
  bed.run(with_fields("name: name"));
  const SyncSpec two = with_fields("score: score, name: name");
  const SyncResult added = bed.run(two);
  EXPECT_EQ(added.plan.counts.changed, 10u);  // what the destination has in a new field is not known
  for (const auto& change : bed.destination.requests.back())
    EXPECT_EQ(change.changed, (std::vector<bool>{true, false}));
  EXPECT_EQ(bed.run(two).tally.planned, 0u);
  const SyncResult removed = bed.run(with_fields("score: score"));
  EXPECT_EQ(removed.tally.planned, 0u);
  EXPECT_TRUE(removed.plan.definition_changed);
  const SyncResult again = bed.run(with_fields("score: score"));
  EXPECT_FALSE(again.plan.definition_changed);  // the fold has written the snapshot anew
  EXPECT_EQ(bed.snapshot(two).at("2"), "2");
}

TEST(MakePlan, AHarmlessRetypeSendsNothingAndALossyOneSendsWhatDiffers) {
  Bed bed;
  bed.model(
      "select i::integer as id, (i / 2.0)::decimal(10,2) as name, date '2024-01-01' + i::integer as score "
      "from range(10) t(i)");
  const SyncSpec spec = spec_of(people_yaml);
  bed.run(spec);
  bed.model(
      "select i::bigint as id, (i / 2.0)::double as name, (date '2024-01-01' + i::integer)::timestamp as "
      "score from range(10) t(i)");
  const SyncResult retyped = bed.run(spec);
  EXPECT_EQ(retyped.plan.counts.changed, 0u);
  EXPECT_TRUE(retyped.plan.definition_changed);
  bed.model(
      "select i::bigint as id, (i // 2)::integer as name, (date '2024-01-01' + i::integer)::timestamp as "
      "score from range(10) t(i)");
  const SyncResult lossy = bed.run(spec);
  EXPECT_EQ(lossy.plan.counts.changed, 5u);  // 0.5, 1.5, … have become whole numbers
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
}

TEST(MakePlan, AnotherHashAlgorithmSendsNothing) {
  Bed bed;
  bed.model("select i as id, 'n' || i as name, i as score from range(100) t(i)");
  const SyncSpec spec = spec_of(people_yaml);
  bed.run(spec);
  bed.query("select 1");
  auto c = bed.session->connect();
  c.execute("update sync_db.main.syncs set hash_algorithm = 'duckdb:of long ago'");
  c.execute(
      "update sync_db.snapshot.people set row_hash = row_hash + 17 where row_hash < 1000000000000000000");
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
  EXPECT_FALSE(bed.run(spec).plan.definition_changed);
}

TEST(MakePlan, AnotherTargetIsRefused) {
  Bed bed;
  bed.model("select 1 as id, 'Ada' as name, 1 as score");
  bed.run(spec_of(people_yaml));
  EXPECT_EQ(code_of([&] {
              bed.plan(
                  spec_of("model: warehouse.people\ndestination: crm\nobject: people\nkey: {name: "
                          "name}\nfields: {id: id}\n"));
            }),
            "sync.target_changed");
  EXPECT_EQ(
      code_of([&] {
        bed.plan(spec_of("model: warehouse.people\ndestination: other\nobject: people\nkey: {id: id}\n"));
      }),
      "sync.target_changed");
}

TEST(MakePlan, AKeyThatLosesItsTypeIsRefused) {
  Bed bed;
  bed.model("select 'a1' as id, 'Ada' as name, 1 as score");
  bed.run(spec_of(people_yaml));
  bed.model("select 1 as id, 'Ada' as name, 1 as score");
  EXPECT_EQ(code_of([&] { bed.plan(spec_of(people_yaml)); }), "sync.key_type_changed");
}

TEST(MakePlan, KeysAreComparedAsTheyAre) {
  Bed bed;
  bed.model(
      "select * from (values ('a', 1, 1), ('A', 1, 1), ('a ', 1, 1), ('', 1, 1), ('é', 1, 1), ('e\u0301', 1, "
      "1)) t(id, name, score)");
  EXPECT_EQ(bed.run(spec_of(people_yaml)).tally.applied, 6u);
  Bed real;
  real.model(
      "select * from (values ('nan'::double, 1, 1), (0.0::double, 1, 1), (-0.0::double, 2, 1), (1.5::double, "
      "1, 1)) t(id, name, score)");
  const Plan plan = real.plan(spec_of(people_yaml));
  EXPECT_EQ(plan.counts.null_key, 1u);
  EXPECT_EQ(plan.counts.duplicate_key, 2u);
  EXPECT_EQ(plan.counts.added, 1u);
}

TEST(MakePlan, HostileValuesGoThroughUnchanged) {
  Bed bed;
  bed.model(
      "select 1 as id, 'O''Brien\"; drop table x; --' as name, 'nan'::double as score union all select 2, "
      "chr(10) || ',\u2603', 'infinity'::double");
  const SyncSpec spec = spec_of(
      "model: warehouse.people\ndestination: crm\nobject: people\nkey: {\"we'ird \\\"key\": id}\nfields: "
      "{\"o'f\": name, score: score}\n");
  EXPECT_EQ(bed.run(spec).tally.applied, 2u);
  EXPECT_EQ(bed.destination.records.at("1"), "O'Brien\"; drop table x; --|nan");
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
}

TEST(MakePlan, AViewModelIsReadOnce) {
  Bed bed;
  {
    auto c = bed.session->connect();
    c.execute(
        "create view clean.people as select i as id, 'n' as name, random() as score from range(50) t(i)");
  }
  const SyncSpec spec = spec_of(
      "model: clean.people\ndestination: crm\nobject: people\nkey: {id: id}\nfields: {name: name, score: "
      "score}\n");
  bed.run(spec);
  EXPECT_EQ(bed.snapshot(spec), bed.destination.records);
  EXPECT_EQ(bed.run(spec).plan.counts.changed, 50u);
  EXPECT_EQ(bed.snapshot(spec), bed.destination.records);
}

TEST(MakePlan, OldPlansAreForgotten) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml);
  for (int i = 0; i < 14; ++i) {
    bed.model("select 1 as id, 'Ada' as name, " + std::to_string(i) + " as score");
    bed.run(spec);
  }
  EXPECT_EQ(bed.query("select count(*) from sync_db.main.plans")[0][0].as_integer(), 10);
  EXPECT_EQ(
      bed.query(
             "select count(*) from duckdb_tables() where database_name = 'sync_db' and schema_name = 'plan'")
          [0][0]
              .as_integer(),
      10);
}

TEST(MakePlan, ARowThatCouldNotBeReadIsNotGone) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml + "removed: delete\nguards: {removed: 100%, rows: 100%}\n");
  bed.model("select i as id, 'Ada' as name, 1 as score from range(1, 9) t(i)");
  bed.run(spec);
  bed.model("select i as id, 'Ada' as name, 1 as score from range(1, 6) t(i)");
  auto c = bed.session->connect();
  const auto plan_with = [&](const Unread& unread) {
    PlanRequest request;
    request.unread = &unread;
    return make_plan(*bed.session, c, spec, bed.clock, request);
  };
  const Plan plan = plan_with({{"7;ada;not a number"}, false});
  EXPECT_EQ(plan.counts.removed, 2u);
  EXPECT_EQ(plan.counts.unread, 1u);
  EXPECT_EQ(text_of(page(c, plan, 1, 1)[0].key), "8");
  EXPECT_EQ(plan_with({{}, true}).counts.removed, 0u);
  EXPECT_EQ(plan_with({}).counts.removed, 3u);
}

TEST(MakePlan, TheDestinationsSchemaStopsBadValuesBeforeTheyAreSent) {
  Bed bed;
  bed.destination.object.fields = {{.name = "name", .required = true, .length_max = 5},
                                   {.name = "stage", .options = {"lead", "customer"}},
                                   {.name = "score", .type = Type::integer}};
  const SyncSpec spec = with_fields("name: name, stage: stage, score: score");
  bed.model(
      "select * from (values (1, 'Ada', 'lead', '7'), (2, 'Bartholomew', 'lead', '1'), (3, 'Cid', 'boss', "
      "'1'), "
      "(4, null, 'lead', '1'), (5, 'Eve', 'lead;customer', 'many'), (6, 'Fay', null, null)) t(id, name, "
      "stage, "
      "score)");
  const SyncResult result = bed.run(spec);
  EXPECT_EQ(result.tally.applied, 2u);
  EXPECT_EQ(result.plan.counts.bad_value, 4u);
  EXPECT_EQ(result.plan.counts.valid, 2u);
  std::map<std::string, std::uint64_t> reasons(result.plan.invalid_reasons.begin(),
                                               result.plan.invalid_reasons.end());
  EXPECT_EQ(
      reasons,
      (std::map<std::string, std::uint64_t>{
          {"not_an_option:stage", 1}, {"required:name", 1}, {"too_long:name", 1}, {"wrong_type:score", 1}}));
  EXPECT_TRUE(bed.store->rejects("people", true).empty());  // no call was made, so nothing was refused
  EXPECT_EQ(bed.run(spec).plan.counts.planned(), 0u);
}

TEST(MakePlan, GuardsSayWhatTheyHoldWithExamples) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml + "guards: {first_run: 3}\n");
  bed.model("select i as id, 'Ada' as name, 1 as score from range(1, 9) t(i)");
  const SyncResult first = bed.run(spec);
  EXPECT_EQ(first.status, "held");
  ASSERT_EQ(first.plan.holds.size(), 1u);
  EXPECT_EQ(first.plan.holds[0].message, "the first run would send 8 rows; the guard allows 3");
  EXPECT_EQ(first.plan.holds[0].examples.size(), 5u);
  const SyncSpec wide = spec_of(people_yaml);
  EXPECT_EQ(bed.run(wide).status, "done");
  bed.model("select i as id, 'Ada' as name, 1 as score from range(1, 30) t(i)");
  const SyncResult grown = bed.run(wide);
  ASSERT_EQ(grown.plan.holds.size(), 1u);
  EXPECT_EQ(grown.plan.holds[0].code, "rows");
  EXPECT_EQ(grown.failure[0].code, "sync.held_rows");
  EXPECT_EQ(grown.failure[0].message,
            "sync people is held: warehouse.people has 29 rows, 262% off the mean of the last 1 run (8); "
            "the guard "
            "allows 50%");
  bed.model("select 1 + i % 7 as id, 'Ada' as name, 1 as score from range(8) t(i)");
  const SyncResult doubled = bed.run(wide);
  ASSERT_FALSE(doubled.plan.holds.empty());
  EXPECT_EQ(doubled.plan.holds[0].code, "unique_key");
  EXPECT_EQ(doubled.plan.holds[0].examples, (Lines{R"({"key":[1],"rows":2})"}));
}

TEST(MakePlan, CanBeOfOneRowOrOfTheFirst) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml);
  bed.model("select i as id, 'Ada' as name, 1 as score from range(1, 9) t(i)");
  ApplyOptions one;
  one.request.key = "5";
  EXPECT_EQ(bed.run(spec, one).tally.applied, 1u);
  EXPECT_EQ(bed.destination.sent(), (Lines{"add 5=Ada|1"}));
  ApplyOptions two;
  two.request.rows_max = 2;
  const SyncResult limited = bed.run(spec, two);
  EXPECT_EQ(limited.tally.applied, 2u);
  EXPECT_EQ(limited.plan.counts.left_out, 5u);
  EXPECT_EQ(bed.run(spec).tally.applied, 5u);
  EXPECT_EQ(bed.destination.applications.at("5"), 1);
}

}  // namespace
}  // namespace eddy::sync
