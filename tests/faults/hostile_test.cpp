// One trouble at a time: the program meets a service that does it to many requests, and the books agree
// afterwards.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hostile_destination.h"
#include "support/scratch.h"

namespace eddy::testing {
namespace {

struct Case {
  std::string name;
  Trouble trouble;
  bool leaves_doubt = true;  // of inserts
};

class Hostile : public ::testing::TestWithParam<std::tuple<Case, std::string>> {};

TEST_P(Hostile, NothingIsLostAndNothingUnsafeIsRepeated) {  // F4, F5, F6, F7, F8, F9, F10, F12
  const auto& [one, mode] = GetParam();
  const Scratch scratch;
  HostileDestination destination(harness_seed());
  SmallProject project(scratch / "project", hostile_connection(destination), hostile_sync(mode));
  write_hostile_connector(project);
  project.set_model(people(1));
  destination.set_mix({{one.trouble, 60}});
  Finished finished = project.eddy({"run"}, {.haste = 20});
  destination.set_mix({});
  for (int i = 0; i < 2; ++i) {
    SCOPED_TRACE(finished.err);
    finished = project.eddy({"run"}, {.haste = 20});
  }
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_GT(destination.troubles()[one.trouble], 0);
  auto open = project.open_rejects();
  const std::set<std::string> doubtful = open["in_doubt"];
  Records expected = people(1);
  for (const char* refused : {"17", "34"}) {
    EXPECT_TRUE(open["rejected"].contains(refused) || doubtful.contains(refused)) << refused;
    expected.erase(refused);
  }
  EXPECT_LE(open["rejected"].size(), 2u);
  const Book book = destination.book();
  if (mode == "insert") {
    for (const auto& [key, times] : book.created) EXPECT_EQ(times, 1) << key;
    EXPECT_EQ(one.leaves_doubt, !doubtful.empty());
    for (const std::string& key : doubtful)
      if (!book.records.contains(key)) expected.erase(key);
  } else {
    EXPECT_TRUE(doubtful.empty());
  }
  EXPECT_EQ(difference(expected, book.records), "");
  for (const std::string& key : doubtful) expected.erase(key);
  EXPECT_EQ(difference(expected, project.snapshot()), "");
}

INSTANTIATE_TEST_SUITE_P(
    Troubles, Hostile,
    ::testing::Combine(
        ::testing::Values(Case{"DroppedBefore", Trouble::drop_before},
                          Case{"DroppedAfter", Trouble::drop_after}, Case{"Reset", Trouble::reset_after},
                          Case{"Truncated", Trouble::truncated}, Case{"Drip", Trouble::drip, false},
                          Case{"Malformed", Trouble::malformed}, Case{"WebPage", Trouble::wrong_type},
                          Case{"Deep", Trouble::deep}, Case{"NotText", Trouble::not_text},
                          Case{"GzipBomb", Trouble::gzip_bomb}, Case{"Endless", Trouble::endless},
                          Case{"NotHttp", Trouble::not_http}, Case{"Shuffled", Trouble::shuffled, false},
                          Case{"Fewer", Trouble::fewer}, Case{"Repeated", Trouble::repeated, false},
                          Case{"Foreign", Trouble::foreign, false},
                          Case{"Contradicting", Trouble::contradicting},
                          Case{"RefusedWhole", Trouble::refused_whole, false},
                          Case{"Throttled", Trouble::throttled, false},
                          Case{"Unavailable", Trouble::unavailable, false}, Case{"Broken", Trouble::broken}),
        ::testing::Values("upsert", "insert")),
    [](const auto& one) {
      return std::get<0>(one.param).name + (std::get<1>(one.param) == "insert" ? "Insert" : "Upsert");
    });

}  // namespace
}  // namespace eddy::testing
