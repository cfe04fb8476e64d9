// While it lives, a statement's rows are told to Progress, and Cancel ends the statement (Error
// "engine.interrupted").
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "core/cancel.h"
#include "core/progress.h"
#include "engine/database.h"

namespace eddy::transform {

// Owns one thread. `connection` must outlive it. End it before COMMIT, which must not be interrupted
// half-way.
class Watch {
 public:
  Watch(engine::Connection& connection, std::string node, Progress& progress, const Cancel& cancel);
  ~Watch() { stop(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

void throw_if_cancelled(const Cancel& cancel);  // Error("engine.interrupted")

}  // namespace eddy::transform
