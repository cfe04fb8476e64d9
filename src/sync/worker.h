// One worker takes one batch at a time to its end: sends it, again what may be tried again, in halves what
// was refused as a whole, and has every verdict durable before it takes the next batch.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/error.h"
#include "sync/backoff.h"
#include "sync/batch.h"
#include "sync/batch_queue.h"
#include "sync/circuit.h"
#include "sync/plan.h"
#include "sync/tally.h"

namespace eddy::sync {

// What the workers and the reader of one delivery share. Thread-safe: every part of it guards itself, and
// none of them calls another while holding its own lock, but for Circuit, which asks Backoff for a pause.
class Course {
 public:
  Course(const Plan& plan, Writer& writer, Ledger& ledger, const RetryPolicy& policy, Clock& clock,
         Progress& progress, const Cancel& cancel);

  // Ctrl-C, or a failure: nothing new leaves.
  bool stopping() const { return stopped_.load() || cancelled(); }
  bool cancelled() const { return cancel_.requested(); }
  void stop(const Error& reason);                    // the first reason counts
  std::optional<Error> failure() const;              // why it stopped; nullopt: it did not, or Ctrl-C
  void tell(const std::vector<std::string>& notes);  // each once
  // Rows that had left were given up because of Ctrl-C.
  void cut_short() { cut_short_ = true; }
  bool was_cut_short() const { return cut_short_; }

  const std::string& sync() const { return plan_.definition.sync; }
  const std::string& destination() const { return plan_.definition.destination; }

  const Limits limits;
  const RetryPolicy& policy;
  const bool unsafe;  // sending a row again could make a second record
  Writer& writer;
  Ledger& ledger;
  Clock& clock;
  Progress& progress;
  BatchQueue queue;
  Accounts accounts;
  Backoff backoff;
  Circuit circuit;
  std::atomic<std::size_t> given_up_in_a_row{0};  // batches, without an answer to anybody in between

 private:
  const Plan& plan_;
  const Cancel& cancel_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> cut_short_{false};
  mutable std::mutex mutex_;  // guards what follows
  std::optional<Error> failure_;
  std::set<std::string> told_;
};

class Worker {
 public:
  explicit Worker(Course& course) : course_(course) {}
  void work();  // until the queue is closed and empty

 private:
  std::optional<Batch> attempt(Batch& piece);
  bool wait_for_turn(Circuit::Entry& entry);
  std::optional<Answer> send(Batch& piece);
  // True when the attempt counts against its rows.
  bool counts(const Circuit::Entry& entry, const Batch& piece, const Answer& answer);
  void halve(Batch& piece);
  std::optional<Batch> sort_out(Batch& piece, Answer& answer, bool counted);
  std::optional<Batch> again_later(Batch again, const Answer& answer);
  void give_up(const Batch& batch);
  void abandon(const Batch& batch);
  void lose(Batch& batch, const Error& reason);
  bool intend(const Batch& piece);
  bool record(const std::vector<RowVerdict>& verdicts);
  void settle(const std::vector<RowVerdict>& verdicts) {
    course_.accounts.settle(verdicts, record(verdicts));
  }

  Course& course_;
  std::vector<Batch> pieces_;  // of the batch in hand; the last one is next
};

}  // namespace eddy::sync
