#include "sync/damage.h"

#include <fmt/format.h>

#include "sync/snapshot.h"

namespace eddy::sync {

namespace {

bool tells_damage(const std::string& message) {
  for (const char* words : {"Corrupt database file", "checksum", "database has been invalidated"})
    if (message.find(words) != std::string::npos) return true;
  return false;
}

}  // namespace

void check_undamaged(warehouse::Session& session, engine::Connection& connection, const std::string& sync) {
  with_damage_said(sync, [&] {
    // Hashing reads every byte of every column; a count would be answered from what is known of the blocks.
    const auto read_whole = [&](const std::string& table) {
      connection.execute(fmt::format("select bit_xor(hash(t)) from {} t", table));
    };
    for (const char* table : {"deliveries", "plans", "syncs"})
      read_whole(std::string("sync_db.main.") + table);
    if (!connection
             .query("select 1 from duckdb_tables() where database_name = 'sync_db' and schema_name = "
                    "'snapshot' and table_name = ?",
                    {Value::text(sync)})
             .rows()
             .empty())
      read_whole(snapshot_table(sync));
  });
  session.store().check();
}

void with_damage_said(const std::string& sync, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    if (!error.code().starts_with("engine.") || !tells_damage(error.message())) throw;
    throw Error("sync.snapshot_damaged",
                fmt::format("sync {}: .eddy/sync.duckdb is damaged: {}", sync, error.message()),
                ways_out(sync));
  }
}

}  // namespace eddy::sync
