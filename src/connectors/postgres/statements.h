// The SQL of one delivery. Pure: made once per writer, shown by preview(), tested as text by the database
// itself.
#pragma once

#include <string>
#include <vector>

#include "sync/destination.h"
#include "transport/postgres/table.h"

namespace eddy::connectors {

struct PostgresStatements {
  // The staging table has the target's own column types, so that a value that does not fit is refused as the
  // target would refuse it. It is temporary and lives as long as its connection. ON COMMIT DELETE ROWS
  // empties it in place: TRUNCATE, or a table per batch, would write to the system catalog for every batch.
  std::string create_stage;
  std::string empty_stage;    // before the transaction's end
  std::string copy_writes;    // COPY of adds and changes into the stage
  std::string copy_removes;   // COPY of keys
  std::string copy_straight;  // COPY of adds into the target itself; and whether it is empty
  std::string is_empty;
  bool numbered = false;  // copy_writes starts with the row's number in the batch
  // Row numbers that the mode forbids: no record to update, or a record already there on insert. Empty for
  // upsert. Runs before `write`.
  std::string find_forbidden;
  std::vector<std::string> write;  // one after the other: all rows of the stage but the forbidden ones
  std::string remove;              // empty when removals are ignored
};
// For the rows of one mask: fields that are kept (change.h) stand in no statement but create_stage.
// update_first: an upsert updates the records that are there, and inserts the others then. INSERT … ON
// CONFLICT alone is quicker, but asks for every NOT NULL column even when the record is there.
PostgresStatements postgres_statements(const postgres::TableName& table, const sync::Delivery& delivery,
                                       const std::vector<bool>& kept, bool update_first);

// `create table` with the delivery's types and the key as primary key; does nothing when it exists.
std::string create_table_statement(const postgres::TableName& table, const sync::Delivery& delivery);
std::string create_unique_index_statement(const postgres::TableName& table, const Schema& key);

}  // namespace eddy::connectors
