// The first half of a plan: what differs between a model and the acknowledged snapshot, computed by the
// engine with one full outer join over keys and hashes; values are fetched for the rows that differ only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/database.h"
#include "sync/definition.h"
#include "sync/snapshot.h"
#include "warehouse/session.h"

namespace eddy::sync {

struct InvalidExample {
  std::string reason;  // null_key | duplicate_key | too_long | not_an_option | required | wrong_type
  std::string row;     // JSON
};

struct Difference {
  // SQL of a relation with one row per difference, to be read any number of times until forget_difference():
  // op (0 add, 1 change, 2 remove), k…, v… as the model has them, o… as acknowledged, suspect (the
  // destination may hold something else than o…). With `hashed` also h, the hash of v… to be kept.
  std::string relation;
  bool hashed = false;              // by a warehouse of the user's own, whose hashes cannot be made here
  std::uint64_t source = 0;         // rows of the model
  std::uint64_t null_key = 0;       // invalid: a key column is null (or NaN)
  std::uint64_t duplicate_key = 0;  // invalid: all rows of keys that occur more than once
  std::uint64_t snapshot = 0;       // rows acknowledged before
  std::uint64_t added = 0, changed = 0, removed = 0;
  std::vector<InvalidExample> examples;  // up to 5 of each reason
};

enum class Extent {
  differing,  // rows that differ
  all_rows    // every row of the model as an add or a change, and no removes
};

// Inside the caller's transaction, so that now() and views stay what they are. Temp tables of the connection
// named eddy_… are its own. Throws Error("sync.model_unstable") when the model gives different rows from one
// reading to the next.
// With `refreshed`, the snapshot is corrected by the temp table eddy_drift (drift.h).
Difference find_difference(warehouse::Session& session, engine::Connection& connection,
                           const Definition& definition, const Standing& standing, Extent extent,
                           bool refreshed = false);
void forget_difference(engine::Connection& connection);

}  // namespace eddy::sync
