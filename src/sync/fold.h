// From ledger to snapshot: the rows a destination has acknowledged become what the next plan is compared
// with.
//
//   1  .eddy/sync.duckdb, one transaction: rows, epoch + 1, checksum
//   2  .eddy/state.db: rejects, settled rejects, then epoch + 1 and the same checksum
//   3  the ledger file is set aside as <run>.done
//
// Killed between any two steps, recover() finishes the rest: the snapshot is then exactly one fold ahead, its
// chain matches, and the ledger is still there. Every step may be repeated. Only acknowledged rows move; a
// row whose answer was lost is marked so that the next plan sends it again (upsert, update, remove) or lists
// it for a person (insert).
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "core/clock.h"
#include "engine/database.h"
#include "sync/plan.h"
#include "sync/snapshot.h"
#include "warehouse/session.h"

namespace eddy::sync {

// Called before each step with its name ("snapshot", "rejects", "state", "ledger"); a test lets it throw.
using Checkpoint = std::function<void(std::string_view step)>;

std::filesystem::path ledger_file(const warehouse::Session& session, const std::string& sync,
                                  const std::string& run_id);

// Folds one closed ledger, of the plan that it names. Throws Error("sync.ledger_damaged"),
// Error("sync.unreconciled").
void fold(warehouse::Session& session, engine::Connection& connection, const std::filesystem::path& ledger,
          Clock& clock, const Checkpoint& before = {});

// Whether a baseline that was killed (reset.h) is an error.
enum class Unfinished { refused, allowed };

// To be called before every plan and delivery of a sync: opens the sync database, ends a reset that was
// killed, compares epochs, and folds what a killed run has left. Throws Error("sync.state_mismatch"),
// Error("sync.ledger_damaged"), Error("sync.snapshot_damaged"), Error("sync.reset_unfinished"). Returns where
// the sync stands.
Standing recover(warehouse::Session& session, engine::Connection& connection, const std::string& sync,
                 Clock& clock, const Checkpoint& before = {}, Unfinished baseline = Unfinished::refused);

}  // namespace eddy::sync
