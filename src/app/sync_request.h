// What a plan is to know beyond its sync: what the destination says of itself, and what was set aside on the
// way into the model.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/workspace.h"
#include "sync/plan.h"

namespace eddy::app {

// Rows in quarantine that belong to the newest loads of the streams above a sync's model. Not read when the
// sync removes nothing.
sync::Unread unread_rows(Workspace& workspace, const sync::SyncSpec& spec);

// What a destination says of a sync's object, before a plan: asked, or kept from when it was asked
// (sync/schema_cache.h). With `offline` nothing is asked.
struct AskedDestination {
  std::unique_ptr<sync::Destination> destination = nullptr;  // null: offline, or it cannot be opened
  std::optional<sync::ObjectSchema> object = std::nullopt;
  std::string note = {};  // why there is no destination, or no object
  std::string kept = {};  // "read 3 h ago", when it was not asked now
};
// Throws Error when the mapping does not fit what the destination says; a destination that cannot be asked is
// only noted.
AskedDestination ask_destination(const Workspace& workspace, const sync::SyncSpec& spec, bool offline);

}  // namespace eddy::app
