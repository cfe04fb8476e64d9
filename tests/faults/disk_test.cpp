// A disk that is full at any write, and a process that gets nothing else: the run ends with words, nothing is
// damaged, and when there is room again it goes on.
#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

#include "fault_fixture.h"

namespace eddy::testing {
namespace {

namespace fs = std::filesystem;

class Disk : public FaultTest {
 protected:
  // The n-th call that writes to files whose path begins so finds no room, and `count` calls after it (0:
  // all).
  void at_every_call(const std::string& mode, const std::string& below, std::uint64_t count) {
    open(mode);
    if (mode != "insert") deliver_day(1);
    const int day = mode == "insert" ? 1 : 2;
    project_->set_model(people(day));
    const Book before = service_->book();
    const SmallProject prepared = project_->copy_to(scratch_ / "prepared");
    const std::uint64_t stride = full_harness() ? 1 : mode == "insert" ? 37 : below.empty() ? 31 : 5;
    int failed = 0;
    for (std::uint64_t n = 1 + harness_seed() % stride; n < 5'000; n += stride) {
      SCOPED_TRACE(fmt::format("{}: no room for {} from call {}", mode, below, n));
      service_->restore(before);
      fs::remove_all(scratch_ / "victim");
      fs::remove_all(scratch_ / "victim.aside");
      project_ = std::make_unique<SmallProject>(prepared.copy_to(scratch_ / "victim"));
      const Finished full = run({.action = "full", .at = n, .count = count, .below = below});
      const bool over = project_->last_call().number < n;
      SCOPED_TRACE(project_->last_call().name + " " + project_->last_call().file);
      EXPECT_TRUE(full.exit_code >= 0 && full.exit_code <= 2) << full.exit_code << full.err;
      if (full.exit_code != 0) {
        ++failed;
        EXPECT_NE(full.err.find("error["), std::string::npos) << full.err;
        EXPECT_EQ(full.err.find("internal.unexpected"), std::string::npos) << full.err;
      }
      const Finished rest = run();
      EXPECT_EQ(rest.exit_code, 0) << "after: " << full.err << "then: " << rest.err;
      expect_books_agree(day);
      if (over || (HasFailure() && !full_harness())) break;
    }
    EXPECT_GT(failed, 0);
  }
};

TEST_F(Disk, WithoutRoomForTheLedgerTheRunEndsAndGoesOnLater) {
  at_every_call("upsert", ".eddy/ledger", 0);
}  // F20
TEST_F(Disk, WithoutRoomForAWhileTheRunEndsAndGoesOnLater) {
  at_every_call("upsert", ".eddy/ledger", 2);
}  // F20
TEST_F(Disk, NoInsertIsSentWithoutRoomToRecordIt) { at_every_call("insert", ".eddy/ledger", 0); }  // F20
TEST_F(Disk, WithoutRoomForTheSnapshotTheRunEndsAndGoesOnLater) {
  at_every_call("upsert", ".eddy/sync", 0);
}  // F20

TEST_F(Disk, WithoutRoomForAnythingTheRunEndsAndGoesOnLater) { at_every_call("upsert", "", 0); }  // F20

TEST_F(Disk, AFullFileSystemIsSaidAndLosesNothing) {  // F20
  if (::geteuid() != 0) GTEST_SKIP() << "NOT RUN: mounting a small file system needs root";
  open("upsert");
  deliver_day(1);
  const fs::path mounted = scratch_ / "mounted";
  fs::create_directories(mounted);
  if (::mount("tmpfs", mounted.c_str(), "tmpfs", 0, "size=24m") != 0)
    GTEST_SKIP() << "NOT RUN: this machine does not allow mounting a small file system";
  const fs::path folder = mounted / "project";
  fs::copy(project_->folder(), folder, fs::copy_options::recursive);
  const SmallProject before = *project_;
  project_ = std::make_unique<SmallProject>(before.move_to(folder));
  project_->set_model(people(2));
  const Book book = service_->book();
  for (std::uint64_t free = 0; free < 2'000'000; free += full_harness() ? 30'000 : 300'000) {
    SCOPED_TRACE(fmt::format("{} bytes free", free));
    {  // Whatever is free but so much is filled.
      std::ofstream ballast(mounted / "ballast", std::ios::binary);
      const auto space = fs::space(mounted).available;
      const std::string block(4096, 'x');
      for (std::uint64_t at = 0; at + free < space; at += block.size()) ballast << block;
    }
    const Finished full = run();
    EXPECT_TRUE(full.exit_code >= 0 && full.exit_code <= 2) << full.exit_code << full.err;
    EXPECT_EQ(full.err.find("internal.unexpected"), std::string::npos) << full.err;
    fs::remove(mounted / "ballast");
  }
  const Finished rest = run();
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  expect_books_agree(2);
  ::umount2(mounted.c_str(), MNT_DETACH);
}

TEST_F(Disk, AProcessWithFewDescriptorsOrLittleMemoryDamagesNothing) {  // F23
  open("upsert");
  deliver_day(1);
  int day = 1;
  for (const std::string limit : {"ulimit -n 20", "ulimit -n 12", "ulimit -n 8", "ulimit -v 700000",
                                  "ulimit -v 400000", "ulimit -v 150000", "ulimit -f 40"}) {
    SCOPED_TRACE(limit);
    project_->set_model(people(++day));
    Command command = project_->command({"run"});
    const std::string line = limit + "; exec " + command.argv[0] + " run";
    command.argv = {"bash", "-c", line};
    const Finished tight = testing::run(command);
    if (tight.exit_code != 0 && tight.exit_code < 126) {
      EXPECT_NE(tight.err.find("error["), std::string::npos) << tight.exit_code << tight.err;
    }
    const Finished rest = run();
    EXPECT_EQ(rest.exit_code, 0) << rest.err;
    expect_books_agree(day);
  }
}

}  // namespace
}  // namespace eddy::testing
