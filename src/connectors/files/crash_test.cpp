// What becomes of acknowledged rows when the process dies, or the disk is full, at any step.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>

#include "connectors/files/reader.h"
#include "connectors/files/writer.h"
#include "core/error.h"
#include "core/files.h"
#include "support/process.h"
#include "support/scratch.h"

namespace eddy::connectors {
namespace {
namespace fs = std::filesystem;
using testing::Scratch;

sync::Delivery people(sync::Mode mode = sync::Mode::upsert) {
  return {.object = "people.csv",
          .mode = mode,
          .removed = sync::Removal::erase,
          .key = {{"id", Type::integer}},
          .fields = {{"name", Type::text}},
          .options = {},
          .sync = "people"};
}

FileTarget target_in(const fs::path& folder, FileContent content = FileContent::whole) {
  FileTarget target = FileTarget::of(folder, "people.csv", {});
  target.content = content;
  return target;
}

std::vector<Change> rows(int from, int to, const std::string& name) {
  std::vector<Change> out;
  for (int id = from; id < to; ++id)
    out.push_back({.number = static_cast<std::uint64_t>(id),
                   .operation = Operation::add,
                   .key = {Value::integer(id)},
                   .fields = {Value::text(name)},
                   .changed = {true}});
  return out;
}

std::string text_of(int from, int to, const std::string& name) {
  std::string out;
  for (int id = from; id < to; ++id) out += std::to_string(id) + "," + name + "\n";
  return out;
}

struct Died : std::exception {};

// Throws at its step, for ever: as if the process had ended there.
FileCheckpoint dies_at(const std::string& step) {
  return [step](std::string_view now) {
    if (now == step) throw Died();
  };
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder)) out.push_back(entry.path().filename());
  std::sort(out.begin(), out.end());
  return out;
}

TEST(FilesCrash, WhateverStepIsTheLastEveryAcknowledgedRowEndsUpInTheFile) {
  for (const std::string step : {"write", "rename", "clear"}) {
    const Scratch scratch;
    const FileTarget target = target_in(scratch.path());
    const std::string before = "id,name\n" + text_of(0, 5, "old");
    scratch.write("people.csv", before);
    {
      FileWriter writer(target, people(), system_clock(), dies_at(step));
      EXPECT_EQ(writer.deliver(rows(3, 8, "new")).verdicts[4].outcome, Outcome::applied);
      EXPECT_THROW(writer.finish(), Died);
    }
    const std::string after = "id,name\n" + text_of(0, 3, "old") + text_of(3, 8, "new");
    EXPECT_EQ(scratch.read("people.csv"), step == "clear" ? after : before)
        << step << ": whole, whichever it is";
    EXPECT_TRUE(unfinished(target));
    // A reader sees them already.
    FileReader reader(scratch.path(), target, people().key, people().fields);
    EXPECT_EQ(reader.read(std::vector<Row>{{Value::integer(7)}})[0].fields.at(0), Value::text("new")) << step;
    { FileWriter next(target, people(), system_clock()); }
    EXPECT_EQ(scratch.read("people.csv"), after) << step;
    EXPECT_FALSE(unfinished(target));
    EXPECT_EQ(entries(scratch.path()), std::vector<fs::path>{"people.csv"}) << step;
  }
}

TEST(FilesCrash, AFileOfChangesIsThereOnceAndUnderTheNameOfItsRun) {
  for (const std::string step : {"write", "rename", "clear"}) {
    const Scratch scratch;
    const FileTarget target = target_in(scratch.path(), FileContent::changes);
    {
      FileWriter writer(target, people(), system_clock(), dies_at(step));
      writer.deliver(rows(0, 3, "first"));
      EXPECT_THROW(writer.finish(), Died);
    }
    const std::string run = journal_runs(target).at(0).run;
    FileWriter writer(target, people(), system_clock());
    const auto first = entries(scratch / "people");
    ASSERT_EQ(first, std::vector<fs::path>{run + ".csv"}) << step;
    EXPECT_EQ(std::ranges::count(read_file(scratch / "people" / (run + ".csv")), '\n'), 4);
    writer.deliver(rows(3, 4, "second"));
    writer.finish();
    EXPECT_EQ(entries(scratch / "people").size(), 2U);
    EXPECT_FALSE(unfinished(target));
  }
}

TEST(FilesCrash, AWriterThatIsNotFinishedFinishesItself) {
  const Scratch scratch;
  { FileWriter(target_in(scratch.path()), people(), system_clock()).deliver(rows(0, 2, "a")); }
  EXPECT_EQ(scratch.read("people.csv"), "id,name\n" + text_of(0, 2, "a"));
}

// The child of the next test: delivers, says so, and is killed.
TEST(FilesCrash, DISABLED_DeliversUntilKilled) {
  FileWriter writer(target_in(std::getenv("EDDY_FILES_FOLDER")), people(), system_clock());
  for (int batch = 0; batch < 40; ++batch) {
    writer.deliver(rows(batch * 10, batch * 10 + 10, "row"));
    std::printf("acknowledged %d\n", batch * 10 + 10);
    std::fflush(stdout);
    if (batch % 7 == 6) writer.finish();
  }
}

TEST(FilesCrash, AKilledProcessLosesNothingItHasAcknowledged) {
  for (const int batches : {1, 6, 7, 8, 13, 27}) {
    const Scratch scratch;
    fs::create_directories(scratch / "data");
    {
      testing::Background child({.argv = {testing::program("eddy_connectors_files_test").string(),
                                          "--gtest_also_run_disabled_tests",
                                          "--gtest_filter=FilesCrash.DISABLED_DeliversUntilKilled"},
                                 .environment = {{"EDDY_FILES_FOLDER", (scratch / "data").string()}}},
                                scratch / "log");
      child.wait_for("acknowledged " + std::to_string(batches * 10) + "\n");
      ::kill(child.pid(), SIGKILL);
    }
    const std::string log = read_file(scratch / "log");
    const auto last = log.rfind("acknowledged ");
    const int acknowledged = std::stoi(log.substr(last + 13));
    const FileTarget target = target_in(scratch / "data");
    { FileWriter next(target, people(), system_clock()); }
    FileReader reader(scratch / "data", target, people().key, {});
    std::vector<Row> keys;
    for (int id = 0; id < acknowledged; ++id) keys.push_back({Value::integer(id)});
    for (const auto& record : reader.read(keys)) ASSERT_EQ(record.matches, 1U);
    EXPECT_EQ(entries(scratch / "data"), std::vector<fs::path>{"people.csv"});
  }
}

TEST(FilesCrash, AnotherProcessIsToldWhoHoldsTheFile) {
  const Scratch scratch;
  fs::create_directories(scratch / "data");
  testing::Background child(
      {.argv = {testing::program("eddy_connectors_files_test").string(), "--gtest_also_run_disabled_tests",
                "--gtest_filter=FilesCrash.DISABLED_DeliversUntilKilled"},
       .environment = {{"EDDY_FILES_FOLDER", (scratch / "data").string()}}},
      scratch / "log");
  child.wait_for("acknowledged 10\n");
  ::kill(child.pid(), SIGSTOP);
  try {
    FileWriter writer(target_in(scratch / "data"), people(), system_clock());
    ADD_FAILURE() << "two processes wrote one file";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "destination.locked");
  }
  ::kill(child.pid(), SIGCONT);
  ::kill(child.pid(), SIGKILL);
}

// No file of this process may grow beyond so many bytes.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  sighandler_t handler_;
};

std::string code_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.code();
  }
  return "";
}

TEST(FilesCrash, AFullDiskStopsTheRunAndSpoilsNothing) {
  const Scratch scratch;
  const FileTarget target = target_in(scratch.path());
  std::string noise;
  for (std::uint32_t i = 1, x = 7; i < 60'000; ++i) {
    x = x * 1664525 + 1013904223;
    noise += static_cast<char>('a' + (x >> 24) % 26);
  }
  {
    FileWriter writer(target, people(), system_clock());
    EXPECT_EQ(writer.deliver(rows(0, 2, "small")).verdicts[0].outcome, Outcome::applied);
    {
      const FullDisk full(20'000);
      EXPECT_EQ(code_of([&] { writer.deliver(rows(2, 3, noise)); }), "destination.unwritable");
    }
    // The row that could not be kept was not acknowledged and is not there.
    EXPECT_EQ(writer.deliver(rows(5, 6, noise)).verdicts[0].outcome, Outcome::applied);
    {
      const FullDisk full(20'000);
      EXPECT_EQ(code_of([&] { writer.finish(); }), "destination.unwritable");
      EXPECT_FALSE(fs::exists(target.file)) << "neither half";
    }
  }
  EXPECT_EQ(scratch.read("people.csv"), "id,name\n" + text_of(0, 2, "small") + "5," + noise + "\n")
      << "the destructor tried again when there was room";
  const std::string before = scratch.read("people.csv");
  {
    const FullDisk full(20'000);
    FileWriter writer(target, people(), system_clock());
    EXPECT_EQ(writer.deliver(rows(7, 8, "seven")).verdicts[0].outcome, Outcome::applied);
    EXPECT_EQ(code_of([&] { writer.finish(); }), "destination.unwritable");
    EXPECT_EQ(scratch.read("people.csv"), before) << "the old file is whole";
  }
  EXPECT_TRUE(unfinished(target));
  { FileWriter next(target, people(), system_clock()); }
  EXPECT_EQ(scratch.read("people.csv"), before + "7,seven\n");
}

TEST(FilesCrash, AJournalThatWasTamperedWithIsSaid) {
  const Scratch scratch;
  const FileTarget target = target_in(scratch.path());
  {
    FileWriter writer(target, people(), system_clock(), dies_at("write"));
    writer.deliver(rows(0, 2, "a"));
    EXPECT_THROW(writer.finish(), Died);
  }
  const fs::path run = journal_runs(target).at(0).folder();
  const std::string description = read_file(run / "run.json");
  write_file_atomically(run / "run.json", "{}");
  EXPECT_EQ(code_of([&] { FileWriter writer(target, people(), system_clock()); }),
            "destination.journal_damaged");
  write_file_atomically(run / "run.json", description);
  {
    FileWriter writer(target, people(), system_clock());
    EXPECT_EQ(scratch.read("people.csv"), "id,name\n" + text_of(0, 2, "a"));
    writer.deliver(rows(2, 3, "b"));
    fs::remove(writer.run().segments().at(0));
    EXPECT_EQ(code_of([&] { writer.finish(); }), "destination.journal_damaged");
  }
}

}  // namespace
}  // namespace eddy::connectors
