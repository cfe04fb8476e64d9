// A warehouse of the user's own: syncs read their models there, and mapping expressions are its SQL.
#pragma once

#include <functional>
#include <memory>
#include <string>

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

}  // namespace eddy::warehouse
