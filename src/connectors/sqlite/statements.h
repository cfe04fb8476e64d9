// The SQL of one delivery into a table of a SQLite file. Pure.
#pragma once

#include <string>
#include <vector>

#include "sync/destination.h"

namespace eddy::connectors {

// The SQL for the rows of one mask: fields that are kept (change.h) stand only in create_table.
struct SqliteStatements {
  std::string create_table;  // types from the delivery, the key as primary key
  // ?1… are the key, then the fields that are written. An upsert that updates first has both: `write` is for
  // records that `update` did not find. One INSERT … ON CONFLICT is quicker, but asks for every NOT NULL
  // column even when the record is there.
  std::string update;
  std::string write;
  std::string remove;  // ?1… are the key; empty when removals are ignored
};
SqliteStatements sqlite_statements(const std::string& table, const sync::Delivery& delivery,
                                   const std::vector<bool>& kept = {}, bool update_first = false);
std::string create_unique_index_statement(const std::string& table, const Schema& key);

}  // namespace eddy::connectors
