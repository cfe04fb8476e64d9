// A table or view that is there, in sync's words, and whether it takes what a sync wants of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sync/destination.h"

namespace eddy::connectors {

struct FoundTable {
  std::string name;  // as messages call it: "crm.people"
  std::vector<sync::FieldSchema> fields;
  bool is_view = false;
};

// From what a transport says of the table (transport/*/table.h). `more(column, field)` adds what only that
// database knows of a column: its native type, a length, options.
template <class Table, class More>
FoundTable found_table(std::string name, const Table& table, More&& more) {
  FoundTable out{.name = std::move(name), .fields = {}, .is_view = table.is_view};
  for (const auto& column : table.columns) {
    sync::FieldSchema& field = out.fields.emplace_back();
    field.name = column.name;
    field.type = column.type;
    field.required = column.not_null && !column.has_default && !column.generated;
    field.writable = !column.generated;
    field.key = table.has_unique_key({column.name});
    more(column, field);
  }
  return out;
}

// A new record needs a column that the delivery does not have; one that is there can be updated.
bool asks_for_more(const FoundTable& table, const sync::Delivery& delivery);

// Throw Error("destination.unknown_field") when the table does not have one of the columns, or
// Error("destination.read_only_field") when the database computes it.
void check_there(const FoundTable& table, const Schema& columns);
void check_writable(const FoundTable& table, const Schema& columns);
// For a delivery: an update only compares the key, so it may be one that the database computes.
void check_columns(const FoundTable& table, const sync::Delivery& delivery);
// Throws Error("destination.key_not_unique") with the statement that would make the index, when there is
// none.
void check_key(const FoundTable& table, const Schema& key, bool has_unique_index,
               const std::string& create_index);

// "orders" in the connection's own schema or database, or "crm.orders". TableName: {scope, name}.
template <class TableName>
TableName table_name(const std::string& object, const std::string& own_scope) {
  const auto dot = object.find('.');
  if (dot == std::string::npos) return {own_scope, object};
  return {object.substr(0, dot), object.substr(dot + 1)};
}

// Throws Error("destination.no_such_object"). what: "there is no table crm.people"; names: those that are
// there, for a guess.
[[noreturn]] void fail_to_find(const std::string& what, const std::string& object,
                               const std::vector<std::string>& names);

// Throws Error("destination.unsupported") when the delivery archives. table: "a MySQL table".
void refuse_archive(const sync::Delivery& delivery, std::string_view table);

// The option `create_table` of a sync: to be announced, and to be asked for. `what` it makes when it does not
// exist: "make the table when it does not exist".
config::Field create_table_option(const std::string& what = "make the table when it does not exist");
bool makes_table(const config::Node& options);

}  // namespace eddy::connectors
