#include "sync/circuit.h"

#include <gtest/gtest.h>

namespace eddy::sync {
namespace {

using namespace std::chrono_literals;

class CircuitTest : public ::testing::Test {
 protected:
  Circuit::Entry enter() { return circuit_.enter(clock_.monotonic()); }
  // An attempt of the batch that starts with this row, without an answer. True: give up.
  bool fail(std::uint64_t batch) {
    finding_ = circuit_.unanswered(enter(), batch);
    return finding_ == Circuit::Finding::hopeless;
  }
  ManualClock clock_;
  Circuit circuit_{2, 4, [this](int failed) { return clock_.monotonic() + 1s * (1 << std::min(failed, 5)); }};
  Circuit::Finding finding_ = Circuit::Finding::attempt;
};

TEST_F(CircuitTest, OpensAfterTwoFruitlessAttemptsPerWorkerAndLetsOneTry) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(enter().allowed);
    EXPECT_FALSE(fail(static_cast<std::uint64_t>(i)));
  }
  EXPECT_FALSE(fail(4));
  EXPECT_FALSE(enter().allowed);
  EXPECT_EQ(enter().until, clock_.monotonic() + 1s);
  clock_.advance(1s);
  EXPECT_TRUE(enter().trying);
  EXPECT_FALSE(enter().allowed);  // while the other one tries
}

TEST_F(CircuitTest, OneAnswerClosesIt) {
  for (int i = 0; i < 5; ++i) fail(static_cast<std::uint64_t>(i));
  clock_.advance(1s);
  EXPECT_TRUE(enter().trying);
  circuit_.answered();
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(enter().allowed);
    EXPECT_FALSE(fail(0));
  }
  EXPECT_TRUE(enter().allowed);
}

TEST_F(CircuitTest, PausesGrowAndThenTheDestinationIsGivenUp) {
  for (int i = 0; i < 5; ++i) fail(static_cast<std::uint64_t>(i));
  auto before = clock_.monotonic();
  for (const auto pause : {1s, 2s, 4s, 8s}) {
    clock_.advance(enter().until - clock_.monotonic());
    EXPECT_EQ(clock_.monotonic() - before, pause);
    before = clock_.monotonic();
    EXPECT_EQ(fail(0), pause == 8s);
    EXPECT_NE(finding_, Circuit::Finding::attempt);  // the batch that happens to try is not to blame
  }
}

TEST_F(CircuitTest, TwoPoisonousBatchesAreNoOutage) {
  for (int i = 0; i < 5; ++i) fail(static_cast<std::uint64_t>(i % 2));
  for (int i = 0; i < 20; ++i) {
    clock_.advance(24h);
    EXPECT_FALSE(fail(static_cast<std::uint64_t>(i % 2)));
    EXPECT_EQ(finding_, Circuit::Finding::attempt);
  }
  clock_.advance(24h);
  EXPECT_TRUE(fail(7));
}

TEST_F(CircuitTest, AttemptsUnderWayWhenItOpenedAreNoTries) {
  const auto under_way = enter();
  for (int i = 0; i < 5; ++i) fail(static_cast<std::uint64_t>(i));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(circuit_.unanswered(under_way, 9), Circuit::Finding::attempt);
  EXPECT_EQ(enter().until, clock_.monotonic() + 1s);  // and make the pause no longer
}

TEST_F(CircuitTest, ATryThatSentNothingIsLeftToTheNext) {
  for (int i = 0; i < 5; ++i) fail(static_cast<std::uint64_t>(i));
  clock_.advance(1s);
  const auto entry = enter();
  ASSERT_TRUE(entry.trying);
  circuit_.leave(entry);
  EXPECT_TRUE(enter().trying);
}

}  // namespace
}  // namespace eddy::sync
