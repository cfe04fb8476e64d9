// A real process, killed with SIGKILL at random moments of real runs; then its successor, and an audit of the
// destination's own book.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "core/files.h"
#include "support/process.h"
#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::people_yaml;
using testing::spec_of;
using testing::text_of;

// A destination whose book is a file: one line per applied row, written before the answer is given.
Answer write_down(const std::filesystem::path& book, std::span<const Change> changes) {
  Answer answer;
  std::string lines;
  for (const Change& change : changes) {
    lines += fmt::format("{}\t{}\n", text_of(change.key),
                         change.operation == Operation::remove ? "removed" : text_of(change.fields));
    answer.verdicts.push_back(Verdict::applied());
  }
  const int fd = ::open(book.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const bool written = ::write(fd, lines.data(), lines.size()) == static_cast<ssize_t>(lines.size());
  ::close(fd);
  if (!written) throw Error("book.unwritable", "the book cannot be written");
  return answer;
}

struct Book {
  std::map<std::string, std::string> records;
  std::map<std::string, int> times;
};
Book read_book(const std::filesystem::path& file) {
  Book book;
  if (!std::filesystem::exists(file)) return book;
  for (const std::string& line : split(read_file(file), '\n')) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos) continue;
    const std::string key = line.substr(0, tab), fields = line.substr(tab + 1);
    ++book.times[key];
    if (fields == "removed")
      book.records.erase(key);
    else
      book.records[key] = fields;
  }
  return book;
}

std::string model_of(int round) {
  // Every round changes a third, adds fifty and drops the twenty lowest keys.
  return fmt::format(
      "select i as id, 'n' || case when i % 3 = {0} % 3 then {0} else 0 end as name, i % 7 as score from "
      "range({1}, {2}) t(i)",
      round, round * 20, 400 + round * 50);
}

SyncSpec spec_for(const std::string& mode) {
  return spec_of(people_yaml + "guards: {removed: 100%}\n" + mode);
}

// `at_request`: called when so many requests have come.
void live(
    const std::filesystem::path& folder, const std::string& mode, int round,
    const std::function<void(int)>& at_request = [](int) {}) {
  Bed bed(folder);
  bed.model(model_of(round));
  bed.destination.limits = {20, 0, 3};
  std::atomic<int> requests = 0;
  bed.destination.script = [&](std::span<const Change> changes) {
    at_request(++requests);
    Answer answer = write_down(folder / "book", changes);
    std::this_thread::sleep_for(
        std::chrono::milliseconds{3});  // applied, and not yet answered: where a kill hurts most
    return answer;
  };
  run_sync(*bed.session, spec_for(mode), bed.destination, new_id(), system_clock(), silent_progress(),
           *bed.cancel);
}

// The child: this very program again. It kills itself a chosen while after a chosen request: before it is
// answered, between two, or, when it was the last, in the middle of the fold.
TEST(KillChild, DISABLED_Run) {
  const std::filesystem::path folder = std::getenv("EDDY_KILL_FOLDER");
  const int request = std::atoi(std::getenv("EDDY_KILL_REQUEST")),
            after = std::atoi(std::getenv("EDDY_KILL_AFTER_US"));
  live(folder, std::getenv("EDDY_KILL_MODE"), std::atoi(std::getenv("EDDY_KILL_ROUND")), [&](int n) {
    if (n != request) return;
    std::thread([after] {
      std::this_thread::sleep_for(std::chrono::microseconds{after});
      ::kill(::getpid(), SIGKILL);
    }).detach();
  });
}

class Kill : public ::testing::TestWithParam<std::string> {};

TEST_P(Kill, LosesNothingAndRepeatsNoInsert) {
  const eddy::testing::Scratch scratch;
  const std::filesystem::path folder = scratch / "project";
  const std::string mode = GetParam();
  const SyncSpec spec = spec_for(mode);
  std::mt19937_64 random(7);
  int killed = 0;
  constexpr int rounds = 12;
  for (int round = 0; round < rounds; ++round) {
    const auto child = eddy::testing::run(
        {.argv = {"/proc/self/exe", "--gtest_also_run_disabled_tests",
                  "--gtest_filter=KillChild.DISABLED_Run"},
         .directory = {},
         .environment = {{"EDDY_KILL_FOLDER", folder.string()},
                         {"EDDY_KILL_MODE", mode},
                         {"EDDY_KILL_ROUND", std::to_string(round)},
                         {"EDDY_KILL_REQUEST", std::to_string(1 + random() % 12)},
                         {"EDDY_KILL_AFTER_US", std::to_string(random() % (1 + random() % 30'000))}},
         .input = {}});
    killed += child.exit_code == 128 + SIGKILL;
    ASSERT_TRUE(child.exit_code == 128 + SIGKILL || child.exit_code == 0) << child.out << child.err;
    Bed bed(folder);
    {
      auto c = bed.session->connect();
      recover(*bed.session, c, spec.name, bed.clock);
    }
    const Book book = read_book(folder / "book");
    for (const auto& [key, fields] : bed.snapshot(spec)) {
      if (fields.starts_with("?")) continue;
      ASSERT_EQ(book.records.contains(key) ? book.records.at(key) : "nothing", fields) << key;
    }
    if (spec.mode != Mode::insert) continue;
    for (const auto& [key, times] : book.times) ASSERT_EQ(times, 1) << key;
  }
  EXPECT_GT(killed, 0);
  live(folder, mode, rounds);
  Bed bed(folder);
  const Book book = read_book(folder / "book");
  std::set<std::string> doubtful;
  for (const state::Reject& reject : bed.store->rejects(spec.name, true))
    doubtful.insert(nlohmann::json::parse(reject.key)[0].dump());
  EXPECT_TRUE(spec.mode == Mode::insert || doubtful.empty());
  for (const Row& row : bed.query("select id, name, score from warehouse.people")) {
    const std::string key = row[0].to_text();
    if (doubtful.contains(key)) continue;
    ASSERT_TRUE(book.records.contains(key)) << key;
    if (spec.mode == Mode::insert) continue;
    EXPECT_EQ(book.records.at(key), text_of({row[1], row[2]})) << key;
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, Kill,
                         ::testing::Values("mode: upsert\n", "removed: delete\n", "mode: insert\n"));

}  // namespace
}  // namespace eddy::sync
