// Where models are queried: one DuckDB session in which every relation of the project has its name.
//
//   raw.<source>_<stream>   a view over the loads that count now, with _load_id and _loaded_at
//   clean.x, presentation.x views over the current immutable Parquet version of each lake model
//   warehouse.x             the tables of warehouse.duckdb (attached under the catalog name `warehouse_db`;
//   schema `warehouse`
//                           of the main catalog holds views onto them, so that two-part names work
//                           everywhere)
//
// Thread rule: a Session may be shared; each thread takes its own connection with connect().
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "engine/database.h"
#include "state/store.h"
#include "warehouse/own_warehouse.h"

namespace eddy::warehouse {

struct Places {
  std::filesystem::path project;    // the folder with eddy.yml
  std::filesystem::path dot_eddy;   // project/.eddy
  std::filesystem::path lake;       // absolute
  std::filesystem::path warehouse;  // warehouse.duckdb, absolute
};

// How much of what was done is remembered.
struct History {
  std::size_t runs = 0;                    // the newest; 0: all
  std::size_t plans = 10;                  // of each sync, with outcomes and ledgers
  int days = 0;                            // nothing older, and no settled rejects either; 0: no limit
  std::string before(Clock& clock) const;  // UTC; "" without a limit
};

enum class Access { read, write };  // of warehouse.duckdb; with read it may be absent

class Session {
 public:
  // Waits some seconds for another process that has warehouse.duckdb open. Throws Error("warehouse.busy").
  Session(const Places& places, state::Store& store, const engine::Options& options, Access access);
  engine::Connection connect() { return database_.connect(); }
  const Places& places() const { return places_; }
  state::Store& store() const { return store_; }

  // Call after a commit to the catalog: (re)defines the views. Others see the new version from their next
  // statement on.
  void refresh_model(engine::Connection& connection, const std::string& model);
  void refresh_stream(engine::Connection& connection, const std::string& source, const std::string& stream);
  void refresh_warehouse_table(engine::Connection& connection, const std::string& name);
  // Of all models, what can be defined; called again when something they may read has come.
  void define_models(engine::Connection& connection);
  // Other processes may write to warehouse.duckdb again; its tables cannot be read here any more. No result
  // may be open.
  void release_warehouse(engine::Connection& connection);
  // Every relation as "layer.name", sorted.
  std::vector<std::string> relations(engine::Connection& connection);

  void remember(const History& history) { history_ = history; }
  const History& history() const { return history_; }

  // Before threads are started: from then on syncs read their models there (own_warehouse.h).
  void use(OwnWarehouse own) { own_ = std::move(own); }
  // nullptr: models are read in this session.
  const OwnWarehouse* own() const { return own_ ? &*own_ : nullptr; }

  // Held by whoever replaces tables of warehouse.duckdb: putting one back may touch the tables that refer to
  // it.
  std::mutex& warehouse_writer() { return *warehouse_writer_; }

  // How a model version says that it is no Parquet file: a view's SQL, or the name of a table of
  // warehouse.duckdb, stands behind it.
  static constexpr std::string_view view_mark = "view:";
  static constexpr std::string_view table_mark = "table:";
  static constexpr std::string_view warehouse_catalog = "warehouse_db";

 private:
  void attach_warehouse(engine::Connection& connection);

  Places places_;
  state::Store& store_;
  Access access_;
  engine::Database database_;
  std::optional<OwnWarehouse> own_;
  History history_;
  std::unique_ptr<std::mutex> warehouse_writer_ = std::make_unique<std::mutex>();
};

// The Parquet files (below the lake folder) that make up raw.<source>_<stream> now: of each origin path the
// newest load that holds it ("replace", the default), or of every load ("append").
std::vector<std::filesystem::path> current_rows(const std::vector<state::Load>& loads, bool append);

}  // namespace eddy::warehouse
