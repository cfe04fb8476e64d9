// What was asked of a service, request by request. Thread-safe.
#pragma once

#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/clock.h"

namespace eddy::sandbox {

// What an endpoint says about the request it answered.
struct Effect {
  bool write = false;               // the call is one that writes records
  bool applied = false;             // and at least one record was written
  std::size_t rows = 0;             // records in the request
  std::vector<std::string> keys{};  // their keys, in request order: match key where given, else id
  std::size_t created = 0, updated = 0, deleted = 0, rejected = 0;
  std::size_t jobs = 0;  // bulk jobs and imports made
};

struct LedgerEntry {
  std::uint64_t sequence = 0;
  Clock::WallTime at;
  std::string method;
  std::string target;  // path and query
  int status = 0;      // 0: the connection was cut without an answer
  bool throttled = false;
  std::string fault{};  // the fault that was played, if any
  Effect effect{};
};

class Ledger {
 public:
  static constexpr std::size_t entries_max = 100'000;  // older ones are forgotten; the counts are not

  void add(LedgerEntry entry);  // gives it the next sequence number
  void clear();
  nlohmann::json entries() const;  // {"count": n, "requests": [...]}, oldest first; count is of all ever
  // requests, rows_received, rows_written, created, updated, deleted, rejected, jobs, throttled
  nlohmann::json stats() const;

 private:
  mutable std::mutex mutex_;
  std::deque<LedgerEntry> entries_;
  std::uint64_t sequence_ = 0;
  std::uint64_t throttled_ = 0;
  Effect totals_;
};

}  // namespace eddy::sandbox
