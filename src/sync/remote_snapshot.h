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

// True when the setting says so; settle_snapshots() has made it true of the rows too.
bool keeps_inside(const warehouse::Session& session);

// Called by recover(), before the standing is compared: moves the snapshot where the setting wants it, and
// brings the standing's copy in .eddy/sync.duckdb up to date. Throws Error("sync.snapshot_elsewhere"),
// Error("sync.move_failed"), Error("warehouse.…"). `before`: called before steps 2 ("place") and 3 ("empty").
void settle_snapshots(warehouse::Session& session, engine::Connection& connection, const std::string& sync,
                      const std::function<void(std::string_view step)>& before = {});

// For work that is rare (drift, undo, a changed key): afterwards snapshot_table() has a copy of what is kept
// inside. It ends with the next settle_snapshots(). Does nothing when the snapshot is kept outside.
void bring_snapshot_home(warehouse::Session& session, engine::Connection& connection,
                         const std::string& sync);

// The standing, from where it is kept.
Standing kept_standing(warehouse::Session& session, engine::Connection& connection, const std::string& sync);
// Reset: what is kept inside is dropped, and `next` stands there. Does nothing when nothing is kept inside.
void forget_inside(warehouse::Session& session, const std::string& sync, const Standing& next);

// From ledger to snapshot, in one transaction of the warehouse together with the standing. `rows`: SQL of the
// engine giving kind (0 add, 1 change, 2 remove, acknowledged; 3 in doubt; 4 a planned change that was not
// acknowledged), k…, v…. `moment`: SQL of the time of the delivery.
void fold_inside(const warehouse::OwnWarehouse& own, engine::Connection& connection, const Standing& then,
                 const Standing& next, const std::string& rows, const std::string& moment);

}  // namespace eddy::sync
