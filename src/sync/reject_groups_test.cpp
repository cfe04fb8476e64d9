#include "sync/reject_groups.h"

#include <gtest/gtest.h>

#include "support/scratch.h"

namespace eddy::sync {
namespace {

state::Reject reject(int key, const std::string& outcome, const std::string& code, const std::string& message,
                     const std::string& status = "open") {
  return {.sync = "people",
          .key = "[" + std::to_string(key) + "]",
          .operation = "add",
          .outcome = outcome,
          .code = code,
          .message = message,
          .payload = "{}",
          .payload_hash = "h",
          .first_seen = "2026-01-0" + std::to_string(key % 9 + 1),
          .last_seen = "2026-02-0" + std::to_string(key % 9 + 1),
          .run_id = "r",
          .attempts = 1,
          .runs = 1,
          .status = status};
}

TEST(RejectGroups, AreByStateCodeAndKindOfMessage) {
  const eddy::testing::Scratch scratch;
  auto store = state::Store::open(scratch / "state.db");
  store->put_rejects(
      {reject(1, "rejected", "BAD", "'x' is no name"), reject(2, "rejected", "BAD", "'y' is no name"),
       reject(3, "rejected", "BAD", "no address"), reject(4, "retry", "BUSY", "try later", "parked"),
       reject(5, "retry", "BUSY", "try later"), reject(6, "in_doubt", "LOST", "cut"),
       reject(7, "rejected", "BAD", "'z' is no name", "replay"),
       reject(8, "rejected", "BAD", "'z' is no name", "settled")});
  const auto lines = [&](bool inserts) {
    std::vector<std::string> out;
    for (const RejectGroup& g : group_rejects(*store, {}, [&](const std::string&) { return inserts; }))
      out.push_back(std::string(name_of(g.state)) + " " + std::to_string(g.rows) + " " + g.code + " " +
                    g.message + " " + g.example_key + " " + g.first_seen + " " + g.last_seen);
    return out;
  };
  const std::vector<std::string> upserts = {"refused 2 BAD <value> is no name [1] 2026-01-02 2026-02-03",
                                            "refused 1 BAD no address [3] 2026-01-04 2026-02-04",
                                            "again 1 BUSY try later [5] 2026-01-06 2026-02-06",
                                            "again 1 LOST cut [6] 2026-01-07 2026-02-07",
                                            "replay 1 BAD <value> is no name [7] 2026-01-08 2026-02-08",
                                            "parked 1 BUSY try later [4] 2026-01-05 2026-02-05"};
  EXPECT_EQ(lines(false), upserts);
  EXPECT_EQ(lines(true).back(), "in_doubt 1 LOST cut [6] 2026-01-07 2026-02-07");
}

TEST(RejectGroups, AreBoundedHoweverManyMessagesThereAre) {
  const eddy::testing::Scratch scratch;
  auto store = state::Store::open(scratch / "state.db");
  std::vector<state::Reject> many;
  for (int i = 1; i <= 60; ++i)
    many.push_back(reject(i, "rejected", "BAD", std::string(static_cast<std::size_t>(i), 'x')));
  store->put_rejects(many);
  const auto groups = group_rejects(
      *store, {}, [](const std::string&) { return false; }, 10);
  ASSERT_EQ(groups.size(), 11u);
  EXPECT_EQ(groups[0].message, "other messages");
  EXPECT_EQ(groups[0].rows, 50u);
}

TEST(TypedKeys, AreWhatAPersonMayMean) {
  using Keys = std::vector<std::string>;
  EXPECT_EQ(typed_keys("7"), (Keys{R"(["7"])", "[7]"}));
  EXPECT_EQ(typed_keys("ada@example.com"), Keys{R"(["ada@example.com"])"});
  EXPECT_EQ(typed_keys(R"([1, "eu"])"), Keys{R"([1,"eu"])"});
  EXPECT_EQ(typed_keys("a\"b"), Keys{R"(["a\"b"])"});
}

}  // namespace
}  // namespace eddy::sync
