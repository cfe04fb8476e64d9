// What every destination does with rows.
#include "conformance/suite.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::conformance {
namespace {
using testing::count;
using testing::deliver;
using testing::Delivered;

TEST_P(Conformance, UpsertAddsThenChanges) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  Delivered first = deliver(*writer, writes(target, 3, "first"));
  EXPECT_EQ(count(first.verdicts, Outcome::applied), 3U);
  const std::vector<Change> second = {write(target, 1, "second", Operation::change), write(target, 7, "new")};
  EXPECT_EQ(count(deliver(*writer, second).verdicts, Outcome::applied), 2U);
  writer->finish();
  const std::map<std::string, std::string> expected = {{key_text(target, 0), "first 0"},
                                                       {key_text(target, 1), "second"},
                                                       {key_text(target, 2), "first 2"},
                                                       {key_text(target, 7), "new"}};
  EXPECT_EQ(words(target), expected);
}

TEST_P(Conformance, RedeliveryChangesNothing) {
  const Target target = subject_->make_object();
  const auto changes = writes(target, 20, "same");
  {
    const auto writer = open(target);
    deliver(*writer, changes);
  }
  const auto before = subject_->rows(target);
  const auto writer = open(target);
  EXPECT_EQ(count(deliver(*writer, changes).verdicts, Outcome::applied), 20U);
  EXPECT_EQ(subject_->rows(target), before);
  EXPECT_EQ(before.size(), 20U);
}

TEST_P(Conformance, NullOverwritesWhatWasThere) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  deliver(*writer, writes(target, 1, "something"));
  Change change = write(target, 0, "", Operation::change);
  change.fields[field_of(target, Type::text)] = Value();
  EXPECT_EQ(count(deliver(*writer, std::vector{change}).verdicts, Outcome::applied), 1U);
  EXPECT_EQ(words(target).at(key_text(target, 0)), "(null)");
}

TEST_P(Conformance, ABatchOfTheLimitAndOneMoreAllLand) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  const sync::Limits limits = writer->limits();
  ASSERT_GE(limits.workers_max, 1U);
  const int rows = limits.batch_rows_max == 0 ? 1000 : static_cast<int>(limits.batch_rows_max) + 1;
  const Delivered delivered = deliver(*writer, writes(target, rows, "row"));
  EXPECT_EQ(count(delivered.verdicts, Outcome::applied), static_cast<std::size_t>(rows));
  EXPECT_EQ(subject_->rows(target).size(), static_cast<std::size_t>(rows));
}

TEST_P(Conformance, OneBadRowIsIsolatedAndTheOthersLand) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  auto changes = writes(target, 100, "row");
  subject_->spoil(target, changes[37]);
  const Delivered delivered = deliver(*writer, changes);
  ASSERT_EQ(delivered.verdicts.size(), 100U);
  for (std::size_t i = 0; i < 100; ++i)
    ASSERT_EQ(delivered.verdicts[i].outcome, i == 37 ? Outcome::rejected : Outcome::applied) << i;
  EXPECT_NE(delivered.verdicts[37].code, "");
  EXPECT_NE(delivered.verdicts[37].message, "");
  const auto found = words(target);
  EXPECT_EQ(found.size(), 99U);
  EXPECT_FALSE(found.contains(key_text(target, 37)));
}

TEST_P(Conformance, VerdictsStandInTheOrderOfTheChanges) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  auto changes = writes(target, 50, "row");
  std::reverse(changes.begin(), changes.end());
  for (std::size_t i = 0; i < changes.size(); i += 3) subject_->spoil(target, changes[i]);
  const Delivered delivered = deliver(*writer, changes);
  ASSERT_EQ(delivered.verdicts.size(), 50U);
  const auto found = words(target);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const bool landed = found.contains(canonical(changes[i].key[0]));
    EXPECT_EQ(landed, i % 3 != 0) << i;
    EXPECT_EQ(delivered.verdicts[i].outcome == Outcome::applied, landed) << i;
  }
}

TEST_P(Conformance, ABadChangeLeavesTheRecordAsItWas) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  deliver(*writer, writes(target, 2, "before"));
  auto changes = writes(target, 2, "after");
  subject_->spoil(target, changes[0]);
  const Delivered delivered = deliver(*writer, changes);
  EXPECT_EQ(delivered.verdicts[0].outcome, Outcome::rejected);
  EXPECT_EQ(delivered.verdicts[1].outcome, Outcome::applied);
  EXPECT_EQ(words(target).at(key_text(target, 0)), "before 0");
  EXPECT_EQ(words(target).at(key_text(target, 1)), "after 1");
}

TEST_P(Conformance, UpdateNeverCreates) {
  const Target target = subject_->make_object();
  deliver(*open(target), writes(target, 2, "before"));
  const auto writer = open(target, sync::Mode::update);
  const std::vector<Change> changes = {write(target, 5, "nobody"), write(target, 1, "after"),
                                       write(target, 6, "nobody")};
  const Delivered delivered = deliver(*writer, changes);
  ASSERT_EQ(delivered.verdicts.size(), 3U);
  EXPECT_EQ(delivered.verdicts[0].outcome, Outcome::rejected);
  EXPECT_EQ(delivered.verdicts[1].outcome, Outcome::applied);
  EXPECT_EQ(delivered.verdicts[2].outcome, Outcome::rejected);
  const std::map<std::string, std::string> expected = {{key_text(target, 0), "before 0"},
                                                       {key_text(target, 1), "after"}};
  EXPECT_EQ(words(target), expected);
}

TEST_P(Conformance, InsertOfAnExistingKeyIsRejected) {
  const Target target = subject_->make_object();
  deliver(*open(target), std::vector{write(target, 1, "before")});
  const auto writer = open(target, sync::Mode::insert);
  const Delivered delivered = deliver(*writer, writes(target, 3, "new"));
  ASSERT_EQ(delivered.verdicts.size(), 3U);
  EXPECT_EQ(delivered.verdicts[0].outcome, Outcome::applied);
  EXPECT_EQ(delivered.verdicts[1].outcome, Outcome::rejected);
  EXPECT_EQ(delivered.verdicts[2].outcome, Outcome::applied);
  const std::map<std::string, std::string> expected = {
      {key_text(target, 0), "new 0"}, {key_text(target, 1), "before"}, {key_text(target, 2), "new 2"}};
  EXPECT_EQ(words(target), expected);
}

TEST_P(Conformance, RemovalTouchesOnlyItsKeys) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  deliver(*writer, writes(target, 5, "row"));
  const std::vector<Change> changes = {remove(target, 1), remove(target, 3), remove(target, 99)};
  EXPECT_EQ(count(deliver(*writer, changes).verdicts, Outcome::applied), 3U)
      << "what is already gone is removed";
  const std::map<std::string, std::string> expected = {
      {key_text(target, 0), "row 0"}, {key_text(target, 2), "row 2"}, {key_text(target, 4), "row 4"}};
  EXPECT_EQ(words(target), expected);
}

TEST_P(Conformance, EveryPartOfACompositeKeyCounts) {
  const Target target = subject_->make_object(2);
  const auto writer = open(target);
  std::vector<Change> changes;
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b) {
      Change change = write(target, 0, fmt::format("{}/{}", a, b));
      change.key = {subject_->key_value(target.key[0], a), subject_->key_value(target.key[1], b)};
      changes.push_back(change);
    }
  EXPECT_EQ(count(deliver(*writer, changes).verdicts, Outcome::applied), 9U);
  EXPECT_EQ(count(deliver(*writer, changes).verdicts, Outcome::applied), 9U);
  Change gone = remove(target, 0);
  gone.key = {subject_->key_value(target.key[0], 1), subject_->key_value(target.key[1], 2)};
  EXPECT_EQ(count(deliver(*writer, std::vector{gone}).verdicts, Outcome::applied), 1U);

  std::set<std::string> found;
  const std::string& field = target.fields[field_of(target, Type::text)].name;
  for (const auto& row : subject_->rows(target)) found.insert(row.at(field).get<std::string>());
  EXPECT_EQ(subject_->rows(target).size(), 8U);
  EXPECT_EQ(found, (std::set<std::string>{"0/0", "0/1", "0/2", "1/0", "1/1", "2/0", "2/1", "2/2"}));
}

TEST_P(Conformance, ANullKeyIsRejectedNotDelivered) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  auto changes = writes(target, 3, "row");
  changes[1].key[0] = Value();
  const Delivered delivered = deliver(*writer, changes);
  EXPECT_EQ(delivered.verdicts[0].outcome, Outcome::applied);
  EXPECT_EQ(delivered.verdicts[1].outcome, Outcome::rejected);
  EXPECT_EQ(delivered.verdicts[2].outcome, Outcome::applied);
  EXPECT_EQ(subject_->rows(target).size(), 2U);
}

TEST_P(Conformance, ASystemThatIsDownAppliesNothing) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  ASSERT_EQ(count(deliver(*writer, writes(target, 1, "before")).verdicts, Outcome::applied), 1U);
  subject_->take_down();
  // The connection that was open is found broken first, then a new one cannot be made.
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      for (const Verdict& verdict : deliver(*writer, writes(target, 10, "after")).verdicts) {
        EXPECT_EQ(verdict.outcome, Outcome::retry);
        EXPECT_NE(verdict.message, "");
      }
    } catch (const Error& error) {
      EXPECT_NE(error.message(), "");
    }
  }
}

TEST_P(Conformance, ALostAnswerIsRepeatedAndDoublesNothing) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  const auto changes = writes(target, 3, "row");
  subject_->lose_the_next_answer();
  const Delivered lost = deliver(*writer, changes);
  // Repeated on the wire, and the second answer is the truth; or said to be in doubt. Never `retry`, which
  // says that nothing was applied: sync would believe the former values to be there.
  for (const Verdict& verdict : lost.verdicts)
    EXPECT_TRUE(verdict.outcome == Outcome::applied || verdict.outcome == Outcome::in_doubt)
        << name_of(verdict.outcome) << " " << verdict.message;
  EXPECT_TRUE(words(target).contains(key_text(target, 0))) << "the service had written it";
  EXPECT_EQ(count(deliver(*writer, changes).verdicts, Outcome::applied), 3U);
  EXPECT_EQ(words(target).size(), 3U);
  EXPECT_EQ(subject_->rows(target).size(), 3U);
}

TEST_P(Conformance, AnInsertWhoseAnswerIsLostIsInDoubt) {
  const Target target = subject_->make_object();
  const auto writer = open(target, sync::Mode::insert);
  subject_->lose_the_next_answer();
  const Delivered lost = deliver(*writer, std::vector{write(target, 0, "row 0")});
  EXPECT_EQ(lost.verdicts[0].outcome, Outcome::in_doubt);
  EXPECT_EQ(subject_->rows(target).size(), 1U) << "it was sent once";
}

TEST_P(Conformance, PreviewSendsNothing) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  const auto texts = writer->preview(writes(target, 3, "row"));
  EXPECT_NE(join(texts, "\n").find("row 2"), std::string::npos);
  EXPECT_EQ(subject_->rows(target).size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Destinations, Conformance, ::testing::ValuesIn(all_subjects()), subject_name);

}  // namespace
}  // namespace eddy::conformance
