// Kept values on PostgreSQL's wire, and its errors in our words. Inside this folder only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/value.h"
#include "transport/postgres/error.h"

namespace eddy::warehouse {

// One cell of a line of COPY … TO STDOUT, still escaped, of a column in the kept form of `type`. Times before
// the year 1 get the negative years of ISO 8601. `scratch` is the reader's own memory.
Value value_of_copy_cell(std::string_view cell, Type type, std::string& scratch);

// Codes of dialect.h; of a missing right with the statement that gives it to `role`. PostgreSQL names a table
// without its schema: `schema_of` finds it, or gives "".
[[noreturn]] void throw_as_warehouse_error(
    const postgres::PostgresError& error, const std::string& role,
    const std::function<std::string(const std::string& table)>& schema_of);

}  // namespace eddy::warehouse
