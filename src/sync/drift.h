// What people have changed at the destination since our last write: its records, read back and compared with
// the acknowledged snapshot.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/cancel.h"
#include "core/progress.h"
#include "engine/database.h"
#include "sync/definition.h"
#include "sync/destination.h"
#include "sync/snapshot.h"

namespace eddy::sync {

struct DriftExample {
  std::string key;                   // JSON array
  std::string field;                 // "" when the record is gone
  std::string acknowledged, theirs;  // JSON
};

struct Drift {
  std::uint64_t read = 0;                                     // records of the snapshot that were asked for
  std::uint64_t changed = 0;                                  // of them: some field is another
  std::uint64_t missing = 0;                                  // of them: gone
  std::vector<std::pair<std::string, std::uint64_t>> fields;  // rows in which it is another
  std::vector<DriftExample> examples;                         // up to ten
};

// Reads every record of the snapshot and fills the connection's temp table eddy_drift with those that differ:
// k…, missing, drifted ('0'/'1' per field of `now`), t… (their values). It replaces an older one. Looked-up
// fields, and those written only once or where there was nothing, are not compared. Throws
// Error("sync.cannot_read"), what Reader::read throws, and Error("engine.interrupted").
Drift read_drift(engine::Connection& connection, const Standing& standing, const Definition& now,
                 Destination& destination, const config::Node& options, const Cancel& cancel);

// Whether two cells are the same to a person: 1 and 1.0 are, and so are null and an empty text.
bool same_value(const Value& a, const Value& b);

}  // namespace eddy::sync
