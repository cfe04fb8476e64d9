// The ways out when what was delivered is not known, or is no longer to be believed. Nothing is sent.
//
//   reset      all of it is forgotten: the next run is a first run, which sends every row and removes none
//   baseline   the model is believed to be what the destination has: the next run sends what changes from
//              now on
//
// Both work when the snapshot is damaged, missing, or disagrees with the control database; the epoch grows
// on, so that a plan from before is stale. Killed at any instant, what was begun is finished by recover()
// (reset), or has to be finished before the sync runs again (baseline): a fact of the control database says
// so.
#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "sync/plan.h"
#include "sync/sync_spec.h"
#include "warehouse/session.h"

namespace eddy::sync {

struct Forgotten {
  std::uint64_t rows = 0;                // of the snapshot; 0 also when they could not be counted
  std::uint64_t rejects = 0;             // open ones, rows in doubt among them
  std::string set_aside;                 // the damaged file's new name; "" when it could be opened
  std::vector<std::string> others = {};  // syncs whose snapshots were in that file too
};

// Needs the project lock, as all of this. `checkpoint` is called before each step ("begin", "snapshot",
// "ledgers", "state", "end"); a test lets it throw.
Forgotten reset(warehouse::Session& session, const std::string& sync, const std::string& run_id,
                const std::function<void(std::string_view)>& checkpoint = {});

struct Believed {
  Forgotten forgotten;  // rows stays 0 when the former snapshot could be gone on from
  Plan plan;            // its counts: what the model has
};
// Throws what make_plan() throws for the model; nothing is forgotten then.
Believed baseline(warehouse::Session& session, const SyncSpec& spec, const std::string& run_id, Clock& clock,
                  const std::function<void(std::string_view)>& checkpoint = {});

// Ends a reset that was killed; nothing otherwise. Called by recover().
void finish_reset(warehouse::Session& session, engine::Connection& connection, const std::string& sync,
                  const std::function<void(std::string_view)>& checkpoint = {});
// Throws Error("sync.reset_unfinished") when a baseline was killed: its rest must not be sent.
void check_no_baseline(warehouse::Session& session, const std::string& sync);

}  // namespace eddy::sync
