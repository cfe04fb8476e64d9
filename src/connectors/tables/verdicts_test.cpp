#include "connectors/tables/verdicts.h"

#include <gtest/gtest.h>

#include "core/secrets.h"

namespace eddy::connectors {
namespace {

TEST(Verdicts, OnlyOpenOnesAreSettled) {
  std::vector<Verdict> verdicts(3);
  verdicts[1] = null_key("id");
  EXPECT_TRUE(is_open(verdicts[0]));
  EXPECT_FALSE(is_open(verdicts[1]));
  EXPECT_FALSE(is_open(Verdict::in_doubt("commit_in_doubt", ""))) << "a doubt that was said is no open row";
  settle(verdicts, Verdict::applied());
  EXPECT_EQ(verdicts[0].outcome, Outcome::applied);
  EXPECT_EQ(verdicts[1].code, "null_key");
  EXPECT_EQ(verdicts[1].message, "the key field `id` is null");
  EXPECT_EQ(verdicts[2].outcome, Outcome::applied);
}

TEST(ForPeople, CutsAtACharacterAndHidesSecrets) {
  register_secret("hush-hush-4711");
  EXPECT_EQ(for_people("it was hush-hush-4711"), "it was ***");
  std::string umlauts = "x";
  for (int i = 0; i < 400; ++i) umlauts += "ü";
  EXPECT_EQ(for_people(umlauts), umlauts.substr(0, 499) + "…");
}

}  // namespace
}  // namespace eddy::connectors
