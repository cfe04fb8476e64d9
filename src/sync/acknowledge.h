// Rows that enter the snapshot without being sent: somebody, or the destination itself, says that they are
// there. They take the same way as delivered ones, through plan, ledger and fold, so that the chain of the
// snapshot is whole and a kill at any instant loses nothing.
#pragma once

#include <string>

#include "core/clock.h"
#include "sync/plan.h"
#include "warehouse/session.h"

namespace eddy::sync {

// Takes every row of the stored plan as applied, and folds it. Killed before the end, recover() takes what
// was written down so far. Throws what fold() throws, and Error("sync.ledger_unwritable").
void acknowledge(warehouse::Session& session, engine::Connection& connection, const Plan& plan,
                 const std::string& run_id, Clock& clock);

}  // namespace eddy::sync
