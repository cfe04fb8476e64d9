// Taking back what a run has delivered: the values from before it, as differences from the snapshot as it
// stands now. Only rows that are still as that run left them are taken back; whoever wrote a row later, knew
// it.
//
//   what the run did   what undoing it does
//   add                remove, as the sync's `removed:` says; with `ignore` the record stays
//   change             change back
//   remove             add again
#pragma once

#include <string>
#include <vector>

#include "engine/database.h"
#include "sync/definition.h"
#include "sync/difference.h"
#include "sync/snapshot.h"

namespace eddy::sync {

struct UndoDifference {
  std::string relation;      // as Difference::relation, until forget_difference()
  std::uint64_t source = 0;  // rows that the run delivered
  std::uint64_t snapshot = 0;
  std::uint64_t added = 0, changed = 0, removed = 0;
  std::uint64_t kept = 0;                // added by the run, and staying: `removed: ignore`
  std::uint64_t changed_since = 0;       // written, removed, or in doubt since then
  std::vector<InvalidExample> examples;  // up to 5 of changed_since and kept
};

// Throws Error("sync.undo_mapping_changed") when the columns of the snapshot are not those of `now`.
UndoDifference find_undo(engine::Connection& connection, const Definition& now, const Standing& standing,
                         const std::string& hash_algorithm, const std::string& plan_id);

// A plan that a run has delivered to a destination.
struct Delivered {
  std::string run_id, plan_id, sync;
};
// What `run_id` has sent, of all syncs or one. Throws Error("sync.undo_unknown") when nothing of it is kept.
std::vector<Delivered> delivered_by(engine::Connection& connection, const std::string& run_id,
                                    const std::string& sync);

}  // namespace eddy::sync
