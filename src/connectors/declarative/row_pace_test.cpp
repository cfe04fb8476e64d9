// One record is not written more often than its service takes.
#include "connectors/declarative/row_pace.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace eddy::connectors {
namespace {

using namespace std::chrono_literals;

// Applies everything and keeps what it was sent.
class Recorder final : public sync::Writer {
 public:
  Recorder(std::vector<std::string>& sent, sync::Answer& otherwise) : sent_(sent), otherwise_(otherwise) {}
  sync::Limits limits() const override { return {10, 0, 2}; }
  sync::Answer deliver(std::span<const Change> changes) override {
    if (otherwise_.held_back) return otherwise_;
    sync::Answer answer;
    for (const Change& change : changes) {
      sent_.push_back(change.key.front().to_text());
      answer.verdicts.push_back(Verdict::applied(sent_.back()));
    }
    return answer;
  }
  std::vector<std::string> preview(std::span<const Change>) override { return {}; }

 private:
  std::vector<std::string>& sent_;
  sync::Answer& otherwise_;
};

class RowPaceTest : public ::testing::Test {
 protected:
  std::unique_ptr<PacedWriter> writer(const std::string& object = "users") {
    sync::Delivery delivery;
    delivery.object = object;
    delivery.key = {{"external_id", Type::text}};
    return std::make_unique<PacedWriter>(std::make_unique<Recorder>(sent_, otherwise_), pace_,
                                         *pace_->limit_of(object), delivery);
  }
  static std::vector<Change> changes(const std::vector<std::string>& keys) {
    std::vector<Change> out;
    for (const std::string& key : keys)
      out.push_back({out.size(), Operation::change, {Value::text(key)}, {}, {}});
    return out;
  }

  ManualClock clock_;
  std::vector<RowLimitSpec> limits_ = {{{"users"}, 2, 1min}, {{"tickets"}, 3, 10min}};
  std::shared_ptr<RowPace> pace_ = std::make_shared<RowPace>(limits_, clock_);
  std::vector<std::string> sent_;
  sync::Answer otherwise_;
};

TEST_F(RowPaceTest, OnlyTheRowThatIsTooMuchWaits) {
  const auto users = writer();
  users->deliver(changes({"a"}));
  users->deliver(changes({"a", "b"}));
  const auto third = users->deliver(changes({"b", "A", "c"}));  // keys ignore case there
  ASSERT_EQ(third.verdicts.size(), 3U);
  EXPECT_EQ(third.verdicts[0].destination_id, "b");
  EXPECT_EQ(third.verdicts[1].outcome, Outcome::retry);
  EXPECT_EQ(third.verdicts[1].code, "row_paced");
  EXPECT_EQ(third.verdicts[2].destination_id, "c");
  EXPECT_FALSE(third.held_back);
  EXPECT_FALSE(third.retry_after);  // the others need not wait
  const auto alone = users->deliver(changes({"a"}));
  EXPECT_TRUE(alone.held_back);  // that is no attempt
  EXPECT_EQ(sent_, (std::vector<std::string>{"a", "a", "b", "b", "c"}));
  clock_.advance(1min);
  EXPECT_EQ(users->deliver(changes({"a"})).verdicts[0].outcome, Outcome::applied);
}

TEST_F(RowPaceTest, SyncsOfAConnectionCountTogetherObjectsDoNot) {
  const auto one = writer(), other = writer(), tickets = writer("tickets");
  one->deliver(changes({"a"}));
  other->deliver(changes({"a"}));
  EXPECT_TRUE(one->deliver(changes({"a"})).held_back);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(tickets->deliver(changes({"a"})).held_back);
  EXPECT_TRUE(tickets->deliver(changes({"a"})).held_back);
  EXPECT_EQ(pace_->limit_of("organizations"), nullptr);
}

TEST_F(RowPaceTest, WhatDidNotLeaveDoesNotCount) {
  const auto users = writer();
  otherwise_.verdicts = {Verdict::retry("paced", "")};
  otherwise_.held_back = true;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(users->deliver(changes({"a"})).held_back);
  otherwise_.held_back = false;
  EXPECT_EQ(users->deliver(changes({"a"})).verdicts[0].outcome, Outcome::applied);
}

}  // namespace
}  // namespace eddy::connectors
