// One sync, from model to destination: recover -> plan -> guards -> deliver -> fold. What the CLI and the
// runner call.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/progress.h"
#include "sync/delivery.h"
#include "sync/destination.h"
#include "sync/fold.h"
#include "sync/plan.h"
#include "sync/resolve.h"
#include "sync/sync_spec.h"
#include "warehouse/session.h"

namespace eddy::sync {

struct ApplyOptions {
  bool approved = false;  // a person has seen what the guards hold
  RetryPolicy retry = {};
  PlanRequest request = {};  // of run_sync; `object` is filled in
};

struct SyncResult {
  std::string status;  // done | done_with_rejects | held | failed | interrupted
  Plan plan;
  Tally tally;
  LookedUp doubtful;                // rows in doubt, looked up before the plan was made
  std::vector<Diagnostic> failure;  // why it failed, or what holds it
  NodeStatus node_status() const;   // ok | warned (done_with_rejects) | held | failed | interrupted
  std::uint64_t rows() const { return tally.applied; }
};

// The funnel, for Store NodeRun.details: source, valid, invalid, unchanged, planned, sent, applied, rejected,
// in_doubt, gave_up, not_sent …
nlohmann::json details(const SyncResult& result);
std::string summary(const SyncResult& result);  // "+120 ~42 -0, 3 rejected"

// Plans without sending. Writes nothing but `.eddy`; a former run that was killed is folded first.
Plan plan_sync(warehouse::Session& session, const SyncSpec& spec, Clock& clock,
               const PlanRequest& request = {});

// A plan checked against `object`, what the destination has said of itself; when rows would be stopped for
// it, or were refused, and that was long ago, it is asked anew. nullptr: it cannot be.
Plan make_checked_plan(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec,
                       Destination* destination, std::optional<ObjectSchema>& object, Clock& clock,
                       PlanRequest request);

// Plans and delivers. Throws Error when the sync cannot begin (mapping, state, destination); once rows have
// left, what goes wrong is in the result. Progress gets advanced() under "sync.<name>".
SyncResult run_sync(warehouse::Session& session, const SyncSpec& spec, Destination& destination,
                    const std::string& run_id, Clock& clock, Progress& progress, const Cancel& cancel,
                    const ApplyOptions& options = {});

// Delivers exactly a stored plan. Throws also Error("sync.plan_unknown"), Error("sync.plan_stale").
SyncResult apply_plan(warehouse::Session& session, const SyncSpec& spec, Destination& destination,
                      const std::string& plan_id, const std::string& run_id, Clock& clock, Progress& progress,
                      const Cancel& cancel, const ApplyOptions& options = {});

}  // namespace eddy::sync
