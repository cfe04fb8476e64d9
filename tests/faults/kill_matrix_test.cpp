// The real program against a service that misbehaves, killed at random instants: every mode with every mix of
// troubles. After each death it runs until nothing is left to send, and the books are compared.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "hostile_destination.h"
#include "support/scratch.h"

namespace eddy::testing {
namespace {

const std::map<std::string, Mix>& mixes() {
  static const std::map<std::string, Mix> all = {{"Lost",
                                                  {{Trouble::drop_before, 8},
                                                   {Trouble::drop_after, 10},
                                                   {Trouble::reset_after, 8},
                                                   {Trouble::truncated, 8}}},
                                                 {"Babble",
                                                  {{Trouble::malformed, 5},
                                                   {Trouble::wrong_type, 5},
                                                   {Trouble::deep, 3},
                                                   {Trouble::not_text, 4},
                                                   {Trouble::shuffled, 10},
                                                   {Trouble::fewer, 6},
                                                   {Trouble::repeated, 6},
                                                   {Trouble::foreign, 6},
                                                   {Trouble::contradicting, 5}}},
                                                 {"Busy",
                                                  {{Trouble::throttled, 12},
                                                   {Trouble::unavailable, 10},
                                                   {Trouble::broken, 10},
                                                   {Trouble::refused_whole, 8}}},
                                                 {"Slow", {{Trouble::delayed, 30}, {Trouble::drip, 20}}},
                                                 {"All",
                                                  {{Trouble::drop_after, 5},
                                                   {Trouble::reset_after, 3},
                                                   {Trouble::truncated, 3},
                                                   {Trouble::malformed, 3},
                                                   {Trouble::shuffled, 5},
                                                   {Trouble::fewer, 3},
                                                   {Trouble::foreign, 3},
                                                   {Trouble::refused_whole, 5},
                                                   {Trouble::throttled, 4},
                                                   {Trouble::unavailable, 4},
                                                   {Trouble::broken, 4},
                                                   {Trouble::delayed, 5}}}};
  return all;
}

std::set<std::string> all_keys(int days) {
  std::set<std::string> keys;
  for (int day = 1; day <= days; ++day)
    for (const auto& [key, fields] : people(day)) keys.insert(key);
  return keys;
}

bool refused(const std::string& key) { return std::stoi(key) % 17 == 0; }

class KillMatrix : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  static constexpr std::uint64_t haste = 20;
  static int days() { return full_harness() ? 30 : 2; }  // at most

  const std::string& mode() const { return std::get<0>(GetParam()); }
  std::uint64_t seed() const {
    return harness_seed() * 1'000 + std::hash<std::string>{}(mode() + std::get<1>(GetParam())) % 1'000;
  }

  // Killed a while after its start, or after a request has come or has been applied.
  void run_and_kill() {
    const Fault fault{.haste = haste};
    std::atomic<pid_t> victim{0};
    const bool by_request = random_() % 4 != 0, applied = random_() % 2 == 0;
    const std::uint64_t request = destination_->requests() + 1 + random_() % 8;
    const auto pause = std::chrono::microseconds(random_() % (by_request ? 8'000 : 250'000));
    std::vector<std::thread> killers;
    std::mutex killers_mutex;
    const auto kill_later = [&] {
      const std::lock_guard lock(killers_mutex);
      killers.emplace_back([&victim, pause] {
        std::this_thread::sleep_for(pause);
        if (victim > 0) ::kill(victim, SIGKILL);
      });
    };
    destination_->on_request([&](std::uint64_t number, bool after) {
      if (by_request && number == request && after == applied) kill_later();
    });
    {
      Background dying(project_->command({"run"}, &fault), scratch_ / "dying.log");
      victim = dying.pid();
      if (!by_request) kill_later();
      siginfo_t info{};
      while (::waitid(P_PID, static_cast<id_t>(dying.pid()), &info, WEXITED | WNOWAIT) != 0) {
      }
      deaths_ += info.si_code == CLD_KILLED && info.si_status == SIGKILL;
      destination_->on_request({});
      const std::lock_guard lock(killers_mutex);
      for (std::thread& killer : killers) killer.join();
    }
  }

  void run_to_the_end() {
    for (int i = 0; i < 3; ++i) {
      const Finished finished = project_->eddy({"run"}, {.haste = haste});
      // 1: the destination was given up for this run.
      ASSERT_TRUE(finished.exit_code == 0 || finished.exit_code == 1) << finished.err;
      if (i == 0) destination_->set_mix({});
      ASSERT_TRUE(i == 0 || finished.exit_code == 0) << finished.err;
    }
  }

  void audit(int day) {
    const Records model = people(day);
    const Book book = destination_->book();
    auto open = project_->open_rejects();
    EXPECT_TRUE(open["retry"].empty());
    const Records snapshot = project_->snapshot();
    if (mode() == "insert") {
      for (const auto& [key, times] : book.created) EXPECT_EQ(times, 1) << "key " << key;
      for (const std::string& key : all_keys(day))
        EXPECT_TRUE(book.created.contains(key) || open["in_doubt"].contains(key) || refused(key)) << key;
      for (const auto& [key, fields] : snapshot)
        EXPECT_TRUE(book.applied.contains({key, fields})) << key << " is said to be delivered";
    } else {
      EXPECT_TRUE(open["in_doubt"].empty());
      for (const auto& [key, fields] : model) {
        if (refused(key)) {
          EXPECT_TRUE(open["rejected"].contains(key)) << key;
          continue;
        }
        EXPECT_EQ(book.records.contains(key) ? book.records.at(key) : "nothing", fields) << key;
        EXPECT_EQ(snapshot.contains(key) ? snapshot.at(key) : "nothing", fields) << key;
      }
      for (const auto& [key, fields] : book.records)
        EXPECT_TRUE(mode() != "mirror" || model.contains(key)) << key << " is left over";
    }
    auto counts = project_->counts();
    EXPECT_EQ(counts["source"], static_cast<std::int64_t>(model.size()));
    EXPECT_EQ(counts["planned"], counts["sent"] + counts["not_sent"]);
    EXPECT_EQ(counts["sent"],
              counts["applied"] + counts["rejected"] + counts["in_doubt"] + counts["gave_up"]);
    EXPECT_EQ(counts["sent"], 0) << "the last run had nothing left to send";
  }

  Scratch scratch_;
  std::mt19937_64 random_{seed()};
  std::unique_ptr<HostileDestination> destination_;
  std::unique_ptr<SmallProject> project_;
  int deaths_ = 0;
};

TEST_P(KillMatrix, WhateverHappensTheBooksAgree) {  // F2, F4, F5, F6, F7, F8
  destination_ = std::make_unique<HostileDestination>(
      seed(), mode() == "update" ? all_keys(days()) : std::set<std::string>{});
  project_ = std::make_unique<SmallProject>(scratch_ / "project", hostile_connection(*destination_),
                                            hostile_sync(mode()));
  write_hostile_connector(*project_);
  // 20 cells, 11 deaths each: some kills come when the run is over.
  for (int day = 1; day <= days() && deaths_ < 11 && !HasFailure(); ++day) {
    SCOPED_TRACE(fmt::format("EDDY_FAULTS_SEED={} day {}", harness_seed(), day));
    project_->set_model(people(day));
    destination_->set_mix(mixes().at(std::get<1>(GetParam())));
    run_and_kill();
    run_to_the_end();
    if (HasFailure()) return;
    audit(day);
  }
  EXPECT_EQ(deaths_, full_harness() ? 11 : deaths_);
}

INSTANTIATE_TEST_SUITE_P(Cells, KillMatrix,
                         ::testing::Combine(::testing::Values("upsert", "update", "insert", "mirror"),
                                            ::testing::Values("Lost", "Babble", "Busy", "Slow", "All")),
                         [](const auto& one) { return std::get<0>(one.param) + std::get<1>(one.param); });

}  // namespace
}  // namespace eddy::testing
