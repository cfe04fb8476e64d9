// What the server knows about tables and views.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "transport/postgres/connection.h"

namespace eddy::postgres {

struct TableName {
  std::string schema;
  std::string name;
  std::string quoted() const;   // "public"."Orders"
  std::string display() const;  // public.Orders
};

struct TableColumn {
  std::string name;
  std::string native_type;  // "character varying(80)"
  Type type = Type::text;   // domains count as their base type; what has no word of ours is text
  bool not_null = false;
  bool has_default = false;               // also identity and serial columns
  bool generated = false;                 // computed or GENERATED ALWAYS: cannot be written
  std::size_t length_max = 0;             // characters; 0: none
  std::vector<std::string> options = {};  // of an enum, in its order
};

struct Table {
  TableName name;
  bool is_view = false;
  // COPY puts rows into it as INSERT would: no view, no foreign table, no rewrite rules, no row security.
  bool takes_copy = false;
  std::vector<TableColumn> columns;
  // Column names of each unique index that ON CONFLICT can use: valid, not partial, no expressions, not
  // deferrable.
  std::vector<std::vector<std::string>> unique_keys;

  const TableColumn* find(std::string_view column) const;
  bool has_unique_key(std::vector<std::string> columns) const;  // in any order
};

// nullopt: there is no such table or view (or this user may not see its schema).
std::optional<Table> describe_table(Connection& connection, const TableName& name);
// Tables, partitioned and foreign tables, and views, outside of the system's schemas; sorted.
std::vector<TableName> list_tables(Connection& connection);

}  // namespace eddy::postgres
