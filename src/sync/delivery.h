// Sends the rows of a plan: changes -> batches -> workers -> one verdict per row -> ledger.
//
//   one reader      takes the plan in order and cuts batches by the destination's limits (batch.h) into a
//   bounded queue   from which (batch_queue.h)
//   some workers    take one batch at a time to its end (worker.h): again what may be tried again (backoff.h,
//                   circuit.h), in halves what was refused as a whole
//   the ledger      has every verdict durable before the worker takes its next batch
//
// Every planned row ends in exactly one fate, and the tally adds up or the run fails (tally.h).
//
// Refused as a whole: with b bad rows among n, the halving costs at most b * (2 * ceil(log2 n) + 1) requests
// more than a batch that is taken. Ctrl-C: nothing new leaves, pauses end at once, what is in flight is
// waited for and recorded.
#pragma once

#include <optional>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/progress.h"
#include "sync/backoff.h"
#include "sync/destination.h"
#include "sync/ledger.h"
#include "sync/plan.h"
#include "sync/tally.h"

namespace eddy::sync {

struct DeliveryEnd {
  Tally tally;
  bool interrupted = false;
  std::optional<Error> failure;  // why the run stopped early
};

// Uses `connection` from the calling thread only. Failures of the destination come back in DeliveryEnd, with
// codes of its own, sync.verdict_count, sync.connector_failed, sync.destination_unavailable or
// sync.ledger_unwritable; so do errors of reading the plan. Throws Error("sync.unreconciled").
DeliveryEnd deliver(engine::Connection& connection, const Plan& plan, Writer& writer, Ledger& ledger,
                    const RetryPolicy& policy, Clock& clock, Progress& progress, const Cancel& cancel);

}  // namespace eddy::sync
