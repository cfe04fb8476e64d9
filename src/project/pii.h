// Personal data in a project: marks on columns of models, and what the connections take of it.
#pragma once

#include "engine/database.h"
#include "project/project.h"
#include "sync/pii.h"

namespace eddy::project {

// A column is personal when its model says so, or when a column of the same name is personal in a model that
// it reads; not when it says `pii: false`. The graph must have no cycle.
sync::PersonalColumns personal_columns(const Project& project);

// Puts every sync under the policy of its connection (sync/pii.h): the mappings of `project.syncs` are
// replaced by what may be sent.
void guard_personal_data(Project& project, engine::Connection& connection, Diagnostics& diagnostics);

}  // namespace eddy::project
