// What became of a plan's rows, counted; the counts reconcile or the run fails.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>

#include "core/progress.h"
#include "sync/ledger.h"

namespace eddy::sync {

// planned = sent + not_sent;  sent = applied + rejected + in_doubt + gave_up
struct Tally {
  std::uint64_t planned = 0;
  std::uint64_t sent = 0;  // rows that left at least once
  std::uint64_t applied = 0;
  std::uint64_t created = 0;  // of the applied: the destination said it made a record
  std::uint64_t rejected = 0;
  std::uint64_t in_doubt = 0;
  std::uint64_t gave_up = 0;   // not applied after all attempts; goes out again with the next run
  std::uint64_t not_sent = 0;  // interrupted or failed before their turn
  std::uint64_t requests = 0;  // calls of deliver()
  std::uint64_t groups = 0;    // durable writes of the ledger
};

// The book of one delivery, written by all workers. Thread-safe.
class Accounts {
 public:
  Accounts(std::uint64_t planned, std::string node, Progress& progress)
      : node_(std::move(node)), progress_(progress) {
    tally_.planned = planned;
  }
  void request() { requests_.fetch_add(1, std::memory_order_relaxed); }
  // Rows that have come to their end. `durable`: their verdicts are on disk; otherwise nobody may believe
  // them, and they count as in doubt. RowFate::not_applied is no end and is passed over.
  void settle(std::span<const RowVerdict> verdicts, bool durable);
  // After the last worker has ended. Throws Error("sync.unreconciled") when the counts do not add up.
  Tally close(const std::string& sync) const;

 private:
  const std::string node_;
  Progress& progress_;
  std::atomic<std::uint64_t> requests_{0};
  mutable std::mutex mutex_;
  Tally tally_;
};

}  // namespace eddy::sync
