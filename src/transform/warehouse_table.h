// Tables of warehouse.duckdb with enforced keys, and how their content is replaced as a whole.
//
// The engine will not drop, replace or alter a table that a foreign key points at, checks foreign keys row by
// row and not at commit, and turns an UPDATE of an indexed or nested column into DELETE + INSERT, which those
// checks then refuse. So new content reaches a table in one of two ways, each one transaction:
//   merge    nothing but content differs: vanished rows are deleted, changed rows updated outside their keys,
//   new rows inserted rebuild  tables that refer to this one, directly or through others, are set aside,
//   dropped, and put back after it, with
//            their own constraints checked again
// Readers see the old content or the new. Who replaces holds Session::warehouse_writer(): two rebuilds may
// touch the same table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/database.h"

namespace eddy::transform {

struct TableDefinition {
  struct Column {
    std::string name, type;
    bool not_null = false;
    bool operator==(const Column&) const = default;
  };
  struct ForeignKey {
    std::vector<std::string> columns;
    std::string table;
    std::vector<std::string> target;
    bool operator==(const ForeignKey&) const = default;
  };
  std::string name;
  std::vector<Column> columns;
  std::vector<std::string> primary_key;          // empty: none
  std::vector<std::vector<std::string>> unique;  // besides the primary key
  std::vector<ForeignKey> foreign_keys;
  bool operator==(const TableDefinition&) const = default;

  const Column* find(std::string_view column) const;  // names compare without case
  bool is_dimension() const;                          // <…>_key BIGINT primary key and one natural key
};

std::string warehouse_name(std::string_view table);  // warehouse_db.warehouse."table"
std::optional<TableDefinition> read_table(engine::Connection& connection, std::string_view name);
// Tables with a foreign key to `name`; not itself.
std::vector<std::string> tables_referring_to(engine::Connection& connection, std::string_view name);
// CREATE TABLE for a connection that uses the warehouse's schema.
std::string create_statement(const TableDefinition& table);

struct Replaced {
  bool merged = false;
  std::uint64_t added = 0, changed = 0, removed = 0;  // known only when merged
  std::vector<std::string> rebuilt;                   // other tables, set aside and put back
};

// What to do when a merge and a rebuild are both possible.
enum class Preference { rebuild, merge };

// Names without a catalog are the warehouse's from now on: the engine accepts a foreign key in no other way.
// For the rest of the connection's life; call before BEGIN.
void use_warehouse(engine::Connection& connection);

// Replaces (or creates) the table by what `content` holds: a table in the connection's own `temp` schema with
// the wanted columns in the wanted order. After use_warehouse(), inside a transaction of the caller, who
// commits. Throws what the engine throws, and Error("transform.foreign_key") when another table refers to a
// column that would be no key any more.
Replaced replace_table(engine::Connection& connection, const TableDefinition& wanted,
                       const std::string& content, Preference preference);

}  // namespace eddy::transform
