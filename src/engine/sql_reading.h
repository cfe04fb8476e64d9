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

// What one SQL expression reads, by the names it writes: nothing is resolved, so that a name may also be that
// of a table (whose whole row is read), of a lambda's parameter, or of a struct's field.
struct ColumnReferences {
  std::vector<std::vector<std::string>>
      names;                  // in parts, as written: {"c", "email"}; each once, in no order
  bool every_column = false;  // `*`, COLUMNS(…), #1, a whole row of a subquery's table, or renamed columns
  std::vector<TableReference> tables;  // of its subqueries; positions inside the expression
  bool hashed = false;  // the whole of it is a call of eddy_sha256(…), eddy_email_sha256(…), … or sha256(…)
};

// Throws as table_references() does, with positions inside the expression.
ColumnReferences column_references(Connection& connection, std::string_view expression);

// Columns the SELECT would give. Throws Error("engine.query_failed") when it does not bind.
std::vector<EngineColumn> describe(Connection& connection, std::string_view sql);

}  // namespace eddy::engine
