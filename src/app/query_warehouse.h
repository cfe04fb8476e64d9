// `eddy query` in a project whose warehouse is its own: the SQL runs there.
#pragma once

#include <string>

#include "app/commands.h"
#include "app/workspace.h"

namespace eddy::app {

// Whether the query reads only what is in Eddy's engine (layers, tables of runs and rejects).
bool is_for_the_engine(Workspace& workspace, engine::Connection& connection, const std::string& sql);

int query_warehouse(const Context& context, warehouse::Dialect& dialect, const std::string& sql,
                    TableForm form, std::uint64_t limit, const std::filesystem::path& spill_folder);

}  // namespace eddy::app
