#include "state/store.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/scratch.h"

namespace eddy::state {
namespace {

using testing::Scratch;

TEST(Store, RemembersRunsAndNodes) {
  const Scratch scratch;
  {
    auto store = Store::open(scratch / "state.db");
    store->begin_run({"01a", "run", "", "running", "2026-01-01T00:00:00Z", "", ""});
    store->begin_run({"02b", "apply", "x+", "running", "2026-01-02T00:00:00Z", "", ""});
    store->record_node({"01a", "clean.c", "model", "running", "2026-01-01T00:00:00Z", "", 0, "", "{}"});
    store->record_node(
        {"01a", "clean.c", "model", "ok", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", 7, "7 rows", "{}"});
    store->end_run("01a", "done", "");
  }
  auto store = Store::open(scratch / "state.db");
  ASSERT_EQ(store->runs(10).size(), 2U);
  EXPECT_EQ(store->runs(10).front().id, "02b");
  EXPECT_EQ(store->run("01")->status, "done");
  ASSERT_EQ(store->nodes_of("01a").size(), 1U);
  EXPECT_EQ(store->nodes_of("01a").front().rows, 7U);
  EXPECT_FALSE(store->run("zz"));
}

TEST(Store, LoadsAreWholeAndOrdered) {
  const Scratch scratch;
  auto store = Store::open(scratch / "state.db");
  store->commit_load(
      {"L1",
       "shop",
       "orders",
       "r1",
       "t",
       "[]",
       {{"a.csv", "h1", 10, 5, "raw/a", "rows/a", 3, 1}, {"b.csv", "h2", 1, 2, "raw/b", "", 0, 0}}});
  store->commit_load({"L2", "shop", "orders", "r2", "t", "[]", {}});
  const auto loads = store->loads("shop", "orders");
  ASSERT_EQ(loads.size(), 2U);
  ASSERT_EQ(loads[0].files.size(), 2U);
  EXPECT_EQ(loads[0].files[0].quarantined, 1U);
  EXPECT_TRUE(loads[1].files.empty());
  EXPECT_TRUE(store->knows_content("shop", "orders", "h2"));
  EXPECT_FALSE(store->knows_content("shop", "usage", "h2"));
  // A load that cannot be recorded whole is not recorded at all.
  EXPECT_THROW(
      store->commit_load({"L2", "shop", "orders", "r3", "t", "[]", {{"c.csv", "h3", 1, 1, "", "", 0, 0}}}),
      Error);
  EXPECT_FALSE(store->knows_content("shop", "orders", "h3"));
}

TEST(Store, ModelPointerMovesAndCurrentIsNeverForgotten) {
  const Scratch scratch;
  auto store = Store::open(scratch / "state.db");
  store->commit_model({"clean.c", "v1", "p1", 1, "t", "f", "r"});
  store->commit_model({"clean.c", "v2", "p2", 2, "t", "f", "r"});
  EXPECT_EQ(store->current_model("clean.c")->version, "v2");
  store->forget_model_versions({"v1", "v2"});
  ASSERT_EQ(store->model_versions("clean.c").size(), 1U);
  EXPECT_EQ(store->model_versions("clean.c").front().version, "v2");
}

Reject reject_of(const std::string& key, const std::string& outcome = "rejected",
                 const std::string& code = "BAD") {
  return {.sync = "s",
          .key = key,
          .operation = "add",
          .outcome = outcome,
          .code = code,
          .message = "no",
          .payload = "{}",
          .payload_hash = "h1",
          .first_seen = "2026-01-01T00:00:00Z",
          .last_seen = "2026-01-01T00:00:00Z",
          .run_id = "r1",
          .attempts = 1,
          .runs = 1,
          .status = "open"};
}

TEST(Store, RejectsCountAttemptsOncePerRun) {
  const Scratch scratch;
  auto store = Store::open(scratch / "state.db");
  const Reject reject = reject_of("[\"k\"]");
  store->put_rejects({reject});
  store->put_rejects({reject});  // the same run folded again
  EXPECT_EQ(store->rejects("s", true).front().attempts, 1);
  Reject again = reject;
  again.run_id = "r2";
  again.first_seen = again.last_seen = "2026-01-02T00:00:00Z";
  store->put_rejects({again});
  EXPECT_EQ(store->rejects("s", true).front().attempts, 2);
  EXPECT_EQ(store->rejects("s", true).front().first_seen, "2026-01-01T00:00:00Z");
  store->settle_rejects("s", {"[\"k\"]"});
  EXPECT_TRUE(store->rejects("s", true).empty());
  EXPECT_EQ(store->rejects("", false).size(), 1U);
  // What was over and is refused again begins anew.
  again.run_id = "r3";
  again.first_seen = again.last_seen = "2026-01-03T00:00:00Z";
  store->put_rejects({again});
  EXPECT_EQ(store->rejects("s", true).front().attempts, 1);
  EXPECT_EQ(store->rejects("s", true).front().runs, 1);
  EXPECT_EQ(store->rejects("s", true).front().first_seen, "2026-01-03T00:00:00Z");
}

TEST(Store, RejectsAreReadInPagesAndTheReaderMayUseTheStore) {
  const Scratch scratch;
  auto store = Store::open(scratch / "state.db");
  std::vector<Reject> many;
  for (int i = 0; i < 5'000; ++i) many.push_back(reject_of(std::to_string(10'000 + i)));
  store->put_rejects(many);
  store->put_rejects({reject_of("1", "in_doubt", "LOST")});
  std::vector<std::string> keys;
  store->each_reject({.sync = "s", .code = "BAD"}, [&](const Reject& reject) {
    keys.push_back(reject.key);
    if (keys.size() == 1'000) store->settle_rejects("s", {reject.key});
  });
  EXPECT_EQ(keys.size(), 5'000U);
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(store->count_rejects({.sync = "s"}), 5'000U);
  EXPECT_EQ(store->count_rejects({.sync = "s", .settled_too = true}), 5'001U);
  EXPECT_EQ(store->count_rejects({.outcome = "rejected", .status = "settled", .settled_too = true}), 1U);
}

TEST(Store, ReplayFreesParkedRowsAndCountsTheirRunsAfresh) {
  const Scratch scratch;
  auto store = Store::open(scratch / "state.db");
  store->put_rejects({reject_of("1", "retry", "BUSY"), reject_of("2", "rejected")});
  store->park_rejects("s", 1);
  EXPECT_EQ(store->count_rejects({.status = "parked"}), 1U);
  EXPECT_EQ(store->replay_rejects({.sync = "s", .code = "BUSY"}), 1U);
  const auto rows = store->rejects("s", true);
  EXPECT_EQ(rows[0].status, "replay");
  EXPECT_EQ(rows[0].runs, 0);
  EXPECT_EQ(rows[1].status, "open");
  EXPECT_EQ(store->replay_rejects({.sync = "other"}), 0U);
}

TEST(Store, OnlyRowsInDoubtAreReleased) {
  const Scratch scratch;
  auto store = Store::open(scratch / "state.db");
  store->put_rejects({reject_of("1", "in_doubt", "LOST"), reject_of("2")});
  store->release_rejects("s", {"1", "2"}, "not_applied", "somebody has looked");
  const auto rows = store->rejects("s", true);
  EXPECT_EQ(rows[0].outcome + " " + rows[0].status + " " + rows[0].code, "retry replay not_applied");
  EXPECT_EQ(rows[1].outcome + " " + rows[1].status + " " + rows[1].code, "rejected open BAD");
  store->settle_all_rejects("s");
  EXPECT_EQ(store->count_rejects({}), 0U);
}

TEST(Store, HistoryIsForgottenByNumberAndByAge) {
  const Scratch scratch;
  auto store = Store::open(scratch / "state.db");
  for (const char* id : {"1", "2", "3", "4"}) {
    store->begin_run({id, "run", "", "running", std::string("2026-01-0") + id + "T00:00:00Z", "", ""});
    store->record_node({id, "sync.s", "sync", "ok", "t", "t", 1, "", "{}"});
    if (*id != '2') store->end_run(id, "done", "");
  }
  store->put_rejects({reject_of("1"), reject_of("2")});
  store->settle_rejects("s", {"1"});
  store->forget_history(0, "");
  EXPECT_EQ(store->runs(10).size(), 4U);
  store->forget_history(2, "");  // 4 and 3 are the newest, 2 has not ended
  ASSERT_EQ(store->runs(10).size(), 3U);
  EXPECT_FALSE(store->run("1"));
  EXPECT_TRUE(store->nodes_of("1").empty());
  store->forget_history(0, "2026-01-04T00:00:00Z");
  EXPECT_EQ(store->runs(10).size(), 2U);
  EXPECT_EQ(store->rejects("s", false).size(), 1U);  // the open one
}

TEST(Store, RunsWhoseProcessHasGoneAreInterrupted) {
  const Scratch scratch;
  const auto store = Store::open(scratch / "state.db");
  for (const std::string id : {"1", "2", "3"})
    store->begin_run({id, "run", "", "running", "2026-01-02T03:04:05Z", "", ""});
  store->end_run("1", "done", "");
  const std::string ended = store->run("1")->ended_at;
  store->record_node(
      {"2", "clean.a", "model", "ok", "2026-01-02T03:04:05Z", "2026-01-02T03:05:00Z", 1, "", "{}"});
  store->end_dead_runs();
  EXPECT_EQ(store->run("1")->status, "done");
  EXPECT_EQ(store->run("1")->ended_at, ended);
  EXPECT_EQ(store->run("2")->status, "interrupted");
  EXPECT_EQ(store->run("2")->ended_at, "2026-01-02T03:05:00Z");
  EXPECT_EQ(store->run("3")->ended_at, "2026-01-02T03:04:05Z");
  EXPECT_EQ(store->run("3")->message, "its process has gone");
}

TEST(Store, ADamagedFileIsSaid) {
  const Scratch scratch;
  const auto file = scratch.write("state.db", std::string(4096, 'x'));
  try {
    Store::open(file);
    FAIL() << "opened";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "state.damaged");
  }
}

TEST(ProjectLock, TheSecondIsToldWhoHoldsIt) {
  const Scratch scratch;
  auto first = std::make_unique<ProjectLock>(scratch.path(), "run", 0);
  try {
    const ProjectLock second(scratch.path(), "apply", 0);
    FAIL() << "two holders";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "state.busy");
    EXPECT_NE(e.message().find("eddy run"), std::string::npos);
  }
  first.reset();
  const ProjectLock third(scratch.path(), "apply", 0);
}

}  // namespace
}  // namespace eddy::state
