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

TEST(Store, RejectsCountAttemptsOncePerRun) {
  const Scratch scratch;
  auto store = Store::open(scratch / "state.db");
  const Reject reject{"s",  "[\"k\"]", "add", "rejected", "BAD", "no",  "{}",
                      "h1", "t1",      "t1",  "r1",       1,     "open"};
  store->put_rejects({reject});
  store->put_rejects({reject});  // the same run folded again
  EXPECT_EQ(store->rejects("s", true).front().attempts, 1);
  Reject again = reject;
  again.run_id = "r2";
  again.first_seen = again.last_seen = "t2";
  store->put_rejects({again});
  EXPECT_EQ(store->rejects("s", true).front().attempts, 2);
  EXPECT_EQ(store->rejects("s", true).front().first_seen, "t1");
  store->settle_rejects("s", {"[\"k\"]"});
  EXPECT_TRUE(store->rejects("s", true).empty());
  EXPECT_EQ(store->rejects("", false).size(), 1U);
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
