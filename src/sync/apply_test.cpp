#include "sync/apply.h"

#include <gtest/gtest.h>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::code_of;
using testing::people_yaml;
using testing::spec_of;
using Records = std::map<std::string, std::string>;
using Lines = std::vector<std::string>;

const std::string three =
    "select * from (values (1, 'Ada', 0.5), (2, 'Bob', 1.5), (3, 'Cid', null)) t(id, name, score)";

TEST(RunSync, TheFirstRunAddsEveryRowAndTheSecondSendsNothing) {
  Bed bed;
  bed.model(three);
  const SyncSpec spec = spec_of(people_yaml);
  const SyncResult first = bed.run(spec);
  EXPECT_EQ(first.status, "done");
  EXPECT_EQ(first.plan.counts.added, 3u);
  EXPECT_EQ(first.tally.applied, 3u);
  EXPECT_EQ(first.tally.created, 3u);
  EXPECT_EQ(bed.destination.records, (Records{{"1", "Ada|0.5"}, {"2", "Bob|1.5"}, {"3", "Cid|null"}}));
  EXPECT_EQ(bed.snapshot(spec), bed.destination.records);

  bed.destination.forget_requests();
  const SyncResult second = bed.run(spec);
  EXPECT_EQ(second.status, "done");
  EXPECT_EQ(second.plan.counts.unchanged, 3u);
  EXPECT_EQ(second.tally.planned, 0u);
  EXPECT_TRUE(bed.destination.requests.empty());
}

TEST(RunSync, OnlyWhatChangedIsSentAndItSaysWhichFields) {
  Bed bed;
  bed.model(three);
  const SyncSpec spec = spec_of(people_yaml);
  bed.run(spec);
  bed.destination.forget_requests();
  bed.model("select * from (values (1, 'Ada', 0.5), (2, 'Bob', 2.5), (4, 'Dot', 4.0)) t(id, name, score)");
  const SyncResult result = bed.run(spec);
  EXPECT_EQ(bed.destination.sent(), (Lines{"change 2=Bob|2.5", "add 4=Dot|4.0"}));
  EXPECT_EQ(bed.destination.requests[0][0].changed, (std::vector<bool>{false, true}));
  EXPECT_EQ(result.plan.counts.kept, 1u);  // row 3 has left the model and stays there
  EXPECT_EQ(bed.destination.records.count("3"), 1u);
  EXPECT_EQ(result.plan.field_changes, (std::vector<std::pair<std::string, std::uint64_t>>{{"score", 1}}));
}

TEST(RunSync, RemovesOnlyWhatItDeliveredAndNothingOnTheFirstRun) {
  Bed bed;
  bed.destination.records = {{"9", "somebody's own"}};
  bed.model("select i as id, 'n' || i as name, i as score from range(20) t(i)");
  const SyncSpec spec = spec_of(people_yaml + "removed: delete\n");
  EXPECT_EQ(bed.run(spec).plan.counts.removed, 0u);
  bed.destination.records["77"] = "somebody's own";
  bed.destination.forget_requests();
  bed.model("select i as id, 'n' || i as name, i as score from range(20) t(i) where i <> 5");
  const SyncResult result = bed.run(spec);
  EXPECT_EQ(result.status, "done");
  EXPECT_EQ(bed.destination.sent(), (Lines{"remove 5"}));
  EXPECT_EQ(bed.destination.delivery.removed, Removal::erase);
  EXPECT_EQ(bed.destination.records.count("77"), 1u);
  EXPECT_EQ(bed.snapshot(spec).size(), 19u);
}

TEST(RunSync, RemovesAndOtherChangesNeverShareABatch) {
  Bed bed;
  bed.model("select i as id, 'n' as name, 1 as score from range(100) t(i)");
  const SyncSpec spec = spec_of(people_yaml + "removed: delete\n");
  bed.run(spec);
  bed.destination.forget_requests();
  bed.model(
      "select i as id, case when i % 7 = 0 then 'm' else 'n' end as name, 1 as score from range(95) t(i)");
  bed.run(spec);
  ASSERT_EQ(bed.destination.requests.size(), 2u);
  for (const auto& request : bed.destination.requests)
    for (const Change& change : request)
      EXPECT_EQ(change.operation == Operation::remove, request[0].operation == Operation::remove);
  EXPECT_EQ(bed.destination.records.size(), 95u);
}

TEST(RunSync, ARejectedRowIsKeptAndNotSentAgainUntilItChanges) {
  Bed bed;
  bed.model(three);
  const SyncSpec spec = spec_of(people_yaml);
  auto refuse_bob = [&](std::span<const Change> changes) {
    Answer answer = bed.destination.apply(changes);
    for (std::size_t i = 0; i < changes.size(); ++i)
      if (changes[i].fields[0].as_string() == "Bob") {
        bed.destination.records.erase("2");
        answer.verdicts[i] = Verdict::rejected("BAD_NAME", "Bob is taken");
      }
    return answer;
  };
  bed.destination.script = refuse_bob;
  const SyncResult first = bed.run(spec);
  EXPECT_EQ(first.status, "done_with_rejects");
  EXPECT_EQ(first.tally.rejected, 1u);
  const auto rejects = bed.store->rejects("people", true);
  ASSERT_EQ(rejects.size(), 1u);
  EXPECT_EQ(rejects[0].key, "[2]");
  EXPECT_EQ(rejects[0].code, "BAD_NAME");
  EXPECT_EQ(rejects[0].payload, R"({"key":{"id":2},"fields":{"name":"Bob","score":1.5}})");
  EXPECT_EQ(rejects[0].operation, "add");

  bed.destination.forget_requests();
  const SyncResult second = bed.run(spec);
  EXPECT_EQ(second.plan.counts.rejected_before, 1u);
  EXPECT_EQ(second.status, "done");
  EXPECT_TRUE(bed.destination.requests.empty());

  bed.model("select * from (values (1, 'Ada', 0.5), (2, 'Rob', 1.5), (3, 'Cid', null)) t(id, name, score)");
  const SyncResult third = bed.run(spec);
  EXPECT_EQ(bed.destination.sent(), (Lines{"add 2=Rob|1.5"}));
  EXPECT_EQ(third.status, "done");
  EXPECT_TRUE(bed.store->rejects("people", true).empty());
}

TEST(RunSync, ARejectIsSettledWhenItsRowLeavesTheModel) {
  Bed bed;
  bed.model(three);
  const SyncSpec spec = spec_of(people_yaml + "guards: {rows: 100%}\n");
  bed.destination.script = [](std::span<const Change> changes) {
    return Answer{std::vector(changes.size(), Verdict::rejected("NO", "no"))};
  };
  bed.run(spec);
  EXPECT_EQ(bed.store->rejects("people", true).size(), 3u);
  bed.model("select * from (values (1, 'Ada', 0.5)) t(id, name, score)");
  bed.run(spec);
  const auto open = bed.store->rejects("people", true);
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0].key, "[1]");
}

TEST(RunSync, WhatWasGivenUpGoesOutAgainWithTheNextRun) {
  Bed bed;
  bed.model(three);
  const SyncSpec spec = spec_of(people_yaml);
  bed.destination.script = [](std::span<const Change> changes) {
    return Answer{std::vector(changes.size(), Verdict::retry("BUSY", "try later"))};
  };
  const SyncResult first = bed.run(spec);
  EXPECT_EQ(first.status, "done_with_rejects");
  EXPECT_EQ(first.tally.gave_up, 3u);
  EXPECT_EQ(first.tally.requests, 6u);
  EXPECT_EQ(bed.store->rejects("people", true).at(0).outcome, "retry");
  EXPECT_EQ(bed.store->rejects("people", true).at(0).attempts, 6);
  bed.destination.script = nullptr;
  EXPECT_EQ(bed.run(spec).tally.applied, 3u);
  EXPECT_TRUE(bed.store->rejects("people", true).empty());
}

TEST(RunSync, AnUpsertInDoubtIsSentAgainEvenWhenTheModelWentBack) {
  Bed bed;
  bed.model("select 1 as id, 'A' as name, 1 as score");
  const SyncSpec spec = spec_of(people_yaml);
  bed.run(spec);
  bed.model("select 1 as id, 'B' as name, 1 as score");
  bed.destination.script = [&](std::span<const Change> changes) {
    bed.destination.apply(changes);  // it arrives, but nobody hears of it
    return Answer{std::vector(changes.size(), Verdict::in_doubt("LOST", "connection reset"))};
  };
  const SyncResult lost = bed.run(spec);
  EXPECT_EQ(lost.tally.in_doubt, 1u);
  EXPECT_EQ(lost.tally.requests, 6u);
  EXPECT_EQ(bed.snapshot(spec), (Records{{"1", "?A|1"}}));
  bed.model("select 1 as id, 'A' as name, 1 as score");
  bed.destination.script = nullptr;
  bed.destination.forget_requests();
  EXPECT_EQ(bed.run(spec).tally.applied, 1u);
  EXPECT_EQ(bed.destination.requests[0][0].changed, (std::vector<bool>{true, true}));
  EXPECT_EQ(bed.destination.records, (Records{{"1", "A|1"}}));
  EXPECT_EQ(bed.snapshot(spec), bed.destination.records);
  EXPECT_TRUE(bed.store->rejects("people", true).empty());
}

TEST(RunSync, AnInsertInDoubtIsNeverRepeated) {
  Bed bed;
  bed.model(three);
  const SyncSpec spec = spec_of(people_yaml + "mode: insert\n");
  bed.destination.script = [&](std::span<const Change> changes) {
    Answer answer = bed.destination.apply(changes);
    answer.verdicts[1] = Verdict::in_doubt("LOST", "connection reset");
    return answer;
  };
  EXPECT_EQ(bed.run(spec).tally.in_doubt, 1u);
  EXPECT_EQ(bed.destination.requests.size(), 1u);
  bed.destination.script = nullptr;
  bed.model(
      "select * from (values (1, 'Ada', 9), (2, 'Bobby', 9), (3, 'Cid', 9), (4, 'Dot', 9)) t(id, name, "
      "score)");
  bed.destination.forget_requests();
  const SyncResult second = bed.run(spec);
  EXPECT_EQ(bed.destination.sent(), (Lines{"add 4=Dot|9"}));  // changes are not for mode insert
  EXPECT_EQ(second.plan.counts.in_doubt_before, 1u);
  EXPECT_EQ(second.plan.counts.unchanged, 2u);
  EXPECT_EQ(bed.store->rejects("people", true).size(), 1u);
  for (const auto& [key, times] : bed.destination.applications) EXPECT_EQ(times, 1) << key;
}

TEST(RunSync, NullAndDuplicateKeysAreStoppedAndTheOthersGoOut) {
  Bed bed;
  bed.model(
      "select * from (values (1, 'Ada', 1), (2, 'Bob', 2), (null, 'Nil', 3), (4, 'Dot', 4), (4, 'Dan', 4)) "
      "t(id, name, score)");
  const SyncSpec spec = spec_of(people_yaml + "removed: delete\n");
  const SyncResult first = bed.run(spec);
  EXPECT_EQ(first.plan.counts.source, 5u);
  EXPECT_EQ(first.plan.counts.null_key, 1u);
  EXPECT_EQ(first.plan.counts.duplicate_key, 2u);
  EXPECT_EQ(bed.destination.records, (Records{{"1", "Ada|1"}, {"2", "Bob|2"}}));
  // Among rows that were delivered before: neither sent nor removed.
  bed.model("select * from (values (1, 'Ada', 1), (1, 'Adam', 1), (2, 'Bill', 2)) t(id, name, score)");
  bed.destination.forget_requests();
  const SyncResult second = bed.run(spec);
  EXPECT_EQ(second.plan.counts.duplicate_key, 2u);
  EXPECT_EQ(bed.destination.sent(), (Lines{"change 2=Bill|2"}));
  ASSERT_EQ(second.plan.invalid_examples.size(), 1u);
  EXPECT_EQ(second.plan.invalid_examples[0].row, R"({"key":[1],"rows":2})");
}

TEST(RunSync, ComposedKeysWork) {
  Bed bed;
  bed.model(
      "select * from (values ('a', 1, 'x'), ('a', 2, 'y'), ('b', 1, 'z'), ('b', null, 'n')) t(shop, no, "
      "name)");
  const SyncSpec spec = spec_of(
      "model: warehouse.people\ndestination: crm\nobject: people\nkey: {shop: shop, number: no}\nfields: "
      "{name: upper(name)}\nremoved: delete\nguards: {removed: 50%}\n");
  EXPECT_EQ(bed.run(spec).plan.counts.null_key, 1u);
  EXPECT_EQ(bed.destination.records, (Records{{"a|1", "X"}, {"a|2", "Y"}, {"b|1", "Z"}}));
  bed.model("select * from (values ('a', 1, 'x'), ('b', 1, 'q')) t(shop, no, name)");
  bed.destination.forget_requests();
  bed.run(spec);
  EXPECT_EQ(bed.destination.sent(), (Lines{"change b|1=Q", "remove a|2"}));
  EXPECT_EQ(bed.snapshot(spec), bed.destination.records);
}

TEST(RunSync, GuardsHoldAndApprovalReleases) {
  Bed bed;
  bed.model("select i as id, 'n' as name, i as score from range(100) t(i)");
  const SyncSpec spec = spec_of(people_yaml + "removed: delete\nguards: {changed: 20%}\n");
  bed.run(spec);
  bed.destination.forget_requests();
  bed.model("select i as id, 'n' as name, i as score from range(89) t(i)");
  const SyncResult held = bed.run(spec);
  EXPECT_EQ(held.status, "held");
  EXPECT_EQ(held.node_status(), NodeStatus::held);
  ASSERT_EQ(held.failure.size(), 1u);
  EXPECT_EQ(held.failure[0].code, "sync.held_removed");
  EXPECT_NE(held.failure[0].message.find(
                "11 of 100 delivered rows (11.0%) would be removed; the guard allows 10.0%"),
            std::string::npos)
      << held.failure[0].message;
  EXPECT_TRUE(bed.destination.requests.empty());
  const SyncResult approved =
      apply_plan(*bed.session, spec, bed.destination, held.plan.id, bed.next_run(), bed.clock,
                 silent_progress(), *bed.cancel, {.approved = true, .retry = {}});
  EXPECT_EQ(approved.status, "done");
  EXPECT_EQ(approved.tally.applied, 11u);

  bed.model("select i as id, 'm' as name, i as score from range(89) t(i)");
  EXPECT_EQ(bed.run(spec).failure.at(0).code, "sync.held_changed");
  bed.model("select i as id, 'm' as name, i as score from range(0) t(i)");
  const SyncResult empty = bed.run(spec_of(people_yaml));
  EXPECT_EQ(empty.status, "held");
  EXPECT_EQ(empty.failure.at(0).code, "sync.held_model_empty");
}

TEST(ApplyPlan, APlanIsAppliedOnceAndRefusedWhenStale) {
  Bed bed;
  bed.model(three);
  const SyncSpec spec = spec_of(people_yaml);
  const Plan plan = bed.plan(spec);
  EXPECT_EQ(bed.destination.opened, 0);
  bed.model(
      "select * from (values (7, 'Zoe', 1.0)) t(id, name, score)");  // a plan is what it was when it was made
  const auto apply = [&](const SyncSpec& with) {
    return apply_plan(*bed.session, with, bed.destination, plan.id, bed.next_run(), bed.clock,
                      silent_progress(), *bed.cancel);
  };
  EXPECT_EQ(code_of([&] {
              apply(
                  spec_of("model: warehouse.people\ndestination: crm\nobject: people\nkey: {id: id}\nfields: "
                          "{name: name}\n"));
            }),
            "sync.plan_stale");
  bed.model("select 7 as id, 'Zoe' as name, 1.0::decimal(2,1) as score");
  EXPECT_EQ(apply(spec).tally.applied, 3u);
  EXPECT_EQ(bed.destination.records.size(), 3u);
  EXPECT_EQ(code_of([&] { apply(spec); }), "sync.plan_stale");
  EXPECT_EQ(code_of([&] {
              apply_plan(*bed.session, spec, bed.destination, "none", "r", bed.clock, silent_progress(),
                         *bed.cancel);
            }),
            "sync.plan_unknown");
}

TEST(RunSync, AFailureStopsTheRunAndWhatWasAcknowledgedStays) {
  Bed bed;
  bed.model("select i as id, 'n' as name, i as score from range(50) t(i)");
  const SyncSpec spec = spec_of(people_yaml);
  bed.destination.limits.batch_rows_max = 10;
  bed.destination.script = [&](std::span<const Change> changes) -> Answer {
    if (bed.destination.requests.size() > 2)
      throw Error("crm.unauthorized", "the token was refused", "make a new one");
    return bed.destination.apply(changes);
  };
  const SyncResult result = bed.run(spec);
  EXPECT_EQ(result.status, "failed");
  EXPECT_EQ(result.failure.at(0).code, "crm.unauthorized");
  EXPECT_EQ(result.tally.applied, 20u);
  EXPECT_EQ(result.tally.not_sent, 30u);
  EXPECT_EQ(bed.destination.finished, 0);
  EXPECT_EQ(bed.snapshot(spec).size(), 20u);
  bed.destination.script = nullptr;
  EXPECT_EQ(bed.run(spec).tally.applied, 30u);
  for (const auto& [key, times] : bed.destination.applications) EXPECT_EQ(times, 1) << key;
}

TEST(RunSync, DetailsAreAFunnelThatAddsUp) {
  Bed bed;
  bed.model("select * from (values (1, 'Ada', 1), (2, 'Bob', 2), (null, 'Nil', 3)) t(id, name, score)");
  bed.destination.script = [&](std::span<const Change> changes) {
    Answer answer = bed.destination.apply(changes);
    answer.verdicts[0] = Verdict::rejected("NO", "no");
    return answer;
  };
  const SyncResult result = bed.run(spec_of(people_yaml));
  const nlohmann::json d = details(result);
  EXPECT_EQ(d["source"], 3);
  EXPECT_EQ(d["valid"], 2);
  EXPECT_EQ(d["invalid"], 1);
  EXPECT_EQ(d["planned"], 2);
  EXPECT_EQ(d["sent"], 2);
  EXPECT_EQ(d["applied"], 1);
  EXPECT_EQ(d["rejected"], 1);
  EXPECT_EQ(d["not_sent"], 0);
  EXPECT_EQ(summary(result), "+2 ~0 -0 !1 invalid, 1 rejected");
  EXPECT_EQ(result.node_status(), NodeStatus::warned);
}

TEST(RunSync, TheMappingIsCheckedAgainstTheDestinationBeforeAnythingIsSent) {
  Bed bed;
  bed.model(three);
  bed.destination.object = {
      "people", {{.name = "id"}, {.name = "name"}, {.name = "scored", .writable = true}}, false};
  try {
    bed.run(spec_of(people_yaml));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "sync.unknown_field");
    EXPECT_EQ(error.hint(), "did you mean `scored`?");
    EXPECT_EQ(error.diagnostics()[0].position.line, 5);
  }
  bed.destination.object.name = "persons";
  EXPECT_EQ(code_of([&] { bed.run(spec_of(people_yaml)); }), "sync.unknown_object");
  bed.destination.object = {
      "people", {{.name = "id"}, {.name = "name", .writable = false}, {.name = "score"}}, false};
  EXPECT_EQ(code_of([&] { bed.run(spec_of(people_yaml)); }), "sync.read_only_field");
  EXPECT_TRUE(bed.destination.requests.empty());
}

TEST(RunSync, OnlyAKeyIsEnough) {
  Bed bed;
  bed.model(three);
  const SyncSpec spec = spec_of("model: warehouse.people\ndestination: crm\nobject: people\nkey: {id: id}\n");
  EXPECT_EQ(bed.run(spec).tally.applied, 3u);
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
}

TEST(RunSync, WhatAKilledRunLeftUnfinishedIsFinishedWithNothingToSend) {
  Bed bed;
  bed.model(three);
  const SyncSpec spec = spec_of(people_yaml);
  bed.run(spec);
  EXPECT_EQ(bed.destination.finished, 1);
  bed.run(spec);
  EXPECT_EQ(bed.destination.opened, 1);
  bed.destination.finished = 0;  // as if the run had died just before
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
  EXPECT_EQ(bed.destination.finished, 1);
  EXPECT_EQ(bed.destination.opened, 2);
}

}  // namespace
}  // namespace eddy::sync
