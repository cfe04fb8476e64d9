#include "lake/publish.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>

#include "core/error.h"
#include "lake/layout.h"
#include "support/scratch.h"

namespace eddy::lake {
namespace {

namespace fs = std::filesystem;
using testing::Scratch;

void write(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }

TEST(Layout, Names) {
  EXPECT_EQ(load_folder("shop", "orders", "01a"), "raw/shop/orders/01a");
  EXPECT_EQ(model_version("clean.customers", "01b"), "clean/customers/01b.parquet");
}

TEST(Staged, AppearsWholeOrNotAtAll) {
  const Scratch scratch;
  const fs::path lake = scratch / "lake";
  {
    Staged folder = Staged::folder(lake);
    write(folder.path() / "a", "1");
    fs::create_directory(folder.path() / "deep");
    write(folder.path() / "deep" / "b", "2");
    EXPECT_FALSE(fs::exists(lake / "raw"));
    folder.publish("raw/x/y/01");
    EXPECT_TRUE(fs::exists(lake / "raw/x/y/01/deep/b"));
    Staged file = Staged::file(lake, ".parquet");
    EXPECT_EQ(file.path().extension(), ".parquet");
    write(file.path(), "rows");
    file.publish(model_version("clean.c", "v1"));
    Staged dropped = Staged::folder(lake);
    write(dropped.path() / "c", "3");
  }
  EXPECT_EQ(scratch.read("lake/clean/c/v1.parquet"), "rows");
  EXPECT_TRUE(fs::is_empty(lake / staging_folder()));
}

TEST(Staged, NeverOverwrites) {
  const Scratch scratch;
  for (int i = 0; i < 2; ++i) {
    Staged file = Staged::file(scratch.path());
    write(file.path(), std::to_string(i));
    try {
      file.publish("clean/c/v1");
      EXPECT_EQ(i, 0);
    } catch (const Error& e) {
      EXPECT_EQ(i, 1);
      EXPECT_EQ(e.code(), "lake.exists");
    }
  }
  EXPECT_EQ(scratch.read("clean/c/v1"), "0");
}

TEST(Staged, AbandonedEntriesAreRemovedLiveOnesStay) {
  const Scratch scratch;
  const fs::path staging = scratch / ".staging";
  fs::create_directories(staging / "dead1");
  write(staging / "dead1" / "x", "x");
  write(staging / "dead2.parquet", "x");
  write(staging / "dead2.parquet.lock", "");  // a lock file that nobody holds
  const Staged mine = Staged::folder(scratch.path());
  // Another process holds its lock: stood in for by another open file description.
  fs::create_directories(staging / "theirs");
  write(staging / "theirs.lock", "");
  const int fd = ::open((staging / "theirs.lock").c_str(), O_RDWR);
  ASSERT_EQ(::flock(fd, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(remove_abandoned(scratch.path()), 2U);
  EXPECT_FALSE(fs::exists(staging / "dead1"));
  EXPECT_FALSE(fs::exists(staging / "dead2.parquet"));
  EXPECT_FALSE(fs::exists(staging / "dead2.parquet.lock"));
  EXPECT_TRUE(fs::exists(mine.path()));
  EXPECT_TRUE(fs::exists(staging / "theirs"));
  ::close(fd);
  EXPECT_EQ(remove_abandoned(scratch.path()), 1U);
  EXPECT_FALSE(fs::exists(staging / "theirs"));
}

TEST(Retention, KeepsCurrentYoungAndNewest) {
  const Scratch scratch;
  auto store = state::Store::open(scratch / "state.db");
  const auto commit = [&](const std::string& version, const std::string& at) {
    Staged file = Staged::file(scratch.path(), ".parquet");
    write(file.path(), version);
    file.publish(model_version("clean.c", version));
    store->commit_model({"clean.c", version, model_version("clean.c", version).string(), 1, at, "f", "r"});
  };
  commit("v1", "2026-01-01T00:00:00Z");
  commit("v2", "2026-01-02T00:00:00Z");
  commit("v3", "2026-01-20T00:00:00Z");
  commit("v4", "2026-01-21T00:00:00Z");
  write(scratch / "clean/c/unknown.parquet", "a crash came before the commit");
  const auto now = parse_utc("2026-01-22T00:00:00Z");
  EXPECT_EQ(collect_model_versions(scratch.path(), *store, "clean.c", {std::chrono::hours{24 * 7}, 1}, now),
            3U);
  EXPECT_FALSE(fs::exists(scratch / "clean/c/v1.parquet"));
  EXPECT_FALSE(fs::exists(scratch / "clean/c/unknown.parquet"));
  EXPECT_TRUE(fs::exists(scratch / "clean/c/v3.parquet"));
  EXPECT_EQ(store->model_versions("clean.c").size(), 2U);
  EXPECT_EQ(collect_model_versions(scratch.path(), *store, "clean.c", {std::chrono::hours{0}, 0}, now), 1U);
  EXPECT_EQ(scratch.read("clean/c/v4.parquet"), "v4");
}

}  // namespace
}  // namespace eddy::lake
