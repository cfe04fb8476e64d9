// A warehouse of the user's own: syncs read their models there, and mapping expressions are its SQL.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "config/document.h"
#include "config/shape.h"
#include "warehouse/dialect.h"

namespace eddy::warehouse {

// Where a sync's acknowledged rows are kept.
enum class Snapshots {
  inside,  // in a schema of that warehouse: the plan is computed there, only rows that differ leave
  outside  // in .eddy/sync.duckdb, where the role may only read: keys and hashes are fetched for a plan
};

struct OwnWarehouse {
  std::string connection;  // its name in connections.yml
  Snapshots snapshots = Snapshots::inside;
  std::string schema = "eddy";                     // of the snapshots inside
  std::function<std::unique_ptr<Dialect>()> open;  // a connection for one thread; may be called from any
};

// A type of connection that can be such a warehouse.
struct WarehouseType {
  std::string type;
  config::Shape
      settings;  // an object shape: what it takes beside the settings of the connection's other roles
  // Of a connection of connections.yml, checked already. Connects when it is opened, not before.
  std::function<OwnWarehouse(const std::string& connection, const config::Node& settings)> make;
};

}  // namespace eddy::warehouse
