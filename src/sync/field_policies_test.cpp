#include "sync/field_policies.h"

#include <gtest/gtest.h>

#include "sync/drift.h"
#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::code_of;
using testing::ScriptedDestination;
using testing::spec_of;

SyncSpec with(const std::string& fields, const std::string& rest = "") {
  return spec_of("model: warehouse.people\ndestination: crm\nobject: people\nkey: {id: id}\nfields: {" +
                 fields + "}\n" + rest);
}

TEST(WhenNull, KeepNeverOverwritesAndNeverRepeatsItself) {
  Bed bed;
  const SyncSpec spec = with("name: name, score: {value: score, when_null: keep}");
  bed.model("select * from (values (1, 'Ada', 7), (2, 'Bob', null)) t(id, name, score)");
  bed.destination.records["2"] = "Robert|9";  // a person wrote the 9
  EXPECT_EQ(bed.run(spec).status, "done");
  EXPECT_EQ(bed.destination.records["1"], "Ada|7");
  EXPECT_EQ(bed.destination.records["2"], "Bob|9");

  bed.model("select * from (values (1, 'Ada', null), (2, 'Bob', null)) t(id, name, score)");
  EXPECT_EQ(bed.run(spec).plan.counts.planned(), 0u);
  EXPECT_EQ(bed.destination.records["1"], "Ada|7");
  EXPECT_EQ(bed.snapshot(spec).at("1"), "Ada|7");

  bed.model("select * from (values (1, 'Eve', null), (2, 'Bob', 3)) t(id, name, score)");
  EXPECT_EQ(bed.run(spec).plan.counts.changed, 2u);
  EXPECT_EQ(bed.destination.records["1"], "Eve|7");
  EXPECT_EQ(bed.destination.records["2"], "Bob|3");
}

TEST(WriteIfEmpty, FillsOnlyWhatTheRecordLacks) {
  Bed bed;
  bed.destination.readable = true;
  const SyncSpec spec = with("name: name, score: {value: score, write: if_empty}");
  bed.destination.delivery.fields = {{"name", Type::text}, {"score", Type::integer}};
  bed.destination.records["1"] = "A|5";
  bed.destination.records["2"] = "B|null";
  bed.model("select * from (values (1, 'Ada', 7), (2, 'Bob', 8), (3, 'Cid', 9)) t(id, name, score)");
  EXPECT_EQ(bed.run(spec).tally.applied, 3u);
  EXPECT_EQ(bed.destination.records["1"], "Ada|5");
  EXPECT_EQ(bed.destination.records["2"], "Bob|8");
  EXPECT_EQ(bed.destination.records["3"], "Cid|9");
  // Another value of the model: nothing is left to write where the record has one, and that is a success.
  bed.destination.forget_requests();
  bed.model("select * from (values (1, 'Ada', 70), (2, 'Bob', 8), (3, 'Cid', 9)) t(id, name, score)");
  const SyncResult again = bed.run(spec);
  EXPECT_EQ(again.tally.applied, 1u);
  EXPECT_TRUE(bed.destination.requests.empty());
  EXPECT_EQ(bed.run(spec).plan.counts.planned(), 0u);
}

TEST(WriteOnCreate, IsWrittenOnceAndOnlyToNewRecords) {
  Bed bed;
  bed.destination.readable = true;
  const SyncSpec spec = with("name: name, source: {value: \"'eddy'\", write: on_create}");
  bed.destination.delivery.fields = {{"name", Type::text}, {"source", Type::text}};
  bed.destination.records["1"] = "A|web";
  bed.model("select * from (values (1, 'Ada'), (2, 'Bob')) t(id, name)");
  EXPECT_EQ(bed.run(spec).tally.applied, 2u);
  EXPECT_EQ(bed.destination.records["1"], "Ada|web");
  EXPECT_EQ(bed.destination.records["2"], "Bob|eddy");
  const SyncSpec other = with("name: name, source: {value: \"'eddy 2'\", write: on_create}");
  EXPECT_EQ(bed.run(other).plan.counts.planned(), 0u);
  bed.model("select * from (values (1, 'Ada'), (2, 'Rob')) t(id, name)");
  EXPECT_EQ(bed.run(other).tally.applied, 1u);
  EXPECT_EQ(bed.destination.records["2"], "Rob|eddy");
}

TEST(FieldPolicies, NeedADestinationThatCanBeRead) {
  Bed bed;
  bed.model("select 1 as id, 'Ada' as name");
  EXPECT_EQ(code_of([&] { bed.run(with("name: {value: name, write: if_empty}")); }), "sync.cannot_read");
  EXPECT_TRUE(bed.destination.requests.empty());
}

TEST(Lookups, DeliverTheIdOfTheOtherRecord) {
  Bed bed;
  ScriptedDestination companies;
  companies.records = {{"acme.example", ""}, {"bolt.example", ""}};
  bed.destination.others["companies"] = &companies;
  bed.model(
      "select * from (values (1, 'acme.example'), (2, 'acme.example'), (3, 'gone.example'), (4, null)) t(id, "
      "domain)");
  const std::string lookup = "company: {value: domain, lookup: {object: companies, by: domain";
  const SyncSpec strict = with(lookup + "}}");
  const SyncResult first = bed.run(strict);
  EXPECT_EQ(first.tally.applied, 3u);
  EXPECT_EQ(first.tally.rejected, 1u);
  EXPECT_EQ(bed.destination.records["2"], "id-acme.example");
  EXPECT_EQ(bed.destination.records["4"], "null");
  const auto rejects = bed.store->rejects("people", true);
  ASSERT_EQ(rejects.size(), 1u);
  EXPECT_EQ(rejects[0].code, "lookup.not_found");
  EXPECT_EQ(rejects[0].message, "no companies has domain = gone.example");
  // The key is what is remembered, so another id there is no difference here.
  EXPECT_EQ(bed.snapshot(strict).at("1"), "acme.example");

  const SyncSpec lenient = with(lookup + ", on_miss: \"null\"}}");
  EXPECT_EQ(bed.run(lenient).plan.counts.rejected_before, 1u);  // the same row, by the same expression
}

TEST(Removed, SetsValuesByAnUpdate) {
  Bed bed;
  ScriptedDestination updates;
  bed.destination.updates = &updates;
  const SyncSpec spec =
      with("name: name",
           "removed: {set: {status: \"'gone'\", score: 1 - 1}}\nguards: {removed: 100%, rows: 100%}\n");
  bed.model("select * from (values (1, 'Ada'), (2, 'Bob')) t(id, name)");
  bed.run(spec);
  bed.model("select 1 as id, 'Ada' as name");
  const SyncResult result = bed.run(spec);
  EXPECT_EQ(result.plan.counts.removed, 1u);
  EXPECT_EQ(result.status, "done");
  EXPECT_EQ(updates.sent(), (std::vector<std::string>{"change 2=gone|0"}));
  EXPECT_EQ(bed.destination.deliveries.back().mode, Mode::update);
  EXPECT_EQ(bed.destination.deliveries.back().fields,
            (Schema{{"status", Type::text}, {"score", Type::integer}}));
  EXPECT_FALSE(bed.snapshot(spec).contains("2"));
  EXPECT_EQ(bed.run(spec).plan.counts.planned(), 0u);
}

TEST(Removed, ClearsEveryFieldByAnUpdate) {
  Bed bed;
  ScriptedDestination updates;
  bed.destination.updates = &updates;
  const SyncSpec spec = with("name: name", "removed: clear\nguards: {removed: 100%, rows: 100%}\n");
  bed.model("select * from (values (1, 'Ada'), (2, 'Bob')) t(id, name)");
  bed.run(spec);
  bed.model("select 1 as id, 'Ada' as name");
  bed.run(spec);
  EXPECT_EQ(updates.sent(), (std::vector<std::string>{"change 2=null"}));
}

TEST(OfThePast, IsShownAsItWasPlannedAndReadsNothing) {
  Bed bed;
  bed.destination.readable = true;
  ScriptedDestination companies;
  companies.records = {{"acme.example", ""}};
  bed.destination.others["companies"] = &companies;
  bed.destination.records["1"] = "Somebody|acme.example";  // what stands there today
  const SyncSpec spec = with(
      "name: {value: name, write: on_create}, company: {value: domain, lookup: {object: companies, by: "
      "domain}}",
      "removed: {set: {status: \"'gone'\"}}\n");
  bed.model("select 1 as id, 'Ada' as name, 'acme.example' as domain");
  const Plan plan = bed.plan(spec);
  auto c = bed.session->connect();
  const std::vector<Change> rows = changes(c, plan, 0, 1);
  bed.destination.reading_fails = companies.reading_fails = true;
  const auto writer = open_writer_of_the_past({}, bed.destination, plan.definition, spec.options);
  EXPECT_EQ(writer->preview(rows), (std::vector<std::string>{"add 1=Ada|acme.example"}));
  const Change removal{0, Operation::remove, {Value::integer(1)}, {}, {}};
  EXPECT_EQ(writer->preview(std::span(&removal, 1)), (std::vector<std::string>{"change 1=gone"}));
  EXPECT_EQ(bed.destination.readings + companies.readings, 0);
}

TEST(Send, AllSendsEveryFieldOfAChangedRow) {
  Bed bed;
  const SyncSpec spec = with("name: name, score: score", "send: all\n");
  bed.model("select 1 as id, 'Ada' as name, 1 as score");
  bed.run(spec);
  bed.model("select 1 as id, 'Eve' as name, 1 as score");
  bed.run(spec);
  EXPECT_EQ(bed.destination.requests.back()[0].changed, (std::vector<bool>{true, true}));
}

TEST(Drift, IsShownAndOursWinsUnlessTheFieldSaysTheirs) {
  Bed bed;
  bed.destination.readable = true;
  const SyncSpec spec = with("name: name, score: {value: score, drift: theirs}");
  bed.model("select i as id, 'n' || i as name, i as score from range(1, 5) t(i)");
  bed.run(spec);
  bed.destination.records["1"] = "changed by a person|1";
  bed.destination.records["2"] = "n2|200";
  bed.destination.records.erase("3");
  auto c = bed.session->connect();
  const Standing standing = recover(*bed.session, c, spec.name, bed.clock);
  const Drift drift =
      read_drift(c, standing, bind(*bed.session, c, spec), bed.destination, spec.options, *bed.cancel);
  EXPECT_EQ(drift.read, 4u);
  EXPECT_EQ(drift.changed, 2u);
  EXPECT_EQ(drift.missing, 1u);
  ASSERT_EQ(drift.examples.size(), 3u);
  EXPECT_EQ(drift.examples[0].theirs, "\"changed by a person\"");
  PlanRequest request;
  request.refreshed = true;
  const Plan plan = make_plan(*bed.session, c, spec, bed.clock, request);
  EXPECT_EQ(plan.counts.changed, 2u);  // name of 1 goes back, 3 is made again, the score of 2 is theirs
  const auto rows = page(c, plan, 0, 10);
  EXPECT_EQ(rows[0].before[0].to_text(), "changed by a person");
  EXPECT_EQ(rows[0].after[0].to_text(), "n1");
  EXPECT_EQ(rows[1].changed, (std::vector<bool>{true, true}));
  const SyncResult applied = apply_plan(*bed.session, spec, bed.destination, plan.id, bed.next_run(),
                                        bed.clock, silent_progress(), *bed.cancel);
  EXPECT_EQ(applied.status, "done");
  EXPECT_EQ(bed.destination.records["1"], "n1|1");
  EXPECT_EQ(bed.destination.records["2"], "n2|200");
  EXPECT_EQ(bed.destination.records["3"], "n3|3");
  // Without a refresh, too: their value is seen before ours is written over it.
  bed.model("select i as id, 'n' || i as name, i * 10 as score from range(1, 5) t(i)");
  EXPECT_EQ(bed.run(spec).status, "done");
  EXPECT_EQ(bed.destination.records["1"], "n1|10");
  EXPECT_EQ(bed.destination.records["2"], "n2|200");
}

TEST(Normalize, IsAppliedToBothSides) {
  Bed bed;
  const std::string head =
      "model: warehouse.people\ndestination: crm\nobject: people\nremoved: delete\n"
      "guards: {removed: 100%, rows: 100%}\n";
  bed.model("select * from (values ('Ada@X.org ', 1), ('bob@x.org', 2)) t(email, score)");
  bed.run(spec_of(head + "key: {email: email}\nfields: {score: score}\n"));
  const SyncSpec spec =
      spec_of(head + "key: {email: {value: email, normalize: email}}\nfields: {score: score}\n");
  const SyncResult normalized = bed.run(spec);
  EXPECT_EQ(normalized.plan.counts.planned(), 0u) << summary(normalized.plan.counts);
  EXPECT_TRUE(bed.snapshot(spec).contains("ada@x.org"));
  bed.model("select * from (values (' ADA@x.org', 1), ('bob@x.org', 3)) t(email, score)");
  EXPECT_EQ(bed.run(spec).plan.counts.changed, 1u);
}

TEST(Normalize, KeysThatWouldMergeAreToldAndNothingIsSent) {
  Bed bed;
  const std::string head =
      "model: warehouse.people\ndestination: crm\nobject: people\nfields: {score: score}\n";
  bed.model("select * from (values ('Ada', 1), ('ada', 2)) t(name, score)");
  bed.run(spec_of(head + "key: {name: name}\n"));
  bed.destination.forget_requests();
  EXPECT_EQ(code_of([&] { bed.run(spec_of(head + "key: {name: {value: name, normalize: lower}}\n")); }),
            "sync.keys_merge");
  EXPECT_TRUE(bed.destination.requests.empty());
}

TEST(SameValue, IsAboutWhatAPersonSees) {
  EXPECT_TRUE(same_value(Value(), Value::text("")));
  EXPECT_TRUE(same_value(Value::integer(1), Value::text("1.0")));
  EXPECT_TRUE(same_value(Value::decimal("12.50"), Value::real(12.5)));
  EXPECT_FALSE(same_value(Value::text("a"), Value::text("A")));
  EXPECT_TRUE(
      same_value(Value::timestamp("2026-01-01T10:00:00.120Z"), Value::timestamp("2026-01-01T10:00:00.12Z")));
  EXPECT_TRUE(same_value(Value::timestamp("2026-01-01T10:00:00.000Z"), Value::text("2026-01-01T10:00:00Z")));
  EXPECT_FALSE(same_value(Value::boolean(true), Value::integer(1)));
}

}  // namespace
}  // namespace eddy::sync
