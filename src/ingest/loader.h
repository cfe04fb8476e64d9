// One load: what is new of a stream goes into the lake as received and as Parquet, and becomes visible at
// once or not at all.
//
//   lake/raw/<source>/<stream>/<load-id>/
//     orders.csv          the bytes as received, under their own name (made unique)
//     1.parquet           their rows, with _load_id and _loaded_at; one per received file
//     quarantine.jsonl    rows that did not fit (quarantine.h); absent when there are none
//     load.json           sidecar: origin, sha256, bytes, rows, quarantined, schema, format, cursor range
//
// The order: everything is written and made durable under .staging, renamed into place, recorded by one
// transaction of the control database (state::Store::commit_load). A crash before the last step leaves a
// folder that never counts; the next load removes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/progress.h"
#include "ingest/source.h"
#include "ingest/source_spec.h"
#include "warehouse/session.h"

namespace eddy::ingest {

struct LoadResult {
  std::string load_id;  // "" when there was nothing new
  std::uint64_t files_new = 0;
  std::uint64_t files_seen = 0;             // known by path, size and time, or by content: not loaded again
  std::uint64_t rows = 0;                   // loaded
  std::uint64_t quarantined = 0;            // set aside; rows read = rows + quarantined
  std::uint64_t bytes = 0;                  // as received
  std::vector<std::string> schema_changes;  // one sentence each
  NodeStatus status() const { return quarantined > 0 ? NodeStatus::warned : NodeStatus::ok; }
  std::string summary() const;  // "1,204 rows from 3 files, 2 quarantined"
  std::string details() const;  // JSON for state::NodeRun::details
};

// Loads what is new, and refreshes the raw view. Only for whoever holds the project lock; several streams may
// be loaded at once, each by its own thread. Calls progress.advanced(raw.<source>_<stream>) only: started and
// finished are the runner's. Errors: ingest.no_files, ingest.file_changing, ingest.contract_columns,
// ingest.contract_types, ingest.reserved_column, ingest.unknown_type, ingest.no_such_column,
// ingest.unaccounted_rows, run.cancelled; file.* and engine.* from below. Nothing is kept then.
LoadResult load_stream(warehouse::Session& session, const StreamSpec& stream, Source& source,
                       const std::string& run_id, Clock& clock, Progress& progress, const Cancel& cancel);

}  // namespace eddy::ingest
