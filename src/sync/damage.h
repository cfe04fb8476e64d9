// Damage of what is remembered, met before anything is sent.
//
// The engine knows each block of its file by a checksum, and looks when it reads the block. A plan reads the
// keys and hashes of a snapshot, the fold after the delivery its values as well: so they are read once before
// the first request of a delivery. Blocks that hold nothing any more are not looked at, and do not matter.
#pragma once

#include <functional>
#include <string>

#include "warehouse/session.h"

namespace eddy::sync {

// Throws Error("sync.snapshot_damaged"), Error("state.damaged"). Needs the sync database open.
void check_undamaged(warehouse::Session& session, engine::Connection& connection, const std::string& sync);

// Does it, and says with the ways out when the engine has met a damaged block on the way. Throws
// Error("sync.snapshot_damaged"), and every other error as it is.
void with_damage_said(const std::string& sync, const std::function<void()>& action);

}  // namespace eddy::sync
