// What Eddy knows of its own work, as relations that queries, models and dashboards can read:
//
//   eddy.runs          one row per run
//   eddy.run_nodes     one row per node of a run; of syncs with the counts of the funnel
//   eddy.row_outcomes  one row per row of each delivered plan that is kept
//   eddy.rejects       what was refused or is in doubt; settled ones too, for as long as history is kept
//
// Their columns: docs/reference/tables.md. All are read from state.db and .eddy/sync.duckdb when they are
// asked for, a page at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "warehouse/session.h"

namespace eddy::sync {

struct TableSettings {
  // The sync's mode is insert (reject_groups.h).
  std::function<bool(const std::string& sync)> inserts;
  // Called before .eddy/sync.duckdb is opened, which one process at a time can do. What it returns is dropped
  // as soon as the rows have been copied, before the query gets the first of them.
  std::function<std::shared_ptr<void>()> hold_outcomes;
};

// Once per session; the session must outlive its queries.
void define_tables(warehouse::Session& session, TableSettings settings);

}  // namespace eddy::sync
