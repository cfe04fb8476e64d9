// Which nodes a piece of SQL reads. Names of relations are <layer>.<name>; there is no ref().
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "engine/sql_reading.h"
#include "project/graph.h"

namespace eddy::project {

// Turns a place inside the SQL (line and column from 1) and a complaint into a diagnostic about the user's
// file.
using Complain =
    std::function<Diagnostic(std::string code, std::string message, std::string hint, int line, int column)>;

// Nodes that `sql` reads, each once. Adds project.unknown_relation and project.missing_layer (with
// did-you-mean) and whatever sql_reading.h finds. `known`: every relation of the project.
std::vector<std::string> relations_read(engine::Connection& connection, std::string_view sql,
                                        const std::vector<std::string>& known, const Complain& complain,
                                        Diagnostics& diagnostics);

// One name, such as `model:` of a sync. False, with a diagnostic, when the project has no such relation.
bool check_relation(const std::string& name, const std::vector<std::string>& known, const Complain& complain,
                    Diagnostics& diagnostics);

}  // namespace eddy::project
