// What a piece of SQL says about itself, from the engine's own parser. Nothing is executed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "engine/database.h"

namespace eddy::engine {

// A table the SQL reads (names of CTEs are left out). line and column count from 1 inside the SQL text.
struct TableReference {
  std::string schema;  // "" when written without one
  std::string name;
  int line = 0;
  int column = 0;
  bool operator==(const TableReference&) const = default;
};

// Every table read by one SELECT statement, each once, in order of first appearance.
// Throws Error("sql.syntax") with position line/column inside `sql` (file left empty),
// Error("sql.not_a_select") when it is another statement or more than one.
std::vector<TableReference> table_references(Connection& connection, std::string_view sql);

// Columns the SELECT would give. Throws Error("engine.query_failed") when it does not bind.
std::vector<EngineColumn> describe(Connection& connection, std::string_view sql);

}  // namespace eddy::engine
