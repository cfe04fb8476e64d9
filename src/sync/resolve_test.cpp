#include "sync/resolve.h"

#include <gtest/gtest.h>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::people_yaml;
using testing::spec_of;
using Records = std::map<std::string, std::string>;
using Lines = std::vector<std::string>;

const std::string three =
    "select * from (values (1, 'Ada', 0.5), (2, 'Bob', 1.5), (3, 'Cid', null)) t(id, name, score)";

// A first run whose answers for rows 2 and 3 are lost; 2 was applied, 3 was not.
class Doubt : public ::testing::Test {
 protected:
  void SetUp() override {
    bed.model(three);
    bed.destination.script = [this](std::span<const Change> changes) {
      Answer answer;
      for (const Change& change : changes) {
        const auto id = change.key[0].as_integer();
        if (id != 3) bed.destination.apply({&change, 1});
        answer.verdicts.push_back(id == 1 ? Verdict::applied()
                                          : Verdict::in_doubt("LOST", "the line was cut"));
      }
      return answer;
    };
    const SyncResult first = bed.run(spec);
    ASSERT_EQ(first.tally.in_doubt, 2u);
    bed.destination.script = {};
    bed.destination.forget_requests();
  }
  std::uint64_t settle(Finding finding, const std::vector<std::string>& keys = {}) {
    return resolve(*bed.session, spec, keys, finding, bed.next_run(), bed.clock);
  }
  std::uint64_t in_doubt() { return bed.store->count_rejects({.sync = "people", .outcome = "in_doubt"}); }

  Bed bed;
  SyncSpec spec = spec_of(people_yaml + "mode: insert\n");
};

TEST_F(Doubt, IsNeverSentAgainByItself) {
  bed.clock.advance(std::chrono::hours{2});
  const SyncResult result = bed.run(spec);
  EXPECT_TRUE(bed.destination.requests.empty());
  EXPECT_EQ(result.plan.counts.in_doubt_before, 2u);
  EXPECT_EQ(summary(result), "+0 ~0 -0, 2 in doubt before");
}

TEST_F(Doubt, AppliedRowsEnterTheSnapshotWithTheValuesAsSent) {
  bed.model(replace_all(three, "'Bob'", "'Rob'"));
  EXPECT_EQ(settle(Finding::applied, {"[2]"}), 1u);
  EXPECT_EQ(bed.snapshot(spec), (Records{{"1", "Ada|0.5"}, {"2", "Bob|1.5"}}));
  EXPECT_EQ(in_doubt(), 1u);
  EXPECT_EQ(settle(Finding::applied), 1u);
  EXPECT_EQ(bed.snapshot(spec), (Records{{"1", "Ada|0.5"}, {"2", "Bob|1.5"}, {"3", "Cid|null"}}));
  bed.reopen();
  bed.model(three);
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
  EXPECT_TRUE(bed.destination.requests.empty());
}

TEST_F(Doubt, RowsThatWereNotAppliedAreSentAgain) {
  EXPECT_EQ(settle(Finding::not_applied, {"[3]"}), 1u);
  const auto open = bed.store->rejects("people", true);
  EXPECT_EQ(open[1].code + ": " + open[1].message,
            "sync.not_applied: somebody has looked: it was not applied");
  bed.run(spec);
  EXPECT_EQ(bed.destination.sent(), Lines{"add 3=Cid|null"});
  EXPECT_EQ(in_doubt(), 1u);
  EXPECT_EQ(bed.store->count_rejects({.sync = "people"}), 1u);
}

TEST_F(Doubt, ValuesOfEveryTypeComeBackAsTheyWere) {
  Bed other;
  const SyncSpec many = spec_of(
      "model: warehouse.people\ndestination: crm\nobject: people\nmode: insert\nkey: {id: id, \"a/b~c\": "
      "region}\n"
      "fields: {d: d, t: t, n: n, b: b, l: l, s: s, x: x, j: j, nothing: nothing}\n");
  other.model(
      "select 7 as id, 'e\"u' as region, date '2026-01-02' as d, timestamp '2026-01-02 03:04:05.678' as t, "
      "12345678901234567890.12::decimal(38,2) as n, true as b, [1, 2] as l, {'a': 'x'} as s, 'ä\\n' as x, "
      "'{\"k\":1}'::json as j, null::varchar as nothing");
  other.destination.script = [](std::span<const Change> changes) {
    return Answer{.verdicts = {changes.size(), Verdict::in_doubt("LOST", "cut")}};
  };
  other.run(many);
  const auto before = other.destination.sent();
  EXPECT_EQ(resolve(*other.session, many, {}, Finding::applied, "x", other.clock), 1u);
  const auto snapshot = other.snapshot(many);
  ASSERT_EQ(snapshot.size(), 1u);
  EXPECT_EQ("add " + snapshot.begin()->first + "=" + snapshot.begin()->second, before.at(0));
}

TEST_F(Doubt, WhatIsNotInDoubtCannotBeResolved) {
  const auto refused = [&](const SyncSpec& which, const std::vector<std::string>& keys) {
    try {
      resolve(*bed.session, which, keys, Finding::applied, "x", bed.clock);
    } catch (const Error& error) {
      return error.code() + ": " + error.message() + " / " + error.hint();
    }
    return std::string();
  };
  EXPECT_EQ(refused(spec, {"[1]"}),
            "sync.nothing_in_doubt: sync people has no row in doubt with the key [1] / eddy rejects people");
  EXPECT_EQ(
      refused(spec_of(people_yaml), {}),
      "sync.nothing_in_doubt: sync people may send a row twice without harm, and does so by itself when an "
      "answer was lost; there is nothing to resolve / eddy run -s sync.people");
  settle(Finding::applied);
  EXPECT_EQ(refused(spec, {}),
            "sync.nothing_in_doubt: sync people has no row in doubt / eddy rejects people");
}

TEST_F(Doubt, IsLookedUpWhereTheDestinationCanBeRead) {
  bed.destination.readable = true;
  bed.clock.advance(std::chrono::seconds{59});
  const SyncResult early = bed.run(spec);
  EXPECT_EQ(early.doubtful.found, 1u);
  EXPECT_EQ(early.doubtful.too_young, 1u);
  EXPECT_TRUE(bed.destination.requests.empty());
  EXPECT_EQ(summary(early), "+0 ~0 -0, 1 in doubt before, 1 found there after all");
  EXPECT_EQ(bed.snapshot(spec), (Records{{"1", "Ada|0.5"}, {"2", "Bob|1.5"}}));
  bed.clock.advance(std::chrono::seconds{2});
  const SyncResult late = bed.run(spec);
  EXPECT_EQ(late.doubtful.absent, 1u);
  EXPECT_EQ(bed.destination.sent(), Lines{"add 3=Cid|null"});
  EXPECT_EQ(bed.store->count_rejects({.sync = "people"}), 0u);
  EXPECT_EQ(bed.run(spec).tally.planned, 0u);
}

TEST_F(Doubt, StaysWhereTheAnswerIsAmbiguousOrThereIsNone) {
  bed.destination.readable = true;
  bed.destination.doubled = {"2"};
  const SyncResult ambiguous = bed.run(spec);
  EXPECT_EQ(ambiguous.doubtful.ambiguous, 1u);
  EXPECT_EQ(in_doubt(), 2u);
  bed.clock.advance(std::chrono::hours{1});
  bed.destination.reading_fails = true;
  const SyncResult unasked = bed.run(spec);
  EXPECT_EQ(unasked.doubtful.note, "503 from crm");
  EXPECT_EQ(in_doubt(), 2u);
  EXPECT_TRUE(bed.destination.requests.empty());
}

TEST_F(Doubt, IsNotLookedUpForModesThatMayRepeat) {
  bed.destination.readable = true;
  const SyncSpec upserts = spec_of(people_yaml);
  bed.run(upserts);
  EXPECT_EQ(bed.destination.readings, 0);
  EXPECT_EQ(bed.destination.sent(), (Lines{"add 2=Bob|1.5", "add 3=Cid|null"}));
}

TEST_F(Doubt, ThatWasResolvedTwiceIsInTheSnapshotOnce) {
  settle(Finding::applied);
  // As after a kill between the fold and the settling of rejects.
  bed.store->put_rejects({{.sync = "people",
                           .key = "[2]",
                           .operation = "add",
                           .outcome = "in_doubt",
                           .code = "LOST",
                           .message = "",
                           .payload = R"({"key":{"id":2},"fields":{"name":"Bob","score":1.5}})",
                           .payload_hash = "h",
                           .first_seen = "2026-01-01T00:00:00Z",
                           .last_seen = "2026-01-01T00:00:00Z",
                           .run_id = "r",
                           .attempts = 1,
                           .runs = 1,
                           .status = "open"}});
  EXPECT_EQ(settle(Finding::applied), 1u);
  EXPECT_EQ(bed.snapshot(spec).size(), 3u);
  EXPECT_EQ(bed.store->count_rejects({.sync = "people"}), 0u);
}

}  // namespace
}  // namespace eddy::sync
