#include "sync/delivery.h"

#include <gtest/gtest.h>

#include "core/secrets.h"
#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using std::chrono::milliseconds;
using testing::Bed;
using testing::people_yaml;
using testing::spec_of;

std::string rows(int n) {
  return "select i as id, 'name ' || i as name, i as score from range(" + std::to_string(n) + ") t(i)";
}

Answer all(std::span<const Change> changes, const Verdict& verdict) {
  return {std::vector<Verdict>(changes.size(), verdict), false, {}};
}

TEST(Deliver, CutsBatchesByRowsAndBytes) {
  Bed bed;
  bed.model(rows(25));
  bed.destination.limits = {10, 0, 1};
  bed.run(spec_of(people_yaml));
  ASSERT_EQ(bed.destination.requests.size(), 3u);
  EXPECT_EQ(bed.destination.requests[0].size(), 10u);
  EXPECT_EQ(bed.destination.requests[2].size(), 5u);

  Bed small;
  small.model("select i as id, repeat('x', 1000) as name, i as score from range(10) t(i)");
  small.destination.limits = {100, 2'200, 1};
  small.run(spec_of(people_yaml));
  EXPECT_EQ(small.destination.requests.size(), 5u);
  EXPECT_EQ(small.destination.records.size(), 10u);
}

TEST(Deliver, ManyWorkersSendEveryRowOnce) {
  Bed bed;
  bed.model(rows(30'000));
  bed.destination.limits = {70, 0, 8};
  const SyncResult result = bed.run(spec_of(people_yaml));
  EXPECT_EQ(result.tally.applied, 30'000u);
  EXPECT_EQ(bed.destination.records.size(), 30'000u);
  for (const auto& [key, times] : bed.destination.applications) ASSERT_EQ(times, 1) << key;
  EXPECT_LE(result.tally.groups, result.tally.requests + 10);
}

TEST(Deliver, BacksOffExponentiallyAndSendsOnlyWhatMayBeSentAgain) {
  Bed bed;
  bed.model(rows(4));
  std::vector<Clock::MonotonicTime> times;
  bed.destination.script = [&](std::span<const Change> changes) {
    times.push_back(bed.clock.monotonic());
    if (times.size() == 5) return bed.destination.apply(changes);
    Answer answer = all(changes, Verdict::retry("BUSY", "later"));
    if (times.size() == 1) answer.verdicts[0] = Verdict::applied();
    return answer;
  };
  const SyncResult result = bed.run(spec_of(people_yaml));
  EXPECT_EQ(result.status, "done");
  ASSERT_EQ(times.size(), 5u);
  EXPECT_EQ(bed.destination.requests[1].size(), 3u);
  milliseconds base{500};
  for (std::size_t i = 1; i < times.size(); ++i, base *= 2) {
    EXPECT_GE(times[i] - times[i - 1], base / 2) << i;
    EXPECT_LE(times[i] - times[i - 1], base) << i;
  }
}

TEST(Deliver, WaitsAsLongAsTheDestinationAsksButNotForEver) {
  Bed bed;
  bed.model(rows(2));
  std::vector<Clock::MonotonicTime> times;
  bed.destination.script = [&](std::span<const Change> changes) {
    times.push_back(bed.clock.monotonic());
    if (times.size() == 4) return bed.destination.apply(changes);
    Answer answer = all(changes, Verdict::retry("THROTTLED", "slow down"));
    answer.retry_after = times.size() == 1   ? milliseconds{42'000}
                         : times.size() == 2 ? milliseconds{1'000'000'000}
                                             : milliseconds{-5};
    return answer;
  };
  EXPECT_EQ(bed.run(spec_of(people_yaml)).status, "done");
  EXPECT_EQ(times[1] - times[0], milliseconds{42'000});
  EXPECT_EQ(times[2] - times[1], milliseconds{900'000});
  EXPECT_EQ(times[3] - times[2], milliseconds{0});
}

TEST(Deliver, HalvesABatchRefusedAsAWholeUntilTheBadRowStandsAlone) {
  Bed bed;
  bed.model(rows(100));
  bed.destination.script = [&](std::span<const Change> changes) {
    const bool bad = std::any_of(changes.begin(), changes.end(),
                                 [](const Change& c) { return c.key[0].as_integer() == 37; });
    if (!bad) return bed.destination.apply(changes);
    Answer answer = all(changes, Verdict::rejected("MALFORMED", "row 37"));
    answer.refused_whole = true;
    return answer;
  };
  const SyncResult result = bed.run(spec_of(people_yaml));
  EXPECT_EQ(result.tally.applied, 99u);
  EXPECT_EQ(result.tally.rejected, 1u);
  EXPECT_LE(result.tally.requests, 15u);  // 1 + 2 * ceil(log2(100))
  EXPECT_EQ(bed.store->rejects("people", true).at(0).key, "[37]");
}

TEST(Deliver, AWrongNumberOfVerdictsFailsTheRunAndLeavesTheRowsInDoubt) {
  Bed bed;
  bed.model(rows(10));
  bed.destination.limits.batch_rows_max = 5;
  bed.destination.script = [&](std::span<const Change> changes) {
    Answer answer = bed.destination.apply(changes);
    if (bed.destination.requests.size() == 1) answer.verdicts.pop_back();
    return answer;
  };
  const SyncResult result = bed.run(spec_of(people_yaml));
  EXPECT_EQ(result.status, "failed");
  EXPECT_EQ(result.failure.at(0).code, "sync.verdict_count");
  EXPECT_EQ(result.tally.in_doubt, 5u);
  EXPECT_EQ(result.tally.not_sent, 5u);
  EXPECT_TRUE(bed.snapshot(spec_of(people_yaml)).empty());
}

TEST(Deliver, AConnectorThatThrowsSomethingElseLeavesItsRowsInDoubt) {
  Bed bed;
  bed.model(rows(3));
  bed.destination.script = [](std::span<const Change>) -> Answer { throw std::runtime_error("surprise"); };
  const SyncResult result = bed.run(spec_of(people_yaml));
  EXPECT_EQ(result.failure.at(0).code, "sync.connector_failed");
  EXPECT_EQ(result.tally.in_doubt, 3u);
}

TEST(Deliver, CancelFinishesWhatIsInFlight) {
  Bed bed;
  bed.model(rows(100));
  bed.destination.limits = {10, 0, 2};
  std::atomic<int> requests = 0;
  bed.destination.script = [&](std::span<const Change> changes) {
    if (++requests == 3) bed.cancel->request();
    return bed.destination.apply(changes);
  };
  const SyncSpec spec = spec_of(people_yaml);
  const SyncResult result = bed.run(spec);
  EXPECT_EQ(result.status, "interrupted");
  EXPECT_EQ(result.tally.applied, bed.destination.records.size());
  EXPECT_EQ(result.tally.applied + result.tally.not_sent, 100u);
  EXPECT_GT(result.tally.not_sent, 0u);
  EXPECT_EQ(bed.destination.finished, 0);
  EXPECT_EQ(bed.snapshot(spec), bed.destination.records);
}

TEST(Deliver, CancelDuringABackOffGivesUpTheRowsAndDoesNotWait) {
  Bed bed;
  bed.model(rows(3));
  bed.destination.script = [&](std::span<const Change> changes) {
    bed.cancel->request();
    Answer answer = all(changes, Verdict::retry("BUSY", "later"));
    answer.retry_after = std::chrono::hours{1};
    return answer;
  };
  const auto before = bed.clock.monotonic();
  const SyncResult result = bed.run(spec_of(people_yaml));
  EXPECT_EQ(result.status, "interrupted");
  EXPECT_EQ(result.tally.gave_up, 3u);
  EXPECT_EQ(result.tally.requests, 1u);
  EXPECT_LT(bed.clock.monotonic() - before, milliseconds{1'000});
}

TEST(Deliver, ADestinationThatAnswersNobodyIsLeftAlone) {
  Bed bed;
  bed.model(rows(100));
  bed.destination.limits = {1, 0, 1};
  bed.destination.script = [](std::span<const Change> changes) {
    return all(changes, Verdict::retry("HTTP_503", "unavailable"));
  };
  const SyncResult result = bed.run(spec_of(people_yaml));
  EXPECT_EQ(result.status, "failed");
  EXPECT_EQ(result.failure.at(0).code, "sync.destination_unavailable");
  EXPECT_EQ(result.tally.gave_up, 3u);
  EXPECT_EQ(result.tally.not_sent, 97u);
}

TEST(Deliver, APoisonRowDoesNotStopTheOthers) {
  Bed bed;
  bed.model(rows(50));
  bed.destination.limits = {1, 0, 1};
  bed.destination.script = [&](std::span<const Change> changes) {
    if (changes[0].key[0].as_integer() % 10 == 0) return all(changes, Verdict::retry("LOCKED", "locked"));
    return bed.destination.apply(changes);
  };
  const SyncResult result = bed.run(spec_of(people_yaml));
  EXPECT_EQ(result.status, "done_with_rejects");
  EXPECT_EQ(result.tally.applied, 45u);
  EXPECT_EQ(result.tally.gave_up, 5u);
}

TEST(Deliver, SecretsInAnAnswerAreNotKept) {
  Bed bed;
  bed.model(rows(1));
  register_secret("s3cret-token-of-the-test");
  bed.destination.script = [](std::span<const Change> changes) {
    return all(changes, Verdict::rejected("NO", "the token s3cret-token-of-the-test is bad"));
  };
  bed.run(spec_of(people_yaml));
  EXPECT_EQ(bed.store->rejects("people", true).at(0).message, "the token *** is bad");
}

}  // namespace
}  // namespace eddy::sync
