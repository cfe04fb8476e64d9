// Rows that go out together, and how a plan is cut into them.
//
// One key is never in two batches in flight. A plan holds a key once (it comes from a full outer join on the
// key: a row is either an add, a change or a remove, and keys that occur twice in the model are set aside),
// and every change of it is moved, never copied: from the reader into one batch, from the batch into one of
// its halves or into its own next attempt, all in the hands of the one worker that took the batch off the
// queue.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/change.h"
#include "sync/destination.h"
#include "sync/ledger.h"

namespace eddy::sync {

// What is known of a row that has left before.
struct Past {
  std::uint32_t attempts = 0;
  bool doubtful = false;  // an earlier answer was lost: it may have been applied
  std::string code, message;
};

class Batch {
 public:
  std::vector<Change> changes;
  int attempt = 0;  // made already, without an end for these rows

  Batch() = default;
  Batch(Batch&&) = default;
  Batch& operator=(Batch&&) = default;
  Batch(const Batch&) = delete;  // a copy would put a key into two batches
  Batch& operator=(const Batch&) = delete;

  std::size_t size() const { return changes.size(); }
  void add(Change&& change) { changes.push_back(std::move(change)); }
  void add(Change&& change, Past&& known);
  // Nearly every batch is sent once: what is known of its rows is kept only where there is something.
  Past& past(std::size_t row);
  Past known(std::size_t row) const;
  void count_attempt();  // of every row
  // Two halves in order, each with its rows' past; this batch is empty afterwards.
  std::pair<Batch, Batch> halve();
  RowVerdict verdict(std::size_t row, RowFate fate) const;

 private:
  std::uint32_t attempts_ = 0;  // of the rows without a past of their own
  std::vector<Past> past_;      // one per change, or empty
};

// Cuts rows, as they come, by the destination's limits. Removes never share a batch with adds and changes.
class BatchCutter {
 public:
  explicit BatchCutter(const Limits& limits) : limits_(limits) {}  // none of them 0
  // Takes the next row; the batch that it did not fit into any more, if any.
  std::optional<Batch> take(Change&& change);
  std::optional<Batch> rest();

 private:
  bool fits(const Change& change, std::size_t size) const;

  Limits limits_;
  Batch open_;
  std::size_t bytes_ = 0;
};

// "No limit" means a bound on memory all the same.
Limits bounded(Limits limits);

}  // namespace eddy::sync
