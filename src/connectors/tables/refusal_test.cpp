#include "connectors/tables/refusal.h"

#include <gtest/gtest.h>

namespace eddy::connectors {
namespace {

// Three rows, of which the second was refused before the database saw it.
sync::Answer answer(Blame blame) {
  std::vector<Verdict> verdicts(3);
  verdicts[1] = Verdict::rejected("null_key", "");
  return answer_to({.blame = blame, .code = "its_code", .message = "its words"}, std::move(verdicts), "t");
}

TEST(Refusal, GoesToTheRowsThatHaveNoVerdictYet) {
  for (const auto& [blame, outcome, code] :
       {std::tuple(Blame::nobody_knows, Outcome::in_doubt, "commit_in_doubt"),
        std::tuple(Blame::moment, Outcome::retry, "its_code"),
        std::tuple(Blame::values, Outcome::rejected, "its_code")}) {
    const auto verdicts = answer(blame).verdicts;
    EXPECT_EQ(verdicts[1].code, "null_key");
    for (const std::size_t i : {0U, 2U}) {
      EXPECT_EQ(verdicts[i].outcome, outcome);
      EXPECT_EQ(verdicts[i].code, code);
      EXPECT_EQ(verdicts[i].message, "its words");
    }
  }
}

TEST(Refusal, IsOfTheWholeBatchOnlyWhenTheRowCannotBeTold) {
  EXPECT_TRUE(answer(Blame::values).refused_whole);
  EXPECT_FALSE(answer(Blame::moment).refused_whole);
  EXPECT_FALSE(answer(Blame::nobody_knows).refused_whole);
  std::vector<Verdict> verdicts(2);
  verdicts[0] = Verdict::rejected("null_key", "");
  EXPECT_FALSE(answer_to({.blame = Blame::values, .code = "c", .message = "m"}, verdicts, "t").refused_whole);
}

TEST(Refusal, OfWhatNoRowIsToBlameForEndsTheRun) {
  try {
    answer_to({.blame = Blame::setting, .code = "c", .message = "no right", .hint = "grant it"}, {}, "crm.t");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "destination.refused");
    EXPECT_EQ(error.message(), "crm.t cannot be written: no right");
    EXPECT_EQ(error.hint(), "grant it");
  }
}

TEST(Refusal, OfAReaderSaysWhetherAskingAgainMayHelp) {
  EXPECT_EQ(cannot_be_read("crm.t", true, "down", "").code(), "destination.unavailable");
  const Error error = cannot_be_read("crm.t", false, "no right", "grant it");
  EXPECT_EQ(error.code(), "destination.refused");
  EXPECT_EQ(error.message(), "crm.t cannot be read: no right");
  EXPECT_EQ(error.hint(), "grant it");
}

struct WireError {
  bool in_doubt = false, transient = false, data = false;
  bool is_in_doubt() const { return in_doubt; }
  bool is_transient() const { return transient; }
  bool is_data_error() const { return data; }
};

TEST(Refusal, ADoubtWeighsMoreThanTheMomentAndThatMoreThanTheValues) {
  EXPECT_EQ(blame_of(WireError{true, true, true}), Blame::nobody_knows);
  EXPECT_EQ(blame_of(WireError{false, true, true}), Blame::moment);
  EXPECT_EQ(blame_of(WireError{false, false, true}), Blame::values);
  EXPECT_EQ(blame_of(WireError{}), Blame::setting);
}

}  // namespace
}  // namespace eddy::connectors
