// Rows in doubt: inserts whose answer was lost. They may be at the destination, and are never sent again by
// themselves; either the destination is asked, or a person says what became of them.
//
//   applied      the row enters the snapshot with the values as sent, through plan, ledger and fold
//   not applied  the next run sends it again
#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "sync/destination.h"
#include "sync/sync_spec.h"
#include "warehouse/session.h"

namespace eddy::sync {

enum class Finding { applied, not_applied };

// A person settles rows: those with one of these keys (JSON arrays), or all when there are none. Returns how
// many. Needs the project lock. Throws Error("sync.nothing_in_doubt") when the sync sends such rows again by
// itself, or when no row in doubt has such a key; and what recover() and bind() throw.
std::uint64_t resolve(warehouse::Session& session, const SyncSpec& spec, const std::vector<std::string>& keys,
                      Finding finding, const std::string& run_id, Clock& clock);

// What looking rows up at the destination has brought to light.
struct LookedUp {
  std::uint64_t found = 0;      // there, and so applied
  std::uint64_t absent = 0;     // not there, a minute and more later: to be sent again
  std::uint64_t ambiguous = 0;  // more than one record with that key: stays in doubt
  std::uint64_t too_young = 0;  // not there, but the request may still be on its way: stays in doubt
  std::string note;             // why the destination could not be asked; "" when it was, or had not to be
};
// Before a run of a sync that inserts. Does nothing for other modes, and where records cannot be read.
LookedUp look_up_doubtful(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec,
                          Destination& destination, const std::string& run_id, Clock& clock);

}  // namespace eddy::sync
