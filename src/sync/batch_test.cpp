#include "sync/batch.h"

#include <gtest/gtest.h>

#include <thread>

#include "sync/batch_queue.h"

namespace eddy::sync {
namespace {

Change row(std::uint64_t number, Operation operation = Operation::add, std::size_t bytes = 1) {
  Change change;
  change.number = number;
  change.operation = operation;
  change.key = {Value::text(std::string(bytes, 'k'))};
  return change;
}

std::vector<std::size_t> sizes(const Limits& limits, std::vector<Change> changes) {
  std::vector<std::size_t> out;
  BatchCutter cutter(limits);
  for (Change& change : changes)
    if (const auto batch = cutter.take(std::move(change))) out.push_back(batch->size());
  if (const auto batch = cutter.rest()) out.push_back(batch->size());
  return out;
}

TEST(BatchCutter, CutsByRowsByBytesAndBeforeRemoves) {
  std::vector<Change> changes;
  for (std::uint64_t i = 0; i < 7; ++i) changes.push_back(row(i));
  EXPECT_EQ(sizes({3, 100, 1}, changes), (std::vector<std::size_t>{3, 3, 1}));
  EXPECT_EQ(sizes({100, 4, 1}, changes), (std::vector<std::size_t>{4, 3}));
  changes.push_back(row(7, Operation::remove));
  changes.push_back(row(8, Operation::remove));
  EXPECT_EQ(sizes({100, 100, 1}, changes), (std::vector<std::size_t>{7, 2}));
  EXPECT_EQ(sizes({3, 100, 1}, {}), (std::vector<std::size_t>{}));
}

TEST(BatchCutter, ARowBeyondTheBytesGoesAlone) {
  EXPECT_EQ(sizes({100, 10, 1}, {row(0), row(1, Operation::change, 500), row(2)}),
            (std::vector<std::size_t>{1, 1, 1}));
}

TEST(BatchCutter, NoLimitIsABoundAllTheSame) {
  const Limits limits = bounded({0, 0, 0});
  EXPECT_GT(limits.batch_rows_max, 0U);
  EXPECT_GT(limits.batch_bytes_max, 0U);
  EXPECT_GT(limits.workers_max, 0U);
}

TEST(Batch, HalvesKeepOrderPastAndAttempts) {
  Batch batch;
  batch.attempt = 3;
  for (std::uint64_t i = 0; i < 5; ++i) batch.add(row(i), {static_cast<std::uint32_t>(i), false, "C", "m"});
  const auto [first, second] = batch.halve();
  EXPECT_EQ(batch.size(), 0U);
  ASSERT_EQ(first.size() + second.size(), 5U);
  EXPECT_EQ(first.attempt + second.attempt, 6);
  for (std::size_t i = 0; i < 5; ++i) {
    const Batch& half = i < first.size() ? first : second;
    const std::size_t at = i < first.size() ? i : i - first.size();
    EXPECT_EQ(half.changes[at].number, i);
    EXPECT_EQ(half.known(at).attempts, i);
    EXPECT_EQ(half.verdict(at, RowFate::rejected).code, "C");
  }
}

TEST(BatchQueue, ClosedItGivesWhatIsInItOrNothing) {
  BatchQueue kept(2);
  ASSERT_TRUE(kept.push({}));
  kept.close(false);
  EXPECT_FALSE(kept.push({}));
  EXPECT_TRUE(kept.pop());
  EXPECT_FALSE(kept.pop());
  BatchQueue dropped(2);
  ASSERT_TRUE(dropped.push({}));
  dropped.close(true);
  EXPECT_FALSE(dropped.pop());
}

TEST(BatchQueue, AFullOneMakesTheReaderWait) {
  BatchQueue queue(4);
  std::atomic<int> pushed{0};
  std::jthread reader([&] {
    for (int i = 0; i < 50; ++i) {
      queue.push({});
      ++pushed;
    }
    queue.close(false);
  });
  int popped = 0;
  while (queue.pop()) {
    ++popped;
    EXPECT_LE(pushed, popped + 5);  // four in the queue, one being pushed
  }
  EXPECT_EQ(popped, 50);
}

TEST(BatchCutter, RemovesHaveALimitOfTheirOwn) {
  BatchCutter cutter(bounded({.batch_rows_max = 3, .removes_max = 2}));
  const auto take = [&](Operation operation) {
    const auto full = cutter.take({0, operation, {Value::integer(1)}, {}, {}});
    return full ? full->size() : 0;
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(take(Operation::add), 0U);
  EXPECT_EQ(take(Operation::remove), 3U);
  EXPECT_EQ(take(Operation::remove), 0U);
  EXPECT_EQ(take(Operation::remove), 2U);
}

}  // namespace
}  // namespace eddy::sync
