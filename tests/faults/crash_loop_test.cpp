// As SQLite does it (https://www.sqlite.org/testing.html#crash_testing): the program dies at the n-th call
// that changes anything outside of it, for every n until a run is through; after each death its successor
// runs to the end, and the destination's own book is audited against model and snapshot.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "small_project.h"
#include "support/scratch.h"

namespace eddy::testing {
namespace {

namespace fs = std::filesystem;

constexpr int killed = 128 + SIGKILL;

struct Loop {
  std::string name;
  std::string mode;                     // lines of the sync
  bool unsafe = false;                  // no operation may happen twice
  int day = 1;                          // the run that dies is that of this day; those before went well
  std::vector<std::string> actions;     // one of them for each n
  std::string journal_mode = "delete";  // of the destination's file
};

class CrashLoop : public ::testing::TestWithParam<Loop> {
 protected:
  // The project as it stands before the run that dies.
  SmallProject prepare() {
    SmallProject project(scratch_ / "template", "book: {type: sqlite, path: book.db}\n",
                         "destination: book\nobject: people\nfields: {name: name, score: score}\nguards: "
                         "{removed: 100%, changed: "
                         "100%}\n" +
                             GetParam().mode);
    SqliteBook::create(project.folder() / "book.db", GetParam().journal_mode);
    for (int day = 1; day < GetParam().day; ++day) {
      project.set_model(people(day));
      const Finished finished = project.eddy({"run"});
      EXPECT_EQ(finished.exit_code, 0) << finished.err;
    }
    project.set_model(people(GetParam().day));
    return project;
  }

  Book book_of(const SmallProject& project) { return SqliteBook::read(project.folder() / "book.db"); }

  // Whatever is recorded as delivered has been applied there, with exactly these values.
  void expect_no_false_success(const SmallProject& project, const Book& book) {
    for (const auto& [key, fields] : project.snapshot())
      EXPECT_TRUE(book.applied.contains({key, fields})) << key << "=" << fields << " is said to be delivered";
  }

  void expect_complete(const SmallProject& project) {
    const Finished finished = project.eddy({"run"});
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    const Book book = book_of(project);
    auto open = project.open_rejects();
    const std::set<std::string> doubtful = open["in_doubt"];
    EXPECT_EQ(open["rejected"], std::set<std::string>{});  // the answer to a second insert
    Records expected = people(GetParam().day);
    if (GetParam().unsafe) {
      for (const auto& [key, times] : book.created) EXPECT_EQ(times, 1) << "key " << key;
      // A row that may have left is neither sent again nor called delivered: a person is told.
      Records delivered = book.records;
      for (const std::string& key : doubtful) {
        if (!book.records.contains(key)) expected.erase(key);
        delivered.erase(key);
      }
      EXPECT_EQ(difference(expected, book.records), "");
      EXPECT_EQ(difference(delivered, project.snapshot()), "");
      return;
    }
    EXPECT_TRUE(doubtful.empty()) << doubtful.size();
    EXPECT_EQ(difference(expected, book.records), "");
    EXPECT_EQ(difference(expected, project.snapshot()), "");
    int twice = 0;
    for (const auto& [what, times] : book.applied) {
      EXPECT_LE(times, 2) << "key " << what.first;
      twice += times - 1;
    }
    EXPECT_LE(twice, 40) << "one batch of the one worker";
  }

  void expect_nothing_left_to_do(const SmallProject& project) {
    const auto applied = book_of(project).applied;
    const Finished finished = project.eddy({"run"});
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(book_of(project).applied, applied) << "a row that has not changed was sent";
  }

  Scratch scratch_;
};

TEST_P(CrashLoop, LosesNothingAndRepeatsNothingUnsafe) {  // F1, F2, F3
  const Loop& loop = GetParam();
  const SmallProject prepared = prepare();
  const std::uint64_t stride = full_harness() ? 1 : 7;
  const std::size_t actions = loop.actions.size();
  std::uint64_t deaths = 0;
  // Every action at every call, or each call with one of them.
  for (std::size_t round = 0; round < (full_harness() ? actions : 1); ++round)
    for (std::uint64_t n = 1 + harness_seed() % stride;; n += stride) {
      const Fault fault{.action = loop.actions[(n + round) % actions], .at = n, .seed = n + harness_seed()};
      SCOPED_TRACE(fmt::format("killed at call {}, {}", n, fault.action));
      const SmallProject project = prepared.copy_to(scratch_ / "victim");
      const Finished died = project.eddy({"run"}, fault);
      SCOPED_TRACE(fmt::format("{} {}", project.last_call().name, project.last_call().file));
      ASSERT_TRUE(died.exit_code == killed || died.exit_code == 0) << died.exit_code << died.err;
      const Book book = book_of(project);
      expect_no_false_success(project, book);
      expect_complete(project);
      if (n % 5 == 0) expect_nothing_left_to_do(project);
      if (HasFailure()) return;
      fs::remove_all(scratch_ / "victim");
      fs::remove_all(scratch_ / "victim.aside");
      if (died.exit_code == 0) break;
      ++deaths;
    }
  EXPECT_GT(deaths, 100 / stride) << "the run was too short to prove anything";
  RecordProperty("deaths", std::to_string(deaths));
}

INSTANTIATE_TEST_SUITE_P(
    Sqlite, CrashLoop,
    ::testing::Values(Loop{"FirstRun", "mode: upsert\n", false, 1, {"before", "after", "half"}},
                      Loop{"ChangesAndRemovals", "removed: delete\n", false, 2, {"before", "after", "half"}},
                      Loop{"Insert", "mode: insert\n", true, 1, {"before", "after", "half"}},
                      Loop{"PowerLoss", "removed: delete\n", false, 2, {"lost", "torn"}, "wal"},
                      Loop{"PowerLossOfInserts", "mode: insert\n", true, 1, {"lost", "torn"}, "wal"}),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace eddy::testing
