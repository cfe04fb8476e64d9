// What the server knows about tables and views.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "transport/mysql/connection.h"

namespace eddy::mysql {

struct TableName {
  std::string database;
  std::string name;
  std::string quoted() const;   // `crm`.`Orders`
  std::string display() const;  // crm.Orders
};

struct TableColumn {
  std::string name;
  std::string native_type;  // "varchar(80)", "int(10) unsigned"
  std::string data_type;    // "varchar", "int": the word alone, lower case
  Type type = Type::text;   // tinyint(1) and bit(1) are boolean; what has no word of ours is text
  bool not_null = false;
  bool has_default = false;         // also auto_increment
  bool generated = false;           // computed: cannot be written
  std::size_t length_max = 0;       // characters, of binary types bytes; 0: none
  std::size_t fraction_digits = 0;  // of seconds, for time types
  std::string character_set = {};   // of text; "" otherwise
  std::string collation = {};
  std::vector<std::string> options = {};  // of an enum or a set, in its order

  bool is_text() const { return !character_set.empty(); }
  bool is_binary() const;   // binary, varbinary, *blob: takes any bytes
  bool is_integer() const;  // tinyint … bigint
  bool is_time() const;     // date, datetime, timestamp, time
};

struct Table {
  TableName name;
  bool is_view = false;
  std::string engine;         // "InnoDB"; "" for a view
  bool transactional = true;  // rolls back
  std::vector<TableColumn> columns;
  std::vector<std::vector<std::string>> unique_keys;  // of whole columns, the primary key first
  std::size_t unique_indexes = 0;                     // all of them, also those over prefixes and expressions

  const TableColumn* find(std::string_view column) const;
  bool has_unique_key(std::vector<std::string> columns) const;  // in any order
};

// nullopt: there is no such table or view (or this user may not see it).
std::optional<Table> describe_table(Connection& connection, const TableName& name);
std::vector<TableName> list_tables(Connection& connection);  // also views; without the system's; sorted

}  // namespace eddy::mysql
