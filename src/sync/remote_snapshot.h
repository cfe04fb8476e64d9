// Where a sync's acknowledged rows are kept when its model lives in a warehouse of the user's own: inside
// that warehouse, or outside, in .eddy/sync.duckdb as always. One setting switches either way, at any time.
//
// Moving: 1 a copy, with the standing, in one transaction of the new place, compared row by row; 2 the fact
// "sync.snapshots.<sync>" of state.db names the new place; 3 the old place is emptied. Killed before 2, the
// next run copies again; killed after 2, it empties. Epoch and checksum move along, so nothing is resent.
#pragma once

#include <functional>
#include <string>

#include "sync/remote.h"
#include "warehouse/session.h"

namespace eddy::sync {

// Where the rows are; the setting where there are none yet.
bool keeps_inside(warehouse::Session& session, engine::Connection& connection, const std::string& sync);
// Before the first rows are kept there.
void note_place(warehouse::Session& session, const std::string& sync, bool inside);

// Called by recover(), before the standing is compared: brings the standing's copy in .eddy/sync.duckdb up to
// date, and ends a move that was cut short. Writes nothing to a warehouse but to empty what has moved out.
// Throws Error("sync.snapshot_elsewhere"), Error("warehouse.…").
void settle_snapshot(warehouse::Session& session, engine::Connection& connection, const std::string& sync);
// Called before a delivery: the snapshot goes where the setting wants it. Throws Error("sync.move_failed"),
// Error("sync.state_mismatch"), Error("warehouse.…"). `before`: called before steps 2 ("place") and 3
// ("empty").
void move_snapshot(warehouse::Session& session, engine::Connection& connection, const std::string& sync,
                   const std::function<void(std::string_view step)>& before = {});

// For work that is rare (drift, undo, a changed key): afterwards snapshot_table() has a copy of what is kept
// inside. It ends with the next settle_snapshot(). Does nothing when the snapshot is kept outside.
void bring_snapshot_home(warehouse::Session& session, engine::Connection& connection,
                         const std::string& sync);

// The standing, from where it is kept.
Standing kept_standing(warehouse::Session& session, engine::Connection& connection, const std::string& sync);
std::uint64_t kept_rows(warehouse::Session& session, engine::Connection& connection, const std::string& sync);
// Reset: what is kept inside is dropped, and `next` stands there. Does nothing when it is kept outside.
void forget_inside(warehouse::Session& session, engine::Connection& connection, const std::string& sync,
                   const Standing& next);

// From ledger to snapshot, in one transaction of the warehouse together with the standing. `rows`: SQL of the
// engine giving kind (0 add, 1 change, 2 remove, acknowledged; 3 in doubt; 4 a planned change that was not
// acknowledged), k…, v…. `moment`: SQL of the time of the delivery.
void fold_inside(const warehouse::OwnWarehouse& own, engine::Connection& connection, const Standing& then,
                 const Standing& next, const std::string& rows, const std::string& moment);

}  // namespace eddy::sync
