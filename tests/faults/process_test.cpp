// Processes: two at once, one that is stopped and wakes up late, one that is told to end, one whose clock
// jumps.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "engine/database.h"
#include "fault_fixture.h"

namespace eddy::testing {
namespace {

class Processes : public FaultTest {
 protected:
  static void wait_for_state(pid_t pid, char state) {
    for (int i = 0; i < 2'000; ++i) {
      std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
      std::string text;
      std::getline(in, text);
      const auto at = text.rfind(')');
      if (at != std::string::npos && at + 2 < text.size() && text[at + 2] == state) return;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    FAIL() << "process " << pid << " never came to state " << state;
  }
  static bool has_open(pid_t pid, const std::string& name) {
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), gone)) {
      const auto file = std::filesystem::read_symlink(entry.path(), gone);
      if (!gone && file.filename() == name) return true;
    }
    return false;
  }
  static void wait_until_open(pid_t pid, const std::string& name, bool open) {
    for (int i = 0; i < 6'000 && has_open(pid, name) != open; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    ASSERT_EQ(has_open(pid, name), open) << name;
  }
};

TEST_F(Processes, EightStartsAtOnceDeliverOnce) {  // F22
  open("insert");
  project_->set_model(people(1));
  std::vector<std::future<Finished>> runs;
  for (int i = 0; i < 8; ++i)
    runs.push_back(std::async(std::launch::async, [this] { return project_->eddy({"run"}); }));
  int done = 0;
  for (auto& one : runs) {
    const Finished finished = one.get();
    done += finished.exit_code == 0;
    if (finished.exit_code != 0)
      expect_error(finished, 2, "state.busy", {"another eddy works on this project: pid "});
  }
  EXPECT_GE(done, 1);
  expect_books_agree(1);
  EXPECT_TRUE(project_->open_rejects()["in_doubt"].empty());
  expect_nothing_left_to_do();
}

TEST_F(Processes, AStoppedProcessKeepsItsPlaceAndNothingOlderArrivesLater) {  // F22
  open("upsert");
  deliver_day(1);
  project_->set_model(people(2));
  // Stopped at the first byte that would leave, with the lock in its hand.
  std::uint64_t at = 0;
  {
    const SmallProject rehearsal = project_->copy_to(scratch_ / "rehearsal");
    const Book before = service_->book();
    Fault counting{.haste = haste, .port = service_->port()};
    ASSERT_EQ(rehearsal.eddy({"run"}, counting).exit_code, 0);
    const std::uint64_t calls = rehearsal.last_call().number;
    service_->restore(before);
    at = calls / 2;
  }
  const Fault stop{.action = "signal", .at = at, .signal = SIGSTOP, .haste = haste, .port = service_->port()};
  Background zombie(project_->command({"run"}, &stop), scratch_ / "zombie.log");
  wait_for_state(zombie.pid(), 'T');
  project_->set_model(people(3));
  expect_error(run(), 2, "state.busy",
               {fmt::format("another eddy works on this project: pid {}, eddy run", zombie.pid()),
                "nothing was changed"});
  ::kill(zombie.pid(), SIGCONT);
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(zombie.pid()), &info, WEXITED | WNOWAIT) != 0) {
  }
  const Finished after = run();
  ASSERT_EQ(after.exit_code, 0) << after.err;
  expect_books_agree(3);
}

TEST_F(Processes, AFileThatAnotherProgramHasOpenIsSaid) {  // F22
  open("upsert");
  deliver_day(1);
  project_->set_model(people(2));
  const auto received = service_->rows_received();
  {
    auto other = engine::Database::open(project_->folder() / ".eddy/sync.duckdb", {});
    expect_error(run(), 1, "sync.busy", {"is open in another process", "nothing was changed"});
    expect_error(run({}, {"plan"}), 1, "sync.busy", {"is open in another process", "nothing was changed"});
  }
  EXPECT_EQ(service_->rows_received(), received);
  EXPECT_EQ(run().exit_code, 0);
  expect_books_agree(2);
}

TEST_F(Processes, WhoReadsSlowlyKeepsNobodyFromWorking) {  // F22
  open("upsert");
  deliver_day(1);
  // Its output goes into a pipe that nobody empties.
  const auto pipe = scratch_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int end = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(end, 0);
  Background reader(
      project_->command({"query", "--format", "csv", "select o.* from eddy.row_outcomes o, range(20000)"}),
      pipe);
  pollfd some{end, POLLIN, 0};
  ASSERT_EQ(::poll(&some, 1, 60'000), 1);
  const auto received = service_->rows_received();
  const Finished finished = run({}, {"sync", "resend", "people", "--yes"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_GT(service_->rows_received(), received);
  ::close(end);
}

TEST_F(Processes, AWarehouseThatAnotherProcessHasOpenIsSaid) {  // F22
  open("upsert");
  deliver_day(1);
  const std::string endless =
      "select count(*) as n from range(20000000) a(i), range(1000) b(j) where a.i % 7 = b.j % 7";
  const auto expect_busy = [&](const std::vector<std::string>& command, pid_t holder) {
    expect_error(run({}, command), 2, "warehouse.busy",
                 {fmt::format("warehouse.duckdb is open in another process: pid {}, ", holder),
                  "wait until it has finished, or end that process; nothing was changed"});
  };
  std::ofstream(project_->folder() / "models/presentation/slow.sql") << endless;
  {
    const Background working(project_->command({"run", "-s", "presentation.slow"}), scratch_ / "run.log");
    wait_until_open(working.pid(), "warehouse.duckdb", true);
    expect_busy({"query", "select 1"}, working.pid());
    expect_busy({"show", "presentation.people"}, working.pid());
    expect_error(run({}, {"plan"}), 2, "state.busy", {fmt::format("pid {}, eddy run", working.pid())});
    ::kill(working.pid(), SIGKILL);
  }
  std::filesystem::remove(project_->folder() / "models/presentation/slow.sql");
  project_->set_model(people(2));
  {
    const Background asking(project_->command({"query", endless}), scratch_ / "query.log");
    wait_until_open(asking.pid(), "warehouse.duckdb", true);
    const auto received = service_->rows_received();
    expect_busy({"run"}, asking.pid());
    EXPECT_EQ(service_->rows_received(), received);
    EXPECT_EQ(run({}, {"query", "select 1"}).exit_code, 0) << "two may read";
    ::kill(asking.pid(), SIGKILL);
  }
  EXPECT_EQ(run().exit_code, 0);
  expect_books_agree(2);
}

TEST_F(Processes, AQueryThatIsReadSlowlyLetsTheWarehouseGo) {  // F22
  open("upsert");
  deliver_day(1);
  const auto pipe = scratch_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int end = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(end, 0);
  // More than a pipe and the program's memory for it hold.
  constexpr int rows = 1'000'000;
  const Background asking(
      project_->command({"query", "--format", "csv", fmt::format("select i from range({}) t(i)", rows)}),
      pipe);
  pollfd some{end, POLLIN, 0};
  ASSERT_EQ(::poll(&some, 1, 60'000), 1);
  wait_until_open(asking.pid(), "warehouse.duckdb", false);
  project_->set_model(people(2));
  const Finished finished = run();
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  expect_books_agree(2);
  // All of it comes, in order.
  ASSERT_EQ(::fcntl(end, F_SETFL, 0), 0);
  std::string printed, piece(65'536, 0);
  for (ssize_t n = 0; (n = ::read(end, piece.data(), piece.size())) > 0;)
    printed.append(piece.data(), static_cast<std::size_t>(n));
  ::close(end);
  std::string expected = "i\n";
  for (int i = 0; i < rows; ++i) expected += std::to_string(i) + "\n";
  EXPECT_TRUE(printed == expected) << printed.size() << " bytes of " << expected.size();
}

TEST_F(Processes, AKilledRunIsShownAsInterrupted) {  // F2
  open("upsert");
  deliver_day(1);
  project_->set_model(people(2));
  ASSERT_NE(run({.action = "before", .at = 40}).exit_code, 0);
  const auto newest = [&] {
    const std::string lines = project_->eddy({"runs", "--json"}).out;
    return nlohmann::json::parse(lines.substr(0, lines.find('\n')));
  };
  const auto dead = newest();
  EXPECT_EQ(dead.at("status"), "interrupted");
  EXPECT_FALSE(dead.at("ended").get<std::string>().empty());
  // One that is under way is not.
  std::ofstream(project_->folder() / "models/presentation/slow.sql")
      << "select count(*) as n from range(20000000) a(i), range(1000) b(j) where a.i % 7 = b.j % 7";
  Background alive(project_->command({"run", "-s", "presentation.slow"}), scratch_ / "alive.log");
  for (int i = 0; i < 2'000 && newest().at("run") == dead.at("run"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  EXPECT_NE(newest().at("run"), dead.at("run"));
  EXPECT_EQ(newest().at("status"), "running");
}

TEST_F(Processes, ToldToEndItEndsWithinSecondsAndGoesOnLater) {  // F28
  for (const std::string mode : {"upsert", "insert"}) {
    open(mode);
    project_->set_model(people(1));
    service_->set_mix({{Trouble::delayed, 100}});
    const SmallProject rehearsal = project_->copy_to(scratch_ / ("rehearsal" + mode));
    ASSERT_EQ(rehearsal.eddy({"run"}, {.haste = haste, .port = service_->port()}).exit_code, 0);
    const std::uint64_t calls = rehearsal.last_call().number;
    const std::uint64_t stride = full_harness() ? 1 : calls / 9 + 1;
    int interrupted = 0;
    for (std::uint64_t n = 1 + harness_seed() % stride; n < calls; n += stride) {
      SCOPED_TRACE(fmt::format("{}: told at call {} of {}", mode, n, calls));
      service_->restore({});
      auto victim =
          std::make_unique<SmallProject>(project_->copy_to(scratch_ / ("v" + mode + std::to_string(n))));
      std::swap(project_, victim);
      const auto start = std::chrono::steady_clock::now();
      const Finished told = run({.action = "signal", .at = n, .signal = n % 2 == 0 ? SIGTERM : SIGINT});
      EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{20});
      EXPECT_TRUE(told.exit_code == 130 || told.exit_code == 0) << told.exit_code << told.err;
      EXPECT_EQ(told.err.find("FAIL "), std::string::npos) << "what was told to end has not failed\n"
                                                           << told.err;
      interrupted += told.exit_code == 130;
      const Finished rest = run();
      EXPECT_EQ(rest.exit_code, 0) << rest.err;
      EXPECT_TRUE(project_->open_rejects()["in_doubt"].empty())
          << "an answer that was waited for is in doubt";
      expect_books_agree(1);
      std::swap(project_, victim);
    }
    EXPECT_GT(interrupted, 3);
  }
}

TEST_F(Processes, AClockThatJumpsChangesNothing) {  // F19
  for (const std::string mode : {"mirror", "insert"}) {
    open(mode);
    service_->set_mix({{Trouble::throttled, 10}, {Trouble::unavailable, 10}});
    for (int day = 1; day <= (full_harness() ? 40 : 4); ++day) {
      SCOPED_TRACE(fmt::format("{}, day {}", mode, day));
      project_->set_model(people(day));
      for (int again = 0; again < 2; ++again) {
        const Finished finished =
            run({.seed = harness_seed() * 100 + static_cast<std::uint64_t>(day), .clock_seconds = 86'400});
        EXPECT_TRUE(finished.exit_code == 0 || again == 0) << finished.err;
      }
      expect_books_agree(day);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace eddy::testing
