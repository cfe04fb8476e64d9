// What a SQLite file knows about its tables and views.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "transport/sqlite/database.h"

namespace eddy::sqlite {

// How a column converts what is stored in it (https://www.sqlite.org/datatype3.html, section 3.1).
enum class Affinity { integer, text, blob, real, numeric };
Affinity affinity_of(std::string_view declared_type);

struct TableColumn {
  std::string name;
  std::string declared_type;  // as in CREATE TABLE; may be empty
  Type type = Type::text;     // what the declared type says: SQLite itself does not enforce it
  Affinity affinity = Affinity::blob;
  bool not_null = false;
  bool has_default = false;  // also the rowid alias
  bool generated = false;
};

struct Table {
  std::string name;
  bool is_view = false;
  std::vector<TableColumn> columns;
  std::vector<std::vector<std::string>> unique_keys;  // usable by ON CONFLICT: not partial, no expressions

  const TableColumn* find(std::string_view column) const;
  bool has_unique_key(std::vector<std::string> columns) const;  // in any order
};

std::optional<Table> describe_table(Database& database, const std::string& name);
std::vector<std::string> list_tables(Database& database);  // tables and views, sorted, without SQLite's own
std::string quote_identifier(std::string_view name);

}  // namespace eddy::sqlite
