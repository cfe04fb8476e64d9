#include "sync/occasions.h"

#include <gtest/gtest.h>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::people_yaml;
using testing::spec_of;

class Occasions : public ::testing::Test {
 protected:
  // What a row is known by at the destination with the run that now comes; "" when it is not sent.
  std::string key_of_next(const std::string& name) {
    bed.model("select 1 as id, '" + name + "' as name, 0 as score");
    bed.destination.forget_requests();
    bed.run(spec);
    if (bed.destination.requests.empty()) return "";
    return idempotency_key(bed.destination.delivery, bed.destination.requests.back().front());
  }
  void lose_answers() {
    bed.destination.script = [&](std::span<const Change> changes) {
      Answer answer = bed.destination.apply(changes);
      for (Verdict& verdict : answer.verdicts) verdict = Verdict::in_doubt("lost", "no answer");
      return answer;
    };
  }
  Bed bed;
  SyncSpec spec = spec_of(people_yaml);
};

TEST_F(Occasions, ARowThatComesBackToWhatItWasIsNews) {
  std::set<std::string> keys;
  for (const char* name : {"A", "B", "A", "B", "A"}) keys.insert(key_of_next(name));
  EXPECT_EQ(keys.size(), 5u);
  EXPECT_FALSE(keys.contains(""));
}

TEST_F(Occasions, WhatMayHaveArrivedIsKnownWhenItComesAgain) {
  key_of_next("A");
  lose_answers();
  const std::string first = key_of_next("B");
  const std::string second = key_of_next("B");  // lost once more
  bed.destination.script = nullptr;
  const std::string third = key_of_next("B");
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(second, first);
  EXPECT_EQ(third, first);
  EXPECT_EQ(key_of_next("B"), "") << "it was acknowledged";
  EXPECT_NE(key_of_next("A"), first);
  EXPECT_NE(key_of_next("B"), first) << "the same values, years later";
}

TEST_F(Occasions, ARowIsInsertedOnce) {
  Delivery one{.object = "o", .mode = Mode::insert, .key = {}, .fields = {}, .options = {}, .sync = "s"};
  Delivery other = one;
  one.plan = "p1";
  other.plan = "p2";
  const Change change{7, Operation::add, {Value::integer(1)}, {}, {}};
  EXPECT_EQ(idempotency_key(one, change), idempotency_key(other, change));
  one.mode = other.mode = Mode::upsert;
  EXPECT_NE(idempotency_key(one, change), idempotency_key(other, change));
}

}  // namespace
}  // namespace eddy::sync
