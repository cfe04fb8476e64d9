#include "fault_fixture.h"

#include <fmt/format.h>

namespace eddy::testing {

void FaultTest::open(const std::string& mode, const std::string& more) {
  mode_ = mode;
  std::set<std::string> keys;
  if (mode == "update")
    for (int id = 1; id <= 100; ++id) keys.insert(std::to_string(id));
  service_ = std::make_unique<HostileDestination>(harness_seed(), keys);
  project_ = std::make_unique<SmallProject>(scratch_ / fmt::format("project{}", ++opened_),
                                            hostile_connection(*service_), hostile_sync(mode) + more);
  write_hostile_connector(*project_);
}

Finished FaultTest::run(Fault fault, std::vector<std::string> arguments) {
  fault.haste = haste;
  fault.port = service_->port();
  return project_->eddy(arguments, fault);
}

void FaultTest::deliver_day(int day) {
  project_->set_model(people(day));
  const Finished finished = run();
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
}

void FaultTest::expect_books_agree(int day) {
  const Book book = service_->book();
  const Records snapshot = project_->snapshot();
  auto open = project_->open_rejects();
  for (const auto& [key, times] : book.created) EXPECT_TRUE(mode_ != "insert" || times == 1) << "key " << key;
  for (const auto& [key, fields] : people(day)) {
    if (is_refused(key)) {
      EXPECT_TRUE(open["rejected"].contains(key) || open["in_doubt"].contains(key)) << key;
      continue;
    }
    const bool doubtful = mode_ == "insert" && open["in_doubt"].contains(key);
    const auto there = book.records.find(key), said = snapshot.find(key);
    EXPECT_TRUE(there != book.records.end() || doubtful) << key << " is lost";
    EXPECT_TRUE(said != snapshot.end() || doubtful) << key << " is not known to be delivered";
    if (mode_ == "insert") continue;
    EXPECT_TRUE(there != book.records.end() && there->second == fields) << key << " is not as in the model";
    EXPECT_TRUE(said != snapshot.end() && said->second == fields) << key << " is not known as in the model";
  }
  for (const auto& [key, fields] : snapshot)
    EXPECT_TRUE(book.applied.contains({key, fields})) << key << "=" << fields << " is said to be delivered";
}

void FaultTest::expect_nothing_left_to_do() {
  const auto received = service_->rows_received();
  const Finished finished = run();
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(service_->rows_received(), received) << "a row that has not changed was sent";
}

void FaultTest::expect_error(const Finished& finished, int exit_code, const std::string& code,
                             const std::vector<std::string>& words) {
  EXPECT_EQ(finished.exit_code, exit_code) << finished.err;
  EXPECT_NE(finished.err.find("error[" + code + "]"), std::string::npos) << finished.err;
  for (const std::string& word : words)
    EXPECT_NE(finished.err.find(word), std::string::npos) << word << "\n" << finished.err;
}

}  // namespace eddy::testing
