#include "connectors/tables/lanes.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace eddy::connectors {
namespace {

struct Wire {
  bool usable() const { return works; }
  bool works = true;
};
struct Lane {
  int number = 0;
  Wire connection = {};
};
struct Cut : std::runtime_error {
  explicit Cut(bool is_lost) : runtime_error("cut"), lost(is_lost) {}
  bool is_connection_lost() const { return lost; }
  bool lost;
};

struct Bed {
  int opened = 0;
  int prepared = 0;
  bool fails = false;
  Lanes<Lane> lanes{[this] { return std::make_unique<Lane>(Lane{.number = ++opened}); },
                    [this](Lane&) {
                      if (fails) throw Cut(false);
                      ++prepared;
                    }};

  template <class Send>
  sync::Answer deliver(Send&& send) {
    return deliver_over<Cut>(lanes, 2, "t", send, [](const Cut& cut) {
      return Refusal{.blame = cut.lost ? Blame::moment : Blame::values, .code = "cut", .message = "cut"};
    });
  }
};

TEST(Lanes, AreOpenedOnDemandAndUsedAgain) {
  Bed bed;
  auto first = bed.lanes.borrow();
  auto second = bed.lanes.borrow();
  EXPECT_EQ(second->number, 2);
  bed.lanes.put_back(std::move(first));
  EXPECT_EQ(bed.lanes.borrow()->number, 1);
  bed.lanes.put_back(std::move(second));
  bed.lanes.close();
  EXPECT_EQ(bed.lanes.borrow()->number, 3);
  EXPECT_EQ(bed.prepared, 1);
}

TEST(Lanes, ArePreparedAgainWhenItHasFailed) {
  Bed bed;
  bed.fails = true;
  EXPECT_THROW(bed.lanes.borrow(), Cut);
  bed.fails = false;
  bed.lanes.borrow();
  EXPECT_EQ(bed.prepared, 1);
}

TEST(DeliverOver, WhatIsNotRefusedIsApplied) {
  Bed bed;
  const auto answer = bed.deliver([](Lane&, auto& verdicts) { verdicts[1] = null_key("id"); });
  ASSERT_EQ(answer.verdicts.size(), 2U);
  EXPECT_EQ(answer.verdicts[0].outcome, Outcome::applied);
  EXPECT_EQ(answer.verdicts[1].code, "null_key");
}

TEST(DeliverOver, ALaneThatIsLostIsNotUsedAgain) {
  Bed bed;
  int number = 0;
  const auto answer = bed.deliver([](Lane&, auto&) { throw Cut(true); });
  EXPECT_EQ(answer.verdicts[0].outcome, Outcome::retry);
  bed.deliver([](Lane& lane, auto&) {
    EXPECT_EQ(lane.number, 2);
    lane.connection.works = false;
    throw Cut(false);
  });
  bed.deliver([&](Lane& lane, auto&) { number = lane.number; });
  EXPECT_EQ(number, 3);
}

TEST(DeliverOver, ALaneThatWasOnlyToldNoIsUsedAgain) {
  Bed bed;
  int number = 0;
  const auto answer = bed.deliver([](Lane&, auto&) { throw Cut(false); });
  EXPECT_TRUE(answer.refused_whole);
  bed.deliver([&](Lane& lane, auto&) { number = lane.number; });
  EXPECT_EQ(number, 1);
}

}  // namespace
}  // namespace eddy::connectors
