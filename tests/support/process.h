// Runs a program and collects what it printed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace eddy::testing {

struct Finished {
  int exit_code = -1;  // 128 + signal when it was killed
  std::string out;
  std::string err;
};

struct Command {
  std::vector<std::string> argv;
  std::filesystem::path directory = {};                 // empty: as the test's
  std::map<std::string, std::string> environment = {};  // added to the test's own
  std::string input = {};                               // written to its standard input
  std::chrono::seconds timeout{120};                    // then it is killed
};
Finished run(const Command& command);
std::filesystem::path program(const std::string& name);  // build/<preset>/bin/<name>

// A program that runs until the object dies (SIGTERM, then SIGKILL). Its output goes to `log`.
class Background {
 public:
  Background(const Command& command, std::filesystem::path log);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  pid_t pid() const { return pid_; }
  // Waits until the log holds `text`; throws std::runtime_error with the log when it ends or time runs out.
  void wait_for(const std::string& text, std::chrono::seconds timeout = std::chrono::seconds{30});
  std::string log() const;

 private:
  pid_t pid_ = -1;
  std::filesystem::path log_;
};

int free_port();  // a TCP port on 127.0.0.1 that nobody listens on now

}  // namespace eddy::testing
