#include "sync/fold.h"

#include <gtest/gtest.h>

#include <fstream>

#include "sync/ledger.h"
#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::code_of;
using testing::people_yaml;
using testing::spec_of;
using Records = std::map<std::string, std::string>;

struct Killed {};

std::string rows(int n) {
  return "select i as id, 'n' || i as name, i as score from range(" + std::to_string(n) + ") t(i)";
}

// What a killed run leaves: a plan, and a ledger in which the rows below `applied` were acknowledged and the
// next one may have left.
std::filesystem::path leave_ledger(Bed& bed, const SyncSpec& spec, std::uint64_t applied,
                                   bool with_reject = false) {
  const Plan plan = bed.plan(spec);
  const std::string run = bed.next_run();
  const auto file = ledger_file(*bed.session, spec.name, run);
  Ledger ledger(file,
                {spec.name, plan.id, run, plan.epoch, plan.counts.planned(), spec.mode == Mode::insert});
  std::vector<RowVerdict> verdicts;
  for (std::uint64_t i = 0; i < applied; ++i) verdicts.push_back({i, RowFate::applied, false, 1, "", "", ""});
  if (with_reject) verdicts.push_back({applied, RowFate::rejected, false, 1, "NO", "no", ""});
  if (spec.mode == Mode::insert) {
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t i = 0; i <= applied; ++i) numbers.push_back(i);
    ledger.intend(numbers);
  } else {
    ledger.intend(0, plan.counts.planned());
  }
  ledger.record(verdicts);
  return file;
}

TEST(Fold, WhatAKilledRunLearnedIsFoldedByTheNext) {
  Bed bed;
  bed.model(rows(10));
  const SyncSpec spec = spec_of(people_yaml);
  leave_ledger(bed, spec, 4, true);
  const Plan next = bed.plan(spec);
  EXPECT_EQ(bed.snapshot(spec).size(), 4u);
  EXPECT_EQ(next.counts.added, 5u);
  EXPECT_EQ(next.counts.rejected_before, 1u);
  EXPECT_EQ(next.epoch, 1u);
}

TEST(Fold, RowsThatMayHaveLeftAreSentAgainWhateverTheModelSays) {
  Bed bed;
  bed.model(rows(5));
  const SyncSpec spec = spec_of(people_yaml);
  bed.run(spec);
  bed.model("select i as id, 'changed' as name, i as score from range(5) t(i)");
  leave_ledger(bed, spec, 2);
  bed.model(rows(5));  // and back
  bed.destination.forget_requests();
  const SyncResult result = bed.run(spec);
  EXPECT_EQ(result.tally.applied, 5u);  // two were acknowledged with the other value, three are not known
  EXPECT_EQ(bed.snapshot(spec), bed.destination.records);
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
}

TEST(Fold, AnInsertThatMayHaveLeftIsListedAndNotRepeated) {
  Bed bed;
  bed.model(rows(5));
  const SyncSpec spec = spec_of(people_yaml + "mode: insert\n");
  leave_ledger(bed, spec, 2);
  const SyncResult result = bed.run(spec);
  EXPECT_EQ(result.tally.applied, 2u);
  EXPECT_EQ(result.plan.counts.in_doubt_before, 1u);
  const auto rejects = bed.store->rejects("people", true);
  ASSERT_EQ(rejects.size(), 1u);
  EXPECT_EQ(rejects[0].key, "[2]");
  EXPECT_EQ(rejects[0].outcome, "in_doubt");
  EXPECT_EQ(rejects[0].code, "sync.interrupted");
}

TEST(Fold, FinishesAfterAStopBeforeEveryStep) {
  for (const std::string stop : {"snapshot", "rejects", "state", "ledger"}) {
    Bed bed;
    bed.model(rows(10));
    const SyncSpec spec = spec_of(people_yaml);
    bed.run(spec);
    bed.model(
        "select i as id, case when i < 6 then 'x' else 'n' || i end as name, i as score from range(12) t(i)");
    leave_ledger(bed, spec, 5, true);
    {
      auto c = bed.session->connect();
      EXPECT_THROW(recover(*bed.session, c, spec.name, bed.clock,
                           [&](std::string_view step) {
                             if (step == stop) throw Killed{};
                           }),
                   Killed);
    }
    bed.reopen();
    const Plan plan = bed.plan(spec);
    EXPECT_EQ(plan.epoch, 2u) << stop;
    EXPECT_EQ(plan.counts.added + plan.counts.changed, 2u) << stop;
    EXPECT_EQ(plan.counts.rejected_before, 1u) << stop;
    EXPECT_EQ(bed.store->sync_state("people")->epoch, 2u) << stop;
    EXPECT_EQ(bed.store->rejects("people", true).at(0).attempts, 1) << stop;
    auto c = bed.session->connect();
    EXPECT_EQ(recover(*bed.session, c, spec.name, bed.clock).epoch, 2u) << stop;  // once more changes nothing
  }
}

TEST(Fold, AnEmptyLedgerIsAsIfThereWereNone) {
  Bed bed;
  bed.model(rows(3));
  const SyncSpec spec = spec_of(people_yaml);
  std::filesystem::create_directories(bed.folder() / ".eddy/ledger/people");
  std::ofstream(bed.folder() / ".eddy/ledger/people/run0.ledger").put('E');
  EXPECT_EQ(bed.run(spec).tally.applied, 3u);
  EXPECT_FALSE(std::filesystem::exists(bed.folder() / ".eddy/ledger/people/run0.ledger"));
}

TEST(Recover, AMissingOrOlderFileStopsEverything) {
  Bed bed;
  bed.model(rows(20));
  const SyncSpec spec = spec_of(people_yaml);
  const auto snapshot = bed.folder() / ".eddy/sync.duckdb", state = bed.folder() / ".eddy/state.db";
  const auto save = [&](const std::string& suffix) {
    bed.close();
    for (const auto& file : {snapshot, state})
      std::filesystem::copy_file(file, file.string() + suffix,
                                 std::filesystem::copy_options::overwrite_existing);
    bed.open();
  };
  const auto refused = [&] {
    std::string message;
    bed.reopen();
    try {
      bed.run(spec);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "sync.state_mismatch");
      message = error.message();
    }
    return message;
  };
  const auto put = [&](const std::filesystem::path& file, const std::string& suffix) {
    bed.close();
    for (const char* wal : {".wal", "-wal", "-shm"}) std::filesystem::remove(file.string() + wal);
    std::filesystem::copy_file(file.string() + suffix, file,
                               std::filesystem::copy_options::overwrite_existing);
    bed.open();
  };
  bed.run(spec);
  save(".one");
  bed.model(rows(25));
  bed.run(spec);
  bed.model(rows(30));
  bed.run(spec);
  save(".three");
  bed.destination.forget_requests();

  put(snapshot, ".one");
  EXPECT_NE(refused().find("the snapshot (.eddy/sync.duckdb) is older than the control database"),
            std::string::npos);
  bed.close();
  std::filesystem::remove(snapshot);
  EXPECT_NE(refused().find("the snapshot (.eddy/sync.duckdb) is older"), std::string::npos);
  put(snapshot, ".three");
  put(state, ".one");
  EXPECT_NE(refused().find("the control database (.eddy/state.db) is older"), std::string::npos);
  put(state, ".three");
  EXPECT_TRUE(bed.destination.requests.empty());
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
}

TEST(Recover, ADamagedLedgerStopsEverything) {
  Bed bed;
  bed.model(rows(5));
  const SyncSpec spec = spec_of(people_yaml);
  const auto file = leave_ledger(bed, spec, 2);
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(20);
  out.put('\xff');
  out.close();
  EXPECT_EQ(code_of([&] { bed.run(spec); }), "sync.ledger_damaged");
  EXPECT_TRUE(bed.destination.requests.empty());
}

TEST(Recover, ALedgerOfAnotherHistoryIsRefused) {
  Bed bed;
  bed.model(rows(5));
  const SyncSpec spec = spec_of(people_yaml);
  const auto file = leave_ledger(bed, spec, 2);
  const auto aside = bed.folder() / "aside";
  std::filesystem::rename(file, aside);
  bed.run(spec);
  std::filesystem::rename(aside, file);
  EXPECT_EQ(code_of([&] { bed.run(spec); }), "sync.state_mismatch");
}

}  // namespace
}  // namespace eddy::sync
