// What the program remembers is damaged, missing or older than it should be: that is noticed before anything
// is sent, and said, or it does not matter.
#include <fmt/format.h>

#include <fstream>

#include "core/files.h"
#include "fault_fixture.h"

namespace eddy::testing {
namespace {

namespace fs = std::filesystem;

class State : public FaultTest {
 protected:
  // Two days are delivered, then `damage` is done, then the third day runs.
  void prepare(const std::string& mode) {
    open(mode);
    deliver_day(1);
    backup_ = std::make_unique<SmallProject>(project_->copy_to(scratch_ / "backup"));
    deliver_day(2);
    project_->set_model(people(3));
    book_ = service_->book();
    prepared_ = std::make_unique<SmallProject>(project_->copy_to(scratch_ / "prepared"));
  }
  Finished after(const std::function<void(const fs::path& dot_eddy)>& damage) {
    service_->restore(book_);
    fs::remove_all(scratch_ / "victim");
    fs::remove_all(scratch_ / "victim.aside");
    project_ = std::make_unique<SmallProject>(prepared_->copy_to(scratch_ / "victim"));
    damage(project_->folder() / ".eddy");
    requests_ = service_->requests();
    return run();
  }
  // Refused with words, or done right.
  void expect_said_or_harmless(const Finished& finished) {
    if (finished.exit_code == 0) {
      expect_books_agree(3);
      ++harmless_;
      return;
    }
    ++said_;
    EXPECT_TRUE(finished.exit_code == 1 || finished.exit_code == 2) << finished.exit_code;
    EXPECT_NE(finished.err.find("error["), std::string::npos) << finished.exit_code << finished.err;
    EXPECT_EQ(finished.err.find("internal.unexpected"), std::string::npos) << finished.err;
  }
  void expect_refused(const Finished& finished, const std::string& code,
                      const std::vector<std::string>& words) {
    EXPECT_EQ(finished.exit_code == 1 || finished.exit_code == 2, true) << finished.exit_code;
    expect_error(finished, finished.exit_code, code, words);
    EXPECT_EQ(service_->requests(), requests_) << "something was sent";
  }

  std::unique_ptr<SmallProject> backup_, prepared_;
  Book book_;
  std::uint64_t requests_ = 0;
  int said_ = 0, harmless_ = 0;
};

TEST_F(State, AFlippedByteIsSaidOrHarmless) {  // F21
  prepare("upsert");
  for (const char* name : {"sync.duckdb", "state.db"}) {
    const std::uint64_t size = fs::file_size(prepared_->folder() / ".eddy" / name);
    const std::uint64_t step = size / (full_harness() ? 400 : 20);
    for (std::uint64_t at = harness_seed() * 7 % step; at < size; at += step) {
      SCOPED_TRACE(fmt::format("{} byte {} of {}", name, at, size));
      const int said = said_;
      expect_said_or_harmless(after([&](const fs::path& dot_eddy) {
        std::fstream file(dot_eddy / name, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(at));
        const int byte = file.get();
        file.seekp(static_cast<std::streamoff>(at));
        file.put(static_cast<char>(byte ^ (1 << (at % 8))));
      }));
      EXPECT_TRUE(said_ == said || service_->requests() == requests_) << "it was met after sending";
      if (HasFailure() && !full_harness()) return;
    }
  }
  EXPECT_GT(said_, 0);
}

// A page of SQLite is in order whatever its texts say: the rows themselves know.
TEST_F(State, AFlippedByteInARejectIsSaid) {  // F21
  prepare("upsert");
  const std::string file = read_file(prepared_->folder() / ".eddy/state.db");
  const auto flipped = [&](std::size_t at) {
    return after([&](const fs::path& dot_eddy) {
      std::string bytes = file;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 7)));
      std::ofstream(dot_eddy / "state.db", std::ios::binary) << bytes;
    });
  };
  // The texts of the row lie one behind the other. Where a row was before it grew, bytes mean nothing.
  const std::string begin = "people[17]add", end = "open";
  std::size_t from = std::string::npos;
  for (auto at = file.find(begin); at != std::string::npos; at = file.find(begin, at + 1))
    if (flipped(at + begin.size()).exit_code != 0) from = at;
  ASSERT_NE(from, std::string::npos) << "no reject was found in the file";
  const std::size_t to = file.find(end, from) + end.size();
  ASSERT_NE(file.substr(from, to - from).find("n17"), std::string::npos) << "its payload is elsewhere";
  const std::size_t step = full_harness() ? 1 : (to - from) / 12;
  for (std::size_t at = from; at < to; at += step) {
    SCOPED_TRACE(fmt::format("byte {} of {}", at - from, file.substr(from, to - from)));
    expect_refused(flipped(at), "state.damaged",
                   {".eddy/state.db is damaged: ", "restore the folder .eddy whole from one backup",
                    "every row is sent again"});
    if (HasFailure() && !full_harness()) return;
  }
}

TEST_F(State, AMissingFileIsSaid) {  // F21
  prepare("upsert");
  expect_refused(after([](const fs::path& dot_eddy) { fs::remove(dot_eddy / "sync.duckdb"); }),
                 "sync.state_mismatch",
                 {"sync people", "the snapshot (.eddy/sync.duckdb) is older", "nothing was sent", "restore"});
  expect_said_or_harmless(after([](const fs::path& dot_eddy) { fs::remove(dot_eddy / "state.db"); }));
  EXPECT_EQ(said_, 1) << "a lost control database was not noticed";
}

TEST_F(State, AnOlderCopyOfOneFileIsSaid) {  // F21
  prepare("upsert");
  const fs::path old = backup_->folder() / ".eddy";
  expect_refused(after([&](const fs::path& dot_eddy) {
                   fs::copy_file(old / "sync.duckdb", dot_eddy / "sync.duckdb",
                                 fs::copy_options::overwrite_existing);
                 }),
                 "sync.state_mismatch",
                 {"the snapshot (.eddy/sync.duckdb) is older than the control database", "nothing was sent"});
  expect_refused(after([&](const fs::path& dot_eddy) {
                   fs::copy_file(old / "state.db", dot_eddy / "state.db",
                                 fs::copy_options::overwrite_existing);
                 }),
                 "sync.state_mismatch",
                 {"the control database (.eddy/state.db) is older than the snapshot", "nothing was sent"});
}

TEST_F(State, ACutOrLostLogIsSaidOrHarmless) {  // F21
  prepare("upsert");
  // A run that dies while it folds leaves logs behind: of SQLite, of DuckDB, and the ledger.
  const Book before = service_->book();
  const SmallProject clean = prepared_->copy_to(scratch_ / "clean");
  ASSERT_EQ(clean.eddy({"run"}, {.haste = haste, .port = service_->port()}).exit_code, 0);
  const std::uint64_t calls = clean.last_call().number;
  const std::uint64_t stride = full_harness() ? 3 : 25;
  for (std::uint64_t n = calls * 2 / 3; n < calls; n += stride) {
    service_->restore(before);
    fs::remove_all(scratch_ / "dead");
    const SmallProject dead = prepared_->copy_to(scratch_ / "dead");
    dead.eddy({"run"}, {.action = "before", .at = n, .haste = haste, .port = service_->port()});
    book_ = service_->book();
    std::vector<fs::path> logs;
    for (const auto& entry : fs::recursive_directory_iterator(dead.folder() / ".eddy"))
      if (entry.path().extension() == ".ledger" || entry.path().string().ends_with("-wal") ||
          entry.path().extension() == ".wal")
        logs.push_back(entry.path().lexically_relative(dead.folder() / ".eddy"));
    const auto whole = std::move(prepared_);
    prepared_ = std::make_unique<SmallProject>(dead);
    for (const fs::path& log : logs)
      for (const bool cut : {false, true}) {
        SCOPED_TRACE(fmt::format("dead at call {}, {} {}", n, log.string(), cut ? "cut" : "lost"));
        const Finished finished = after([&](const fs::path& dot_eddy) {
          if (cut)
            fs::resize_file(dot_eddy / log, fs::file_size(dot_eddy / log) * 2 / 3);
          else
            fs::remove(dot_eddy / log);
        });
        expect_said_or_harmless(finished);
      }
    prepared_ = std::make_unique<SmallProject>(*whole);
    if (HasFailure() && !full_harness()) return;
  }
}

}  // namespace
}  // namespace eddy::testing
