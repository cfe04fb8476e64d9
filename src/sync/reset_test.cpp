#include "sync/reset.h"

#include <gtest/gtest.h>

#include "core/files.h"
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
const std::string two = "select * from (values (1, 'Ada', 0.5), (2, 'Rob', 1.5)) t(id, name, score)";

ApplyOptions resend() {
  ApplyOptions options;
  options.request.kind = PlanKind::resend;
  return options;
}

TEST(Resend, SendsEveryRowAndRemovesNothing) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml + "removed: delete\nguards: {removed: 100%}\n");
  bed.model(three);
  bed.run(spec);
  bed.destination.records = {{"2", "somebody wrote here|9"}};
  bed.destination.forget_requests();
  bed.model(two);
  const SyncResult result = bed.run(spec, resend());
  EXPECT_EQ(result.status, "done");
  EXPECT_EQ(bed.destination.sent(), (Lines{"change 1=Ada|0.5", "change 2=Rob|1.5"}));
  EXPECT_EQ(bed.destination.records, (Records{{"1", "Ada|0.5"}, {"2", "Rob|1.5"}}));
  EXPECT_EQ(bed.snapshot(spec).count("3"), 1u);  // delivered, and still to be removed
  bed.destination.forget_requests();
  bed.run(spec);
  EXPECT_EQ(bed.destination.sent(), Lines{"remove 3"});
}

TEST(Resend, KeepsWhatIsKnownOfRowsItDoesNotLookAt) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml + "removed: delete\nguards: {removed: 100%}\n");
  bed.model(three);
  bed.run(spec);
  bed.model(two);
  bed.destination.script = [&](std::span<const Change> changes) {
    if (changes.front().operation != Operation::remove) return bed.destination.apply(changes);
    return Answer{.verdicts = {Verdict::rejected("LOCKED", "Cid cannot be removed")}};
  };
  bed.run(spec);
  EXPECT_EQ(bed.store->count_rejects({.sync = "people", .code = "LOCKED"}), 1u);
  bed.run(spec, resend());
  EXPECT_EQ(bed.store->count_rejects({.sync = "people", .code = "LOCKED"}), 1u);
}

TEST(Reset, ForgetsAndTheNextRunIsAFirstRun) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml + "removed: delete\n");
  bed.model(three);
  bed.run(spec);
  const Plan stale = bed.plan(spec);
  bed.model(two);
  bed.destination.forget_requests();
  const Forgotten forgotten = reset(*bed.session, "people", bed.next_run());
  EXPECT_EQ(forgotten.rows, 3u);
  EXPECT_TRUE(bed.destination.requests.empty());
  EXPECT_TRUE(bed.snapshot(spec).empty());
  const Plan plan = bed.plan(spec);
  EXPECT_TRUE(plan.first);
  EXPECT_EQ(summary(plan.counts), "+2 ~0 -0");
  EXPECT_EQ(code_of([&] {
              apply_plan(*bed.session, spec, bed.destination, stale.id, "x", bed.clock, silent_progress(),
                         *bed.cancel);
            }),
            "sync.plan_stale");
  bed.run(spec);
  EXPECT_EQ(bed.destination.sent(), (Lines{"add 1=Ada|0.5", "add 2=Rob|1.5"}));
  EXPECT_EQ(bed.destination.records.count("3"), 1u);
  bed.reopen();
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
}

TEST(Reset, AFirstRunAfterItIsGuardedLikeAnyOther) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml + "guards: {first_run: 2}\n");
  bed.model(two);
  bed.run(spec);
  bed.model(three);
  reset(*bed.session, "people", bed.next_run());
  const Plan plan = bed.plan(spec);
  ASSERT_EQ(plan.holds.size(), 1u);
  EXPECT_EQ(plan.holds[0].message, "the first run would send 3 rows; the guard allows 2");
}

TEST(Reset, RefusedRowsAreTriedAgain) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml);
  bed.model(two);
  bed.destination.script = [&](std::span<const Change> changes) {
    return Answer{.verdicts = {changes.size(), Verdict::rejected("BAD", "no")}};
  };
  bed.run(spec);
  EXPECT_EQ(reset(*bed.session, "people", bed.next_run()).rejects, 2u);
  bed.destination.script = {};
  EXPECT_EQ(bed.run(spec).tally.applied, 2u);
}

TEST(Reset, AllowsAnotherObject) {
  Bed bed;
  bed.model(two);
  bed.run(spec_of(people_yaml));
  const SyncSpec other = spec_of(replace_all(people_yaml, "object: people", "object: persons"));
  bed.destination.object.name = "persons";
  EXPECT_EQ(code_of([&] { bed.run(other); }), "sync.target_changed");
  reset(*bed.session, "people", bed.next_run());
  EXPECT_EQ(bed.run(other).tally.applied, 2u);
}

// Of two files that disagree, each may be the older one.
class Disagreement : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    bed.model(three);
    bed.run(spec);
    bed.close();
    std::filesystem::copy(bed.folder() / ".eddy", bed.folder() / "backup",
                          std::filesystem::copy_options::recursive);
    bed.open();
    bed.model(two);
    bed.run(spec);
    bed.close();
    for (const char* tail : {"", ".wal", "-wal", "-shm"})
      std::filesystem::remove(bed.folder() / ".eddy" / (GetParam() + std::string(tail)));
    if (std::filesystem::exists(bed.folder() / "backup" / GetParam()))
      std::filesystem::copy(bed.folder() / "backup" / GetParam(), bed.folder() / ".eddy" / GetParam());
    bed.open();
    bed.model(two);
    bed.destination.forget_requests();
  }
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml);
};

TEST_P(Disagreement, IsSaidWithTheWaysOut) {
  try {
    bed.run(spec);
    FAIL() << "sent";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "sync.state_mismatch");
    EXPECT_EQ(error.hint(),
              "restore the folder .eddy whole from one backup; or `eddy sync reset people`: what was "
              "delivered is forgotten, and the next run sends every row and removes nothing; or `eddy sync "
              "reset people --baseline`: the model is believed to be what the destination has, and nothing "
              "is sent");
  }
  EXPECT_TRUE(bed.destination.requests.empty());
}

TEST_P(Disagreement, EndsWithAReset) {
  reset(*bed.session, "people", "reset1");
  bed.reopen();
  bed.model(two);
  EXPECT_EQ(bed.run(spec).tally.applied, 2u);
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
}

TEST_P(Disagreement, EndsWithABaselineAndNothingIsSent) {
  const Believed believed = baseline(*bed.session, spec, "reset1", bed.clock);
  EXPECT_EQ(believed.plan.counts.added, 2u);
  bed.reopen();
  bed.model("select * from (values (1, 'Ada', 0.5), (2, 'Rob', 7.5)) t(id, name, score)");
  bed.run(spec);
  EXPECT_EQ(bed.destination.sent(), Lines{"change 2=Rob|7.5"});
}

INSTANTIATE_TEST_SUITE_P(Files, Disagreement, ::testing::Values("state.db", "sync.duckdb"));

TEST(Reset, ADamagedSnapshotFileIsSetAsideAndOthersAreNamed) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml), friends = spec_of(people_yaml, "friends");
  bed.model(three);
  bed.run(spec);
  bed.run(friends);
  bed.close();
  write_file_atomically(bed.folder() / ".eddy" / "sync.duckdb", std::string(20'000, 'x'));
  bed.open();
  bed.model(three);
  try {
    bed.run(spec);
    FAIL() << "sent";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "sync.snapshot_damaged");
    EXPECT_NE(error.hint().find("`eddy sync reset SYNC` for each sync: the file is set aside"),
              std::string::npos)
        << error.hint();
  }
  const Forgotten forgotten = reset(*bed.session, "people", "reset1");
  EXPECT_EQ(forgotten.set_aside, "sync.duckdb.damaged-reset1");
  EXPECT_EQ(forgotten.others, Lines{"friends"});
  EXPECT_TRUE(std::filesystem::exists(bed.folder() / ".eddy" / forgotten.set_aside));
  EXPECT_EQ(bed.run(spec).tally.applied, 3u);
  EXPECT_EQ(code_of([&] { bed.run(friends); }), "sync.state_mismatch");
  reset(*bed.session, "friends", "reset2");
  EXPECT_EQ(bed.run(friends).tally.applied, 3u);
}

TEST(Reset, LeftLedgersAreForgottenToo) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml);
  bed.model(three);
  bed.run(spec);
  std::filesystem::create_directories(bed.folder() / ".eddy" / "ledger" / "people");
  write_file_atomically(bed.folder() / ".eddy" / "ledger" / "people" / "lost.ledger",
                        std::string(90'000, 'x'));
  EXPECT_EQ(code_of([&] { bed.run(spec); }), "sync.ledger_damaged");
  reset(*bed.session, "people", "reset1");
  EXPECT_TRUE(std::filesystem::exists(bed.folder() / ".eddy" / "ledger" / "people" / "lost.forgotten"));
  EXPECT_EQ(bed.run(spec).tally.applied, 3u);
}

TEST(Baseline, BelievesTheModelAndGoesOnFromThere) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml + "removed: delete\nguards: {removed: 100%}\n");
  bed.model(three);
  const Believed first = baseline(*bed.session, spec, bed.next_run(), bed.clock);
  EXPECT_EQ(first.plan.counts.added, 3u);
  EXPECT_TRUE(bed.destination.requests.empty());
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
  bed.model(two);
  const Believed second = baseline(*bed.session, spec, bed.next_run(), bed.clock);
  EXPECT_EQ(summary(second.plan.counts), "+0 ~1 -1");
  EXPECT_EQ(bed.snapshot(spec), (Records{{"1", "Ada|0.5"}, {"2", "Rob|1.5"}}));
  bed.model("select * from (values (2, 'Rob', 1.5)) t(id, name, score)");
  bed.run(spec, {.approved = true});
  EXPECT_EQ(bed.destination.sent(), Lines{"remove 1"});
}

TEST(Baseline, SettlesWhatWasRefusedAndWhatIsInDoubt) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml + "mode: insert\n");
  bed.model(three);
  bed.destination.script = [&](std::span<const Change> changes) {
    Answer answer{.verdicts = {changes.size(), Verdict::in_doubt("LOST", "cut")}};
    answer.verdicts[0] = Verdict::rejected("BAD", "no");
    return answer;
  };
  bed.run(spec);
  EXPECT_EQ(bed.store->count_rejects({.sync = "people"}), 3u);
  baseline(*bed.session, spec, bed.next_run(), bed.clock);
  EXPECT_EQ(bed.store->count_rejects({.sync = "people"}), 0u);
  EXPECT_EQ(bed.snapshot(spec).size(), 3u);
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
}

TEST(Baseline, AModelThatCannotBeReadCostsNothing) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml);
  bed.model(three);
  bed.run(spec);
  const SyncSpec broken = spec_of(replace_all(people_yaml, "warehouse.people", "warehouse.peple"));
  EXPECT_EQ(code_of([&] { baseline(*bed.session, broken, "b", bed.clock); }), "sync.unknown_model");
  EXPECT_EQ(bed.snapshot(spec).size(), 3u);
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
}

struct Killed {};

std::function<void(std::string_view)> killed_at(int step) {
  return [left = step](std::string_view) mutable {
    if (left-- == 0) throw Killed{};
  };
}

TEST(Reset, KilledAtAnyStepIsEndedByTheNextRun) {
  bool killed = true;
  for (int step = 0; killed; ++step) {
    Bed bed;
    const SyncSpec spec = spec_of(people_yaml + "removed: delete\n");
    bed.model(three);
    bed.run(spec);
    bed.model(two);
    killed = false;
    try {
      reset(*bed.session, "people", "reset1", killed_at(step));
    } catch (const Killed&) {
      killed = true;
    }
    bed.destination.forget_requests();
    bed.reopen();
    bed.model(two);
    const bool begun = step > 0;  // the first step is "begin", before anything is done
    EXPECT_EQ(bed.run(spec, {.approved = true}).tally.applied, 2u) << step;
    EXPECT_EQ(bed.destination.sent(),
              begun ? (Lines{"add 1=Ada|0.5", "add 2=Rob|1.5"}) : (Lines{"change 2=Rob|1.5", "remove 3"}))
        << step;
    EXPECT_EQ(bed.run(spec).tally.planned, 0u);
    ASSERT_LT(step, 10);
  }
}

TEST(Baseline, KilledAtAnyStepNothingIsSentUntilItIsSaidAgain) {
  for (const bool damaged : {false, true}) {
    bool killed = true;
    for (int step = 0; killed; ++step) {
      Bed bed;
      const SyncSpec spec = spec_of(people_yaml + "mode: insert\n");
      bed.model(two);
      bed.run(spec);
      if (damaged) {
        auto state = *bed.store->sync_state("people");
        state.epoch += 3;
        bed.store->put_sync_state(state);
      }
      bed.model(three);
      bed.destination.forget_requests();
      killed = false;
      try {
        baseline(*bed.session, spec, "base1", bed.clock, killed_at(step));
      } catch (const Killed&) {
        killed = true;
      }
      bed.reopen();
      bed.model(three);
      if (killed) {
        // Before the first step of the damaged one nothing has begun, and the mismatch stands.
        const std::string code = damaged && step == 0 ? "sync.state_mismatch" : "sync.reset_unfinished";
        EXPECT_EQ(code_of([&] { bed.run(spec); }), code) << damaged << step;
        EXPECT_TRUE(bed.destination.requests.empty());
        baseline(*bed.session, spec, "base2", bed.clock);
      }
      EXPECT_EQ(bed.run(spec).tally.planned, 0u) << damaged << step;
      EXPECT_EQ(bed.snapshot(spec).size(), 3u);
      ASSERT_LT(step, 12);
    }
  }
}

TEST(Baseline, WhatToDoWhenItWasInterruptedIsSaid) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml);
  bed.model(two);
  EXPECT_THROW(baseline(*bed.session, spec, "b", bed.clock, killed_at(0)), Killed);
  try {
    bed.run(spec);
    FAIL() << "sent";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(),
              "sync people: `eddy sync reset --baseline` was interrupted, so it is not known which rows the "
              "destination is believed to have; nothing was sent");
    EXPECT_EQ(error.hint(),
              "say it again: eddy sync reset people --baseline; or forget all: eddy sync reset people");
  }
  reset(*bed.session, "people", "r");
  EXPECT_EQ(bed.run(spec).tally.applied, 2u);
}

}  // namespace
}  // namespace eddy::sync
