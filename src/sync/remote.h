// Syncs whose models live in a warehouse of the user's own (warehouse/own_warehouse.h): what of them is said
// in that warehouse's SQL.
//
// In such a sync every column has one of the kept forms of dialect.h, in that warehouse and in Eddy's engine
// (decimals as text there: the engine's own have 38 digits and no NaN), so that values travel both ways and
// stay what they are.
//
//   <schema>.snapshot_<sync>  k1…kn, v1…vm, row_hash, delivered_at: as in .eddy/sync.duckdb (snapshot.h)
//   <schema>.syncs            one row per sync: what read_standing() reads
//
// Both change in one transaction. .eddy/sync.duckdb has a copy of the row of each sync, made by recover(), so
// that everybody else finds the standing where it always is.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/database.h"
#include "sync/definition.h"
#include "sync/snapshot.h"
#include "warehouse/own_warehouse.h"

namespace eddy::sync {

using warehouse::kept_engine_type;

// "eddy"."snapshot_people"; of a name too long for a table the end is a digest.
std::string remote_snapshot(const warehouse::OwnWarehouse& own, const std::string& sync);
std::string remote_syncs(const warehouse::OwnWarehouse& own);
bool remote_table_exists(warehouse::Dialect& dialect, const std::string& schema, const std::string& table);

// Like desired_sql() and aligned_snapshot(), in the warehouse's SQL. aligned: k…, v…, suspect, h, r,
// delivered_at.
std::string remote_desired(const Definition& definition);
std::string remote_aligned(warehouse::Dialect& dialect, const warehouse::OwnWarehouse& own,
                           const Standing& standing, const Definition& now);
bool remote_same_columns(warehouse::Dialect& dialect, const Standing& standing, const Definition& now);
std::vector<std::string> lettered(std::string_view letter, std::size_t count);  // ("v", 2) -> v1, v2

// The rows of a streamed result of the engine, one after another.
class EngineRows {
 public:
  explicit EngineRows(engine::Result& result) : result_(result) {}
  bool next(Row& row);  // false: no more

 private:
  engine::Result& result_;
  std::optional<engine::Chunk> chunk_;
  std::size_t at_ = 0;
};

std::vector<Type> types_of(const std::vector<BoundColumn>& columns);

// What a row of an invalid key looked like, as payload_json() of plan_sql.h writes it.
std::string payload_text(const Definition& definition, const Row& key, const Row& fields);

Standing read_remote_standing(warehouse::Dialect& dialect, const warehouse::OwnWarehouse& own,
                              const std::string& sync);
// Inside a transaction: makes schema and table where they are missing. Throws Error("sync.state_mismatch")
// when another process has moved the standing away from `known_epoch`.
void write_remote_standing(warehouse::Dialect& dialect, const warehouse::OwnWarehouse& own,
                           const std::string& sync, const Standing& standing, std::uint64_t known_epoch);
// For `eddy doctor`: who we are there and where snapshots are kept. Throws what opening it throws, and
// Error("warehouse.no_right").
std::string check_warehouse(const warehouse::OwnWarehouse& own);
// Throws Error("warehouse.no_right") before anything is sent whose outcome could not be kept.
void check_rights_inside(warehouse::Dialect& dialect, const warehouse::OwnWarehouse& own);

}  // namespace eddy::sync
