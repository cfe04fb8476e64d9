// The SQL of one delivery, for the rows of one mask. Pure: shown by preview(), tested by the database itself.
#pragma once

#include <string>
#include <vector>

#include "connectors/mysql/column.h"
#include "sync/destination.h"

namespace eddy::connectors {

// What a delivery means for one table; made by open(), the same for the whole run.
struct MysqlTarget {
  mysql::TableName table;
  std::vector<MysqlColumn> key;
  std::vector<MysqlColumn> fields;
  sync::Mode mode = sync::Mode::upsert;
  bool erases = false;
  // An upsert updates the records that are there, and inserts the others then, in three steps instead of one
  // INSERT … ON DUPLICATE KEY UPDATE. That statement takes a conflict with any unique index of the table for
  // "this row exists" and would overwrite somebody else's record; and it asks for every NOT NULL column even
  // when the record is there.
  bool update_first = false;
  // A text key may only match a record with the same bytes, though the column's collation calls more things
  // equal ('a' and 'A', 'a' and 'a ').
  bool exact_keys = true;
  bool mariadb = false;
  bool takes_load = true;  // LOAD DATA puts rows into it as INSERT would, and they can be rolled back

  bool has_text_key() const;
  // Two different keys of one batch can be one key in the table.
  bool keys_can_meet(const Schema& key_types) const;
};

struct MysqlStatements {
  std::string load;      // of adds and changes, or of keys, into the stage
  std::string straight;  // of adds into the target itself
  std::string insert;  // the beginning of the same as INSERT IGNORE … VALUES, for servers that take no LOAD
  std::string write;   // all rows of the stage; empty when there is nothing to write
  // Of an upsert that updates first: what takes the rows that `write` has updated out of the stage, and what
  // inserts the others. The servers ask for NOT NULL columns even when no row is left to be inserted.
  std::string drop_updated, insert_rest;
};

// A temporary table with the target's own column types, so that a value that does not fit is noticed there
// with its row number. Lives as long as its connection, and is emptied for each batch.
std::string create_stage(const MysqlTarget& target);
std::string empty_stage();  // outside of a transaction
std::string remove_from_stage(const std::vector<std::size_t>& rows);

MysqlStatements write_statements(const MysqlTarget& target, const std::vector<bool>& kept);
MysqlStatements remove_statements(const MysqlTarget& target);
std::string is_empty(const MysqlTarget& target);

// Each gives numbers of rows in the batch.
std::string find_repeated_keys(const MysqlTarget& target);   // all but the first row of equal keys
std::string find_neighbour_keys(const MysqlTarget& target);  // equal for the collation only; and that key
std::string find_missing(const MysqlTarget& target);         // no such record
std::string find_existing(const MysqlTarget& target);        // a record is there

// The columns of a table made for the delivery, key first: they fit its types. Text keys are VARCHAR(255), or
// less when there are many, and compare byte by byte.
std::vector<mysql::TableColumn> new_columns(const sync::Delivery& delivery, bool mariadb);
std::string create_table_statement(const mysql::TableName& table, const sync::Delivery& delivery,
                                   bool mariadb);
std::string create_unique_index_statement(const mysql::TableName& table, const Schema& key);

}  // namespace eddy::connectors
