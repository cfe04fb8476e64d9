// What leaves at the same time, and how often: keys in flight, halving, outages, limits, Ctrl-C.
#include <gtest/gtest.h>

#include <barrier>
#include <random>
#include <set>
#include <thread>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using namespace std::chrono_literals;
using testing::Bed;
using testing::people_yaml;
using testing::spec_of;
using testing::text_of;

std::string rows(int n) {
  return "select i as id, 'name ' || i as name, i as score from range(" + std::to_string(n) + ") t(i)";
}

Answer all(std::span<const Change> changes, const Verdict& verdict) {
  return {std::vector<Verdict>(changes.size(), verdict), false, {}};
}

// Fails the test when a key is handed to it while another call still has it.
class InFlight {
 public:
  Answer during(std::span<const Change> changes, const std::function<Answer()>& deliver) {
    {
      const std::lock_guard lock(mutex_);
      for (const Change& change : changes) EXPECT_TRUE(keys_.insert(text_of(change.key)).second);
      at_once_ = std::max(at_once_, ++calls_);
    }
    std::this_thread::yield();
    Answer answer = deliver();
    const std::lock_guard lock(mutex_);
    for (const Change& change : changes) keys_.erase(text_of(change.key));
    --calls_;
    return answer;
  }
  int at_once() const { return at_once_; }

 private:
  std::mutex mutex_;
  std::set<std::string> keys_;
  int calls_ = 0, at_once_ = 0;
};

// Eight workers, adds, changes and removes, answers of every kind: retried and halved batches stay with their
// worker, so no key is ever in two batches in flight.
TEST(InFlight, AKeyIsInOneBatchAtATime) {
  Bed bed;
  const SyncSpec spec =
      spec_of(people_yaml + "removed: delete\nguards: {removed: 100%, changed: 100%, rows: 100%}\n");
  InFlight in_flight;
  std::mutex mutex;
  std::minstd_rand random(11);
  const auto dice = [&](unsigned sides) {
    const std::lock_guard lock(mutex);
    return random() % sides;
  };
  bed.destination.limits = {7, 0, 8};
  bed.destination.script = [&](std::span<const Change> changes) {
    return in_flight.during(changes, [&] {
      const unsigned way = dice(10);
      if (way == 0) {
        Answer refused = all(changes, Verdict::retry("WHOLE", "refused"));
        refused.refused_whole = true;
        return refused;
      }
      if (way == 1) return all(changes, Verdict::in_doubt("LOST", "cut"));
      Answer answer = bed.destination.apply(changes);
      if (way == 2) answer.verdicts.front() = Verdict::retry("LOCKED", "row locked");
      return answer;
    });
  };
  bed.model(rows(1'500));
  bed.run(spec);
  // A third goes, a third changes, a third is new.
  bed.model("select i as id, 'other ' || i as name, i as score from range(500, 2000) t(i)");
  bed.run(spec);
  EXPECT_GT(in_flight.at_once(), 1);
}

// The foundation of that: a plan never holds a key twice, as an add and as a remove least of all.
TEST(InFlight, APlanHoldsAKeyOnce) {
  Bed bed;
  const SyncSpec spec =
      spec_of(people_yaml + "removed: delete\nguards: {removed: 100%, changed: 100%, rows: 100%}\n");
  std::minstd_rand random(3);
  for (int round = 0; round < 6; ++round) {
    std::vector<std::string> values;
    for (int i = 0; i < 60; ++i)
      values.push_back(fmt::format("({}, 'n{}', {})", random() % 40, random() % 3, random() % 5));
    bed.model("select * from (values " + join(values, ", ") + ") t(id, name, score)");
    const Plan plan = bed.plan(spec);
    std::set<std::string> keys;
    auto connection = bed.session->connect();
    open_sync_database(*bed.session, connection);
    for (const Change& change : changes(connection, plan, 0, plan.counts.planned()))
      EXPECT_TRUE(keys.insert(text_of(change.key)).second) << round;
    EXPECT_EQ(keys.size(), plan.counts.planned());
    bed.run(spec);
  }
}

TEST(InFlight, HalvingCostsAtMostTwoRequestsPerLevelAndBadRow) {
  std::minstd_rand random(5);
  for (const std::size_t n : {2U, 3U, 100U, 1'000U})
    for (const std::size_t bad : {1U, 3U}) {
      if (bad > n) continue;
      std::set<std::int64_t> poison;
      while (poison.size() < bad) poison.insert(static_cast<std::int64_t>(random() % n));
      Bed bed;
      bed.model(rows(static_cast<int>(n)));
      bed.destination.limits = {n, 0, 1};
      bed.destination.script = [&](std::span<const Change> changes) {
        if (std::none_of(changes.begin(), changes.end(),
                         [&](const Change& c) { return poison.contains(c.key[0].as_integer()); }))
          return bed.destination.apply(changes);
        Answer answer = all(changes, Verdict::rejected("BAD", "one of them is bad"));
        answer.refused_whole = true;
        return answer;
      };
      const SyncResult result = bed.run(spec_of(people_yaml));
      EXPECT_EQ(result.tally.rejected, bad);
      EXPECT_EQ(result.tally.applied, n - bad);
      const auto levels = static_cast<std::uint64_t>(std::ceil(std::log2(static_cast<double>(n))));
      EXPECT_LE(result.tally.requests, 1 + bad * (2 * levels + 1)) << n << " rows, " << bad << " bad";
    }
}

// An outage met by eight workers: a few more requests than workers, not hundreds.
TEST(InFlight, AnOutageIsProbedNotHammered) {
  Bed bed;
  bed.model(rows(10'000));
  bed.destination.limits = {10, 0, 8};
  bed.destination.script = [](std::span<const Change> changes) {
    return all(changes, Verdict::retry("http_503", "unavailable"));
  };
  const SyncResult result = bed.run(spec_of(people_yaml));
  EXPECT_EQ(result.status, "failed");
  EXPECT_EQ(result.failure.at(0).code, "sync.destination_unavailable");
  EXPECT_EQ(result.tally.applied, 0U);
  EXPECT_EQ(result.tally.sent, result.tally.gave_up);
  EXPECT_LE(result.tally.requests, 2U * 8 + 1 + 8 + 6);
  // Nothing is lost: all goes out once it answers again.
  bed.destination.script = nullptr;
  EXPECT_EQ(bed.run(spec_of(people_yaml)).tally.applied, 10'000U);
}

TEST(InFlight, AnOutageThatEndsIsSurvived) {
  Bed bed;
  bed.model(rows(2'000));
  bed.destination.limits = {10, 0, 8};
  const auto start = bed.clock.monotonic();
  // Pauses on this clock take no time, so the workers are kept in step until the circuit is about to open.
  std::barrier in_step(8);
  std::atomic<int> calls{0};
  bed.destination.script = [&](std::span<const Change> changes) {
    if (++calls <= 16) in_step.arrive_and_wait();
    if (bed.clock.monotonic() - start < 12s) return all(changes, Verdict::retry("http_503", "unavailable"));
    return bed.destination.apply(changes);
  };
  const SyncResult result = bed.run(spec_of(people_yaml));
  EXPECT_EQ(result.status, "done");
  EXPECT_EQ(result.tally.applied, 2'000U);
}

// A destination that fails now and then: all that is needed is sent again, and hardly more.
TEST(InFlight, FlappingCostsWhatItMust) {
  for (const unsigned percent : {5U, 20U, 50U}) {
    Bed bed;
    bed.model(rows(5'000));
    bed.destination.limits = {10, 0, 4};
    std::mutex mutex;
    std::minstd_rand random(percent);
    bed.destination.script = [&](std::span<const Change> changes) {
      {
        const std::lock_guard lock(mutex);
        if (random() % 100 < percent) return all(changes, Verdict::retry("http_502", "bad gateway"));
      }
      return bed.destination.apply(changes);
    };
    const SyncResult result = bed.run(spec_of(people_yaml));
    EXPECT_TRUE(result.failure.empty()) << percent;
    EXPECT_EQ(result.tally.applied + result.tally.gave_up, 5'000U);
    EXPECT_LE(static_cast<double>(result.tally.requests), 1.2 * 500 * 100 / (100 - percent)) << percent;
  }
}

TEST(InFlight, WhatALimitHeldBackIsNoAttempt) {
  Bed bed;
  bed.model(rows(3));
  int calls = 0;
  bed.destination.script = [&](std::span<const Change> changes) {
    if (++calls > 50) return bed.destination.apply(changes);
    Answer answer = all(changes, Verdict::retry("paced", "held back"));
    answer.retry_after = 10min;
    answer.held_back = true;
    return answer;
  };
  const SyncResult result = bed.run(spec_of(people_yaml));
  EXPECT_EQ(result.status, "done");
  EXPECT_EQ(result.tally.applied, 3U);
}

TEST(InFlight, InterruptedWhileHeldBackNothingWasSent) {
  for (const bool inserts : {false, true}) {
    Bed bed;
    bed.model(rows(3));
    bed.destination.script = [&](std::span<const Change> changes) {
      bed.cancel->request();
      Answer answer = all(changes, Verdict::retry("paced", "held back"));
      answer.retry_after = 1h;
      answer.held_back = true;
      return answer;
    };
    const SyncSpec spec = spec_of(people_yaml + (inserts ? "mode: insert\n" : ""));
    const auto before = bed.clock.monotonic();
    const SyncResult result = bed.run(spec);
    EXPECT_EQ(result.status, "interrupted");
    EXPECT_EQ(result.node_status(), NodeStatus::interrupted);
    EXPECT_EQ(result.tally.sent, 0U);
    EXPECT_EQ(result.tally.not_sent, 3U);
    EXPECT_LT(bed.clock.monotonic() - before, 1s);
    // Resumable: the next run sends all of them, inserts too.
    bed.destination.script = nullptr;
    bed.cancel = std::make_unique<Cancel>();
    EXPECT_EQ(bed.run(spec).tally.applied, 3U);
  }
}

// Ctrl-C at every moment of a run with retries: what is in flight is recorded, the next run does the rest.
TEST(InFlight, InterruptedAnywhereTheNextRunDoesTheRest) {
  for (const int at : {1, 2, 5, 9, 14}) {
    Bed bed;
    bed.model(rows(100));
    bed.destination.limits = {10, 0, 3};
    std::atomic<int> requests{0};
    bed.destination.script = [&](std::span<const Change> changes) {
      const int now = ++requests;
      if (now == at) bed.cancel->request();
      if (now % 3 == 0) return all(changes, Verdict::retry("BUSY", "later"));
      if (now % 7 == 0) return all(changes, Verdict::in_doubt("LOST", "cut"));
      return bed.destination.apply(changes);
    };
    const SyncSpec spec = spec_of(people_yaml);
    const SyncResult cut = bed.run(spec);
    EXPECT_TRUE(cut.status == "interrupted" || cut.tally.not_sent + cut.tally.gave_up == 0) << at;
    EXPECT_EQ(cut.tally.planned, cut.tally.sent + cut.tally.not_sent) << at;
    bed.destination.script = nullptr;
    bed.cancel = std::make_unique<Cancel>();
    EXPECT_EQ(bed.run(spec).status, "done") << at;
    EXPECT_EQ(bed.destination.records.size(), 100U) << at;
    EXPECT_EQ(bed.snapshot(spec), bed.destination.records) << at;
  }
}

}  // namespace
}  // namespace eddy::sync
