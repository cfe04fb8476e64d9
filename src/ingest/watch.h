// Looks after a running statement: tells its progress, and interrupts it when the run is cancelled.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "core/cancel.h"
#include "core/progress.h"
#include "engine/database.h"

namespace eddy::ingest {

// As long as it lives. The connection must outlive it.
class Watch {
 public:
  Watch(engine::Connection& connection, Progress& progress, std::string node, const Cancel& cancel);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  void add_rows(std::uint64_t rows);  // of files that are done

 private:
  void look();
  engine::Connection& connection_;
  Progress& progress_;
  std::string node_;
  const Cancel& cancel_;
  std::mutex mutex_;
  std::condition_variable end_;
  bool ended_ = false;
  std::uint64_t rows_before_ = 0;
  std::thread thread_;
};

}  // namespace eddy::ingest
