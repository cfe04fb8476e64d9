#include "sync/undo.h"

#include <gtest/gtest.h>

#include "sync/reset.h"
#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::code_of;
using testing::people_yaml;
using testing::spec_of;
using Records = std::map<std::string, std::string>;
using Lines = std::vector<std::string>;

const std::string before =
    "select * from (values (1, 'Ada', 0.5), (2, 'Bob', 1.5), (3, 'Cid', 3.5)) t(id, name, score)";
const std::string after =
    "select * from (values (1, 'Eve', 0.5), (2, 'Bob', 9.5), (4, 'Dot', 4.0)) t(id, name, score)";
const std::string mirror = people_yaml + "removed: delete\nguards: {removed: 100%, rows: 100%}\n";

class Undo : public ::testing::Test {
 protected:
  // The plan that takes back what `run` has sent.
  Plan undo(const SyncSpec& spec, const std::string& run) {
    auto c = bed.session->connect();
    open_sync_database(*bed.session, c);
    PlanRequest request{.kind = PlanKind::undo};
    request.undo_plan = delivered_by(c, run, spec.name).at(0).plan_id;
    request.undone_run = run;
    return plan_sync(*bed.session, spec, bed.clock, request);
  }
  SyncResult send(const SyncSpec& spec, const Plan& plan) {
    return apply_plan(*bed.session, spec, bed.destination, plan.id, bed.next_run(), bed.clock,
                      silent_progress(), *bed.cancel, {.approved = true});
  }
  Bed bed;
};

TEST_F(Undo, SendsBackTheValuesFromBefore) {
  const SyncSpec spec = spec_of(mirror);
  bed.model(before);
  bed.run(spec);
  const Records held = bed.destination.records;
  bed.model(after);
  bed.run(spec);  // run2
  bed.destination.forget_requests();
  const Plan plan = undo(spec, "run2");
  EXPECT_EQ(summary(plan.counts), "+1 ~2 -1");
  EXPECT_EQ(plan.counts.source, 4u);
  EXPECT_EQ(plan.undone_run, "run2");
  EXPECT_TRUE(bed.destination.requests.empty());
  const SyncResult result = send(spec, plan);
  EXPECT_EQ(result.status, "done");
  EXPECT_EQ(bed.destination.sent(),
            (Lines{"change 1=Ada|0.5", "change 2=Bob|1.5", "add 3=Cid|3.5", "remove 4"}));
  EXPECT_EQ(bed.destination.requests[0][1].changed, (std::vector<bool>{false, true}));
  EXPECT_EQ(bed.destination.records, held);
  EXPECT_EQ(bed.snapshot(spec), held);
  // The model has not changed its mind.
  EXPECT_EQ(summary(bed.plan(spec).counts), "+1 ~2 -1");
}

TEST_F(Undo, IsItselfUndone) {
  const SyncSpec spec = spec_of(mirror);
  bed.model(before);
  bed.run(spec);
  bed.model(after);
  bed.run(spec);
  const Records held = bed.destination.records;
  send(spec, undo(spec, "run2"));
  send(spec, undo(spec, "run3"));
  EXPECT_EQ(bed.destination.records, held);
}

TEST_F(Undo, LeavesWhatWasWrittenSince) {
  const SyncSpec spec = spec_of(mirror);
  bed.model(before);
  bed.run(spec);
  bed.model(after);
  bed.run(spec);
  bed.model("select * from (values (1, 'Eve', 0.5), (2, 'Bob', 7.5), (3, 'Cyd', 1.0)) t(id, name, score)");
  bed.run(spec);
  bed.destination.forget_requests();
  const Plan plan = undo(spec, "run2");
  EXPECT_EQ(plan.counts.changed_since, 3u);  // 2 and 3 were written, 4 was removed
  EXPECT_EQ(summary(plan.counts), "+0 ~1 -0");
  std::vector<std::string> listed;
  for (const InvalidExample& e : plan.invalid_examples) listed.push_back(e.reason + " " + e.row);
  EXPECT_EQ(listed, (Lines{"changed_since [2]", "changed_since [3]", "changed_since [4]"}));
  send(spec, plan);
  EXPECT_EQ(bed.destination.sent(), Lines{"change 1=Ada|0.5"});
}

TEST_F(Undo, PlansAreKeptForSoManyDays) {
  bed.session->remember({.plans = 100, .days = 7});
  const SyncSpec spec = spec_of(mirror);
  bed.model(before);
  bed.run(spec);
  bed.clock.advance(std::chrono::hours{24 * 5});
  bed.model(after);
  bed.run(spec);  // run2
  {
    auto c = bed.session->connect();
    EXPECT_EQ(delivered_by(c, "run1", spec.name).size(), 1u);
  }
  bed.clock.advance(std::chrono::hours{24 * 5});
  bed.model(before);
  bed.run(spec);  // run3
  auto c = bed.session->connect();
  EXPECT_EQ(code_of([&] { delivered_by(c, "run1", spec.name); }), "sync.undo_unknown");
  EXPECT_EQ(delivered_by(c, "run2", spec.name).size(), 1u);
  EXPECT_EQ(bed.query("select * from duckdb_tables() where schema_name = 'outcome'").size(), 2u);
}

TEST_F(Undo, WhatTheRunAddedStaysWhenNothingIsEverRemoved) {
  const SyncSpec spec = spec_of(people_yaml);
  bed.model(before);
  bed.run(spec);
  bed.model(after);
  bed.run(spec);
  const Plan plan = undo(spec, "run2");
  EXPECT_EQ(summary(plan.counts), "+0 ~2 -0");
  EXPECT_EQ(plan.counts.kept, 1u);
  ASSERT_EQ(plan.invalid_examples.size(), 1u);
  EXPECT_EQ(plan.invalid_examples[0].reason + plan.invalid_examples[0].row, "stays[4]");
  send(spec, plan);
  EXPECT_EQ(bed.destination.records.count("4"), 1u);
}

TEST_F(Undo, TakesBackOnlyWhatWasAcknowledged) {
  const SyncSpec spec = spec_of(mirror);
  bed.model(before);
  bed.run(spec);
  bed.model(after);
  bed.destination.script = [&](std::span<const Change> changes) {
    Answer answer;
    for (const Change& change : changes)
      answer.verdicts.push_back(change.key[0].as_integer() == 2
                                    ? Verdict::rejected("BAD", "no")
                                    : bed.destination.apply({&change, 1}).verdicts[0]);
    return answer;
  };
  bed.run(spec);
  bed.destination.script = {};
  bed.destination.forget_requests();
  const Plan plan = undo(spec, "run2");
  EXPECT_EQ(plan.counts.source, 3u);
  send(spec, plan);
  EXPECT_EQ(bed.destination.sent(), (Lines{"change 1=Ada|0.5", "add 3=Cid|3.5", "remove 4"}));
  EXPECT_EQ(bed.store->count_rejects({.sync = "people"}), 1u);  // an undo says nothing of other rows
}

TEST_F(Undo, SeesFieldsThatWereMappedLaterAndLeavesThem) {
  const SyncSpec spec = spec_of(people_yaml);
  bed.model(before);
  bed.run(spec);
  bed.model(after);
  bed.run(spec);
  const SyncSpec more = spec_of(replace_all(people_yaml, "score}", "score, twice: score * 2}"));
  EXPECT_EQ(code_of([&] { undo(more, "run2"); }), "sync.undo_mapping_changed");
  bed.run(more);
  bed.destination.forget_requests();
  send(more, undo(more, "run2"));
  EXPECT_EQ(bed.destination.sent(), (Lines{"change 1=Ada|0.5|1.0", "change 2=Bob|1.5|19.0"}));
  EXPECT_EQ(bed.destination.requests[0][1].changed, (std::vector<bool>{false, true, false}));
}

TEST_F(Undo, AValueThatHasNoPlaceInTodaysTypeIsNotSentAsNull) {
  const SyncSpec spec = spec_of(people_yaml);
  bed.model("select 1 as id, 'Ada' as name, 162.5 as score union all select 2, 'Bob', 1.5");
  bed.run(spec);
  bed.model("select 1 as id, 'Ada' as name, 0.0 as score union all select 2, 'Bob', 0.0");  // DECIMAL(2,1)
  bed.run(spec);
  const Plan plan = undo(spec, "run2");
  EXPECT_EQ(summary(plan.counts), "+0 ~1 -0");
  EXPECT_EQ(plan.counts.changed_since, 1u);
  ASSERT_EQ(plan.invalid_examples.size(), 1u);
  EXPECT_EQ(plan.invalid_examples[0].reason + plan.invalid_examples[0].row, "before_unknown[1]");
  send(spec, plan);
  EXPECT_EQ(bed.destination.records, (Records{{"1", "Ada|0.0"}, {"2", "Bob|1.5"}}));
}

TEST_F(Undo, WhatIsNoLongerKnownIsSaid) {
  const SyncSpec spec = spec_of(people_yaml);
  bed.model(before);
  bed.run(spec);
  bed.run(spec);
  try {
    undo(spec, "run2");
    FAIL() << "run2 has sent nothing";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "sync.undo_unknown");
    EXPECT_EQ(error.message(), "run run2 has sent nothing for sync people that is still known");
    EXPECT_EQ(error.hint(),
              "`eddy runs` lists the runs; of each sync the last plans are kept (`history: {plans: N}` in "
              "eddy.yml)");
  }
  reset(*bed.session, "people", "reset1");
  try {
    undo(spec, "run1");
    FAIL() << "undone";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "what sync people has delivered was forgotten by a reset");
  }
}

TEST_F(Undo, ABaselineWasNeverSent) {
  const SyncSpec spec = spec_of(people_yaml);
  bed.model(before);
  baseline(*bed.session, spec, "base", bed.clock);
  EXPECT_EQ(code_of([&] { undo(spec, "base"); }), "sync.undo_unknown");
}

TEST_F(Undo, AnInsertIsNotSentTwice) {
  const SyncSpec spec = spec_of(people_yaml + "mode: insert\n");
  bed.model(before);
  bed.run(spec);
  ApplyOptions resend;
  resend.request.kind = PlanKind::resend;
  try {
    bed.run(spec, resend);
    FAIL() << "sent";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "sync.insert_resend");
    EXPECT_EQ(error.message(), "sync people inserts: sending its rows again would make second records");
    EXPECT_EQ(error.hint(), "when they are gone at the destination: eddy sync reset people, and run it");
  }
}

}  // namespace
}  // namespace eddy::sync
