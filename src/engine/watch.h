// Looks after a running statement: tells its rows to Progress, and interrupts it when the run is cancelled.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "core/cancel.h"
#include "core/progress.h"
#include "engine/database.h"

namespace eddy::engine {

// Works as long as it lives or until stop(); owns one thread. The connection must outlive it. Stop it before
// COMMIT, which must not be interrupted half-way.
class Watch {
 public:
  Watch(Connection& connection, std::string node, Progress& progress, const Cancel& cancel);
  ~Watch() { stop(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  // About how many rows the next statement takes in, where the engine cannot know: while it reads text files
  // it counts bytes, not rows. 0: let the engine say.
  void expect_rows(std::uint64_t rows);
  void add_rows(std::uint64_t rows);  // of statements that are done
  void stop();

 private:
  void look();
  Connection& connection_;
  std::string node_;
  Progress& progress_;
  const Cancel& cancel_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::uint64_t rows_before_ = 0;
  std::uint64_t rows_expected_ = 0;
  std::uint64_t told_ = 0;
  std::thread thread_;
};

void throw_if_cancelled(const Cancel& cancel);  // Error("engine.interrupted")

}  // namespace eddy::engine
