// Which operation and which lookup of a connector fit what a sync asks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connectors/declarative/session.h"
#include "connectors/declarative/spec.h"
#include "core/value.h"
#include "sync/destination.h"

namespace eddy::connectors {

struct Asked {
  std::string object;
  std::vector<std::string> keys;  // at least one
  std::uint64_t rows = 0;         // of the plan; 0: nobody knows yet
  bool no_jobs = false;           // where the account is not allowed them
  // What discovery says of the object, once it has been asked; nullopt in it: there is no such object.
  std::optional<std::optional<sync::ObjectSchema>> described = {};
};

// The first operation of that name (`upsert`, `archive`, …) for this object, key and number of rows. The
// setting write_by can ask for a way of writing; without it, a job is also taken where the rest of the day's
// quota would not carry the requests of another way. Asks the service only where the connector takes nothing
// but fields that discovery calls keys. Throws Error("destination.unsupported") that says which of the three
// does not fit, and names the fields that do; Error("destination.no_such_object").
const OperationSpec& choose_operation(const Spec& spec, Session& session, const std::string& name,
                                      Asked& asked);

// nullptr: records cannot be looked up by that. `type` becomes the service's type of a known key.
// `for_branch`: a search that lags will do.
const LookupSpec* choose_lookup(const Spec& spec, Session& session, Asked& asked, bool for_branch,
                                Type& type);

}  // namespace eddy::connectors
