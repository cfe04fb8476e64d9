// Relations that C++ gives row by row: `select * from name()`. For what is not in the engine's files.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/value.h"

struct _duckdb_database;

namespace eddy::engine {

// The rows of one reading. Used by one thread at a time, perhaps another than the one that asked.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // Fills `row`, one value per column; false: there are no more. What it throws ends the query.
  virtual bool next(Row& row) = 0;
};
using RowSourceMaker = std::function<std::unique_ptr<RowSource>()>;

// Columns may be text, integer and boolean. `make` is called when a query begins to read, any number of times
// and from any thread; it lives as long as the database, and must not own it. Throws
// Error("engine.open_failed"). Database::add_table_function is the way to it.
void register_table_function(_duckdb_database* database, const std::string& name, const Schema& columns,
                             RowSourceMaker make);

}  // namespace eddy::engine
