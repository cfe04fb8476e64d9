// A run that is killed after a receiver of webhooks has applied its message and before it has answered: the
// next run sends what may have arrived under the same ids (Standard Webhooks: `webhook-id` is the same for
// every attempt), so that the receiver knows it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <future>

#include "connectors/webhook/testing_receiver.h"
#include "core/files.h"
#include "support/process.h"
#include "support/scratch.h"

namespace eddy::testing {
namespace {

class KilledWebhook : public ::testing::Test {
 protected:
  // `more`: further lines of the sync.
  void project(const std::string& more) {
    scratch_.write("eddy.yml", "name: small\n");
    scratch_.write("connections.yml",
                   fmt::format("files: {{type: files}}\nhook: {{type: webhook, url: \"{}\", secret: {}}}\n",
                               receiver_.url(), secret));
    scratch_.write("sources/shop.yml", "connection: files\nstreams:\n  people: {path: people.csv}\n");
    scratch_.write("models/presentation/people.sql", "select * from raw.shop_people\n");
    scratch_.write("syncs/people.yml",
                   "model: presentation.people\ndestination: hook\nobject: contact\nkey: {id: id}\n"
                   "fields: {name: name, score: score}\n" +
                       more);
  }
  void people(const std::string& rows) { scratch_.write("people.csv", "id,name,score\n" + rows); }
  Command command() const {
    return {.argv = {program("eddy").string(), "run"},
            .directory = scratch_.path(),
            .environment = {{"NO_COLOR", "1"}}};
  }
  // The receiver has applied the message when the program dies.
  void run_and_kill() {
    std::promise<pid_t> pid;
    receiver_.instead_of_the_next_answer([&pid] { ::kill(pid.get_future().get(), SIGKILL); });
    const std::size_t before = receiver_.received().size();
    Background killed(command(), scratch_ / "killed.log");
    pid.set_value(killed.pid());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (receiver_.received().size() == before) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << killed.log();
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    while (::kill(killed.pid(), 0) == 0 && !is_zombie(killed.pid())) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "it lives on";
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
  }
  static bool is_zombie(pid_t pid) {
    const std::string stat = read_file(fmt::format("/proc/{}/stat", pid));
    return stat.substr(stat.rfind(')'), 4).find('Z') != std::string::npos;
  }
  static std::vector<std::string> rows_of(const WebhookReceiver::Received& message) {
    std::vector<std::string> out;
    const auto& data = message.body.at("data");
    for (const auto& row : data.is_array() ? data : WebhookReceiver::json::array({data}))
      out.push_back(row.at("id").get<std::string>());
    return out;
  }

  static constexpr const char* secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  Scratch scratch_;
  WebhookReceiver receiver_{secret};
};

TEST_F(KilledWebhook, TheNextRunSendsTheSameMessage) {
  std::size_t repetitions = 0;  // that the receiver has known
  for (const std::string mode : {"upsert", "insert"}) {
    SCOPED_TRACE(mode);
    receiver_.clear();
    std::filesystem::remove_all(scratch_ / ".eddy");
    project("mode: " + mode + "\n");
    people("1,Ann,3\n");
    run_and_kill();
    const auto first = receiver_.received();
    ASSERT_EQ(first.size(), 1U);
    const Finished again = run(command());
    ASSERT_EQ(again.exit_code, 0) << again.err;
    const auto both = receiver_.received();
    ASSERT_GE(both.size(), 2U);
    EXPECT_EQ(both[1].id, first[0].id);
    EXPECT_EQ(rows_of(both[1]), rows_of(first[0]));
    EXPECT_EQ(receiver_.records().size(), 1U);
    EXPECT_EQ(receiver_.repetitions(), ++repetitions);
    const std::size_t settled = receiver_.received().size();
    ASSERT_EQ(run(command()).exit_code, 0);
    EXPECT_EQ(receiver_.received().size(), settled) << "there was nothing left to do";
  }
}

TEST_F(KilledWebhook, AChangeThatComesBackLaterIsNews) {
  project("");
  people("1,Ann,3\n");
  ASSERT_EQ(run(command()).exit_code, 0);
  people("1,Ann,4\n");
  run_and_kill();
  ASSERT_EQ(run(command()).exit_code, 0);
  people("1,Ann,3\n");
  ASSERT_EQ(run(command()).exit_code, 0);
  people("1,Ann,4\n");
  ASSERT_EQ(run(command()).exit_code, 0);
  const auto received = receiver_.received();
  ASSERT_EQ(received.size(), 5U);
  EXPECT_EQ(received[2].id, received[1].id) << "the same occasion";
  EXPECT_NE(received[4].id, received[1].id) << "another occasion, though it says the same";
}

}  // namespace
}  // namespace eddy::testing
