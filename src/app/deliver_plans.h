// Sending plans that are stored, as one recorded run.
#pragma once

#include <map>
#include <set>
#include <string>

#include "app/workspace.h"

namespace eddy::app {

struct PlansToSend {
  std::string command, selection;           // as the run is recorded
  std::map<std::string, std::string> plan;  // by sync node
  std::set<std::string> approved;           // ids of plans that are sent although a guard holds them
};

// Returns the exit code. The workspace must hold the lock and an open session.
int deliver_plans(const Context& context, Workspace& workspace, const PlansToSend& plans);

// Throws Error("usage.unknown_sync") with a did-you-mean.
const sync::SyncSpec& find_sync(const project::Project& project, const std::string& name);

}  // namespace eddy::app
