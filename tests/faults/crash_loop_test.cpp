// As SQLite does it (https://www.sqlite.org/testing.html#crash_testing): the program dies at the n-th call
// that changes anything outside of it, for every n until a run is through; after each death its successor
// runs to the end, and the destination's own book is audited against model and snapshot.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "hostile_destination.h"
#include "people_warehouse.h"
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
  bool http = false;                    // the destination is a service
  // What dies; when it is no run, those of all days went well before.
  std::vector<std::string> command = {"run"};
  bool said_again = false;     // a person says it again before the next run
  Mix mix = {};                // how the service behaves in the runs before
  std::string snapshots = {};  // inside | outside of a PostgreSQL of the user's own, where the model is then
  bool only_sent = false;      // it dies only where something is sent to that PostgreSQL
};

class CrashLoop : public ::testing::TestWithParam<Loop> {
 protected:
  // The project as it stands before the run that dies.
  SmallProject prepare() {
    const Loop& loop = GetParam();
    if (!loop.snapshots.empty()) return prepare_own_warehouse();
    const std::string common =
        "object: people\nfields: {name: name, score: score}\nguards: {removed: 100%, changed: 100%}\n" +
        loop.mode;
    if (loop.http) service_.emplace(1);
    SmallProject project(scratch_ / "template",
                         loop.http ? hostile_connection(*service_) : "book: {type: sqlite, path: book.db}\n",
                         (loop.http ? "destination: crm\n" : "destination: book\n") + common);
    if (loop.http)
      write_hostile_connector(project);
    else
      SqliteBook::create(project.folder() / "book.db", loop.journal_mode);
    if (loop.http) service_->set_mix(loop.mix);
    const bool runs = loop.command == std::vector<std::string>{"run"};
    for (int day = 1; day < loop.day + (runs ? 0 : 1); ++day) {
      project.set_model(people(day));
      const Finished finished = project.eddy({"run"});
      EXPECT_EQ(finished.exit_code, 0) << finished.err;
    }
    project.set_model(people(loop.day));
    if (loop.http) service_->set_mix({});
    if (loop.http) before_ = service_->book();
    return project;
  }

  SmallProject prepare_own_warehouse() {
    const Loop& loop = GetParam();
    warehouse_.emplace();
    SmallProject project = SmallProject::with_own_warehouse(
        scratch_ / "template",
        warehouse_->connection(loop.snapshots) + "book: {type: sqlite, path: book.db}\n",
        "destination: book\nobject: people\nfields: {name: name, score: score}\n"
        "guards: {removed: 100%, changed: 100%}\n" +
            loop.mode);
    SqliteBook::create(project.folder() / "book.db", loop.journal_mode);
    for (int day = 1; day < loop.day; ++day) {
      warehouse_->set_model(people(day));
      const Finished finished = project.eddy({"run"});
      EXPECT_EQ(finished.exit_code, 0) << finished.err;
    }
    warehouse_->set_model(people(loop.day));
    warehouse_->keep();
    return project;
  }

  Records snapshot_of(const SmallProject& project) {
    return GetParam().snapshots == "inside" ? warehouse_->snapshot() : project.snapshot();
  }

  Book book_of(const SmallProject& project) {
    return service_ ? service_->book() : SqliteBook::read(project.folder() / "book.db");
  }

  // What the service refuses does not count.
  static void take_refused_out(Records& records) {
    std::erase_if(records, [](const auto& one) { return std::stoi(one.first) % 17 == 0; });
  }

  // Whatever is recorded as delivered has been applied there, with exactly these values.
  void expect_no_false_success(const SmallProject& project, const Book& book) {
    for (const auto& [key, fields] : snapshot_of(project))
      EXPECT_TRUE(book.applied.contains({key, fields})) << key << "=" << fields << " is said to be delivered";
  }

  void expect_complete(const SmallProject& project) {
    if (GetParam().said_again) project.eddy(GetParam().command);
    const Finished finished = project.eddy({"run"});
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    const Book book = book_of(project);
    auto open = project.open_rejects();
    const std::set<std::string> doubtful = open["in_doubt"];
    Records expected = people(GetParam().day);
    if (service_)
      take_refused_out(expected);
    else
      EXPECT_EQ(open["rejected"], std::set<std::string>{});  // would be the answer to a second insert
    if (!GetParam().unsafe) {
      EXPECT_TRUE(doubtful.empty()) << doubtful.size();
      EXPECT_EQ(difference(expected, book.records), "");
      EXPECT_EQ(difference(expected, snapshot_of(project)), "");
      expect_few_sent_twice(book);
      return;
    }
    for (const auto& [key, times] : book.created) EXPECT_EQ(times, 1) << "key " << key;
    // A row that may have left is neither sent again nor called delivered: a person is told.
    Records delivered = book.records;
    for (const std::string& key : doubtful) {
      if (!book.records.contains(key)) expected.erase(key);
      delivered.erase(key);
    }
    EXPECT_EQ(difference(expected, book.records), "");
    EXPECT_EQ(difference(delivered, snapshot_of(project)), "");
  }

  void expect_few_sent_twice(const Book& book) {
    int twice = 0;
    for (const auto& [what, times] : book.applied) {
      EXPECT_LE(times, 2) << "key " << what.first;
      twice += times - 1;
    }
    // Workers × rows of a batch: 2 × 5 of the service, all 40 in the one batch of the file. What is forgotten
    // is sent once more; what is believed to be there is not.
    const auto& command = GetParam().command;
    const bool believed = command.back() == "--baseline";
    EXPECT_LE(twice, believed ? 0 : service_ ? 10 : 40);
  }

  void expect_nothing_left_to_do(const SmallProject& project) {
    const auto applied = book_of(project).applied;
    const Finished finished = project.eddy({"run"});
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(book_of(project).applied, applied) << "a row that has not changed was sent";
  }

  // One death and what follows. False: the run was over before.
  bool die_once(const SmallProject& prepared, Fault fault) {
    SCOPED_TRACE(fmt::format("killed at call {}, {}", fault.at, fault.action));
    fs::remove_all(scratch_ / "victim");
    fs::remove_all(scratch_ / "victim.aside");
    if (service_) {
      service_->restore(before_);
      fault.port = service_->port();
    }
    if (warehouse_) {
      warehouse_->set_back();
      fault.port = warehouse_->port();
      if (GetParam().only_sent) fault.below = "no such file";
    }
    const SmallProject project = prepared.copy_to(scratch_ / "victim");
    const Finished died = project.eddy(GetParam().command, fault);
    SCOPED_TRACE(fmt::format("{} {}", project.last_call().name, project.last_call().file));
    EXPECT_TRUE(died.exit_code == killed || died.exit_code == 0) << died.exit_code << died.err;
    try {
      expect_no_false_success(project, book_of(project));
      expect_complete(project);
      if (fault.at % 5 == 0) expect_nothing_left_to_do(project);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    return died.exit_code == killed;
  }

  Scratch scratch_;
  std::optional<HostileDestination> service_;
  std::optional<PeopleWarehouse> warehouse_;
  Book before_;
};

TEST_P(CrashLoop, LosesNothingAndRepeatsNothingUnsafe) {  // F1, F2, F3
  const Loop& loop = GetParam();
  if (!loop.snapshots.empty()) EDDY_NEEDS_POSTGRES();
  const SmallProject prepared = prepare();
  const bool runs = loop.command.front() == "run" && !loop.only_sent;
  // The others are short, and a server takes its time.
  const std::uint64_t stride = full_harness() ? 1 : warehouse_ ? (runs ? 131 : 29) : runs ? 23 : 7;
  const std::size_t actions = loop.actions.size();
  std::uint64_t deaths = 0;
  // All of it: every action at every call. Otherwise each n-th call, with one action after the other.
  for (std::size_t round = 0; round < (full_harness() ? actions : 1); ++round)
    for (std::uint64_t n = 1 + harness_seed() % stride; deaths < 100'000; n += stride) {
      const std::string& action = loop.actions[(n / stride + round) % actions];
      if (!die_once(prepared, {.action = action, .at = n, .seed = n + harness_seed()})) break;
      ++deaths;
      if (HasFailure() && !full_harness()) return;
    }
  EXPECT_GT(deaths, (runs ? 100 : 20) / stride) << "it was too short to prove anything";
}

const std::vector<std::string> kills = {"before", "after", "half"}, power_cuts = {"lost", "torn"};

INSTANTIATE_TEST_SUITE_P(Sqlite, CrashLoop,
                         ::testing::Values(Loop{"FirstRun", "mode: upsert\n", false, 1, kills},
                                           Loop{"ChangesAndRemovals", "removed: delete\n", false, 2, kills},
                                           Loop{"Insert", "mode: insert\n", true, 1, kills},
                                           Loop{"PowerLoss", "removed: delete\n", false, 2, power_cuts},
                                           Loop{"PowerLossOfInserts", "mode: insert\n", true, 1, power_cuts}),
                         [](const auto& one) { return one.param.name; });

// Operations on what has been delivered.
INSTANTIATE_TEST_SUITE_P(
    Operations, CrashLoop,
    ::testing::Values(
        Loop{"Reset", "mode: upsert\n", false, 1, kills, "delete", false, {"sync", "reset", "people"}},
        Loop{"Baseline",
             "mode: upsert\n",
             false,
             1,
             kills,
             "delete",
             false,
             {"sync", "reset", "people", "--baseline"},
             true},
        Loop{"PowerLossOfReset",
             "mode: upsert\n",
             false,
             1,
             power_cuts,
             "delete",
             false,
             {"sync", "reset", "people"}},
        Loop{"Resolve",
             "mode: insert\n",
             true,
             1,
             kills,
             "",
             true,
             {"resolve", "people", "--all", "--applied"},
             true,
             {{Trouble::drop_after, 40}}}),
    [](const auto& one) { return one.param.name; });

// The fold goes into a warehouse of the user's own, in one transaction there with the standing.
Loop own(const std::string& name, const std::string& snapshots, Loop loop, bool only_sent = false) {
  loop.name = name;
  loop.snapshots = snapshots;
  loop.only_sent = only_sent;
  return loop;
}
INSTANTIATE_TEST_SUITE_P(
    OwnWarehouse, CrashLoop,
    ::testing::Values(own("Inside", "inside", {"", "removed: delete\n", false, 2, kills}),
                      own("InsideSends", "inside", {"", "removed: delete\n", false, 2, kills}, true),
                      own("InsideInsert", "inside", {"", "mode: insert\n", true, 1, kills}),
                      own("InsidePowerLoss", "inside", {"", "removed: delete\n", false, 2, power_cuts}),
                      own("Outside", "outside", {"", "removed: delete\n", false, 2, kills})),
    [](const auto& one) { return one.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Http, CrashLoop,
    ::testing::Values(Loop{"ChangesAndRemovals", "removed: delete\n", false, 2, kills, "", true},
                      Loop{"Insert", "mode: insert\n", true, 1, kills, "", true},
                      Loop{"PowerLoss", "removed: delete\n", false, 2, power_cuts, "", true},
                      Loop{"PowerLossOfInserts", "mode: insert\n", true, 1, power_cuts, "", true}),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace eddy::testing
