// What most tests of this folder begin with: a small project, the service it delivers to, and the audit of
// both books.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "hostile_destination.h"
#include "support/scratch.h"

namespace eddy::testing {

class FaultTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t haste = 20;  // back-offs are over in milliseconds

  // `mode`: upsert | update | insert | mirror; `more`: further lines of the sync.
  void open(const std::string& mode = "upsert", const std::string& more = "");
  // The model of that day; the run must end with 0.
  void deliver_day(int day);
  Finished run(Fault fault = {}, std::vector<std::string> arguments = {"run"});

  // Nothing is lost and nothing is said to be there that is not: destination, snapshot and model of that day.
  // For inserts: no key twice, and what is not there is in doubt.
  void expect_books_agree(int day);
  // Another run sends nothing.
  void expect_nothing_left_to_do();
  // The command failed with that exit code, and its error has this code and all these words.
  static void expect_error(const Finished& finished, int exit_code, const std::string& code,
                           const std::vector<std::string>& words);

  Scratch scratch_;
  std::string mode_;
  int opened_ = 0;
  std::unique_ptr<HostileDestination> service_;
  std::unique_ptr<SmallProject> project_;
};

inline bool is_refused(const std::string& key) { return std::stoi(key) % 17 == 0; }

}  // namespace eddy::testing
