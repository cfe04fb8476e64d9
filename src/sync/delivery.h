// Sends the rows of a plan: changes -> batches -> workers -> one verdict per row -> ledger.
//
//   one reader      takes the plan in order, cuts batches by the destination's limits (removes apart), into a
//   bounded queue some workers    deliver a batch to its end: again what may be tried again, in halves what
//   was refused as a whole the ledger      has every verdict durable before the worker takes its next batch
//
// Every planned row ends in exactly one fate, and the tally adds up or the run fails.
#pragma once

#include <chrono>
#include <optional>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/progress.h"
#include "sync/destination.h"
#include "sync/ledger.h"
#include "sync/plan.h"

namespace eddy::sync {

struct RetryPolicy {
  int attempts_max = 6;
  std::chrono::milliseconds backoff_first{500};  // doubles with each attempt, with half of it random
  std::chrono::milliseconds backoff_max{60'000};
  std::chrono::milliseconds retry_after_max{900'000};  // what a destination may ask for
  std::uint64_t seed = 0;
};

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

struct DeliveryEnd {
  Tally tally;
  bool interrupted = false;
  std::optional<Error> failure;  // why the run stopped early
};

// Uses `connection` from the calling thread only. Failures of the destination come back in DeliveryEnd, with
// codes of its own, sync.verdict_count, sync.connector_failed, sync.destination_unavailable or
// sync.ledger_unwritable. Throws Error when the plan cannot be read (after the workers have stopped), and
// Error("sync.unreconciled").
DeliveryEnd deliver(engine::Connection& connection, const Plan& plan, Writer& writer, Ledger& ledger,
                    const RetryPolicy& policy, Clock& clock, Progress& progress, const Cancel& cancel);

}  // namespace eddy::sync
