// The tables of state.db that steer what is sent: each of their rows ends in a column `seal`, a checksum over
// the others (transport/sqlite/seals.h). It is written with every row, looked at with every row that is read
// or changed, and by Store::check() for all of them.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eddy::state {

struct SealedTable {
  std::string_view name;
  std::string_view columns;  // "a, b, c": all but the seal

  std::string insert(std::string_view verb = "insert") const;  // … into t(…) values (?1, ?2, …, its seal)
  std::string seal() const;                                    // SQL of the seal of the row at hand
  // SQL that is true, or ends the statement. `as`: what the table is called there.
  std::string intact(std::string_view as = {}) const;
  // "a = …, seal = …" of an update: columns with the SQL of their new values.
  std::string set(const std::vector<std::pair<std::string_view, std::string>>& changes) const;
};

inline constexpr SealedTable loads_table{"loads", "id, source, stream, run_id, loaded_at, schema"};
inline constexpr SealedTable load_files_table{
    "load_files",
    "load_id, position, path, sha256, bytes, modified_ns, raw_path, "
    "rows_path, rows, quarantined"};
inline constexpr SealedTable model_versions_table{
    "model_versions", "version, model, path, rows, built_at, fingerprint, run_id"};
inline constexpr SealedTable current_models_table{"current_models", "model, version"};
inline constexpr SealedTable sync_states_table{"sync_states",
                                               "sync, epoch, checksum, last_plan_id, definition"};
inline constexpr SealedTable rejects_table{
    "rejects",
    "sync, key, operation, outcome, code, message, payload, payload_hash, "
    "first_seen, last_seen, run_id, attempts, status, runs"};
inline constexpr SealedTable facts_table{"facts", "name, value"};

inline constexpr std::array sealed_tables = {loads_table,          load_files_table,  model_versions_table,
                                             current_models_table, sync_states_table, rejects_table,
                                             facts_table};

}  // namespace eddy::state
