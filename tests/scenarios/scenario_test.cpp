#include "scenarios/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/text.h"

namespace eddy::scenarios {
namespace {

std::vector<std::filesystem::path> all() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           std::filesystem::path(EDDY_SOURCE_DIR) / "tests/scenarios"))
    if (entry.path().extension() == ".scenario") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

class Scenario : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Scenario, Holds) {
  const std::string problem = play(GetParam());
  EXPECT_EQ(problem, "") << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Files, Scenario, ::testing::ValuesIn(all()), [](const auto& test) {
  std::string name = test.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

// The player itself must be able to fail.
TEST(ScenarioText, Matches) {
  EXPECT_TRUE(matches_whole("a {*} c\n...\nz\n", "a b c\n1\n2\nz\n"));
  EXPECT_FALSE(matches_whole("a {*} c\n", "a b d\n"));
  EXPECT_FALSE(matches_whole("a\n", "a\nb\n"));
  EXPECT_TRUE(matches_parts("two\nthree\n", "one two\nx\nthree four\n"));
  EXPECT_FALSE(matches_parts("three\ntwo\n", "one two\nx\nthree four\n"));
}

TEST(ScenarioText, UnknownStepsAreRefused) {
  EXPECT_THROW(read_scenario("rnu eddy\n"), std::runtime_error);
  const auto steps = read_scenario("# story\nfile a\n  x\n\n  y\nrun eddy ls\n");
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].text, "x\n\ny\n");
}

}  // namespace
}  // namespace eddy::scenarios
