// Cells of DuckDB vectors as Values. Inside engine/ only: it shows duckdb.h.
#pragma once

#include <duckdb.h>

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/value.h"

namespace eddy::engine {

Type type_of(duckdb_logical_type type);
std::string type_text(duckdb_logical_type type);  // "DECIMAL(10,2)"
// The cell at `row`; `type` is the vector's own.
Value read_cell(duckdb_vector vector, duckdb_logical_type type, idx_t row);

}  // namespace eddy::engine
