// What the database connectors (postgres, mysql, sqlite) share about the rows of a batch. Pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/change.h"

namespace eddy::connectors {

// The rows of a batch that write the same fields, in the batch's order. A field that is kept (change.h) must
// not stand in any statement, so rows with different masks need different statements.
struct MaskGroup {
  std::vector<bool> kept;         // per field; empty: all are written
  std::vector<std::size_t> rows;  // indexes into the batch
};
// One group without a mask for the usual batch. Groups come in the order of their first rows.
std::vector<MaskGroup> group_by_mask(std::span<const Change> changes);

// Only new records with all of their fields: what an empty table takes without looking.
bool are_whole_adds(std::span<const Change> changes);

// The batch removes records. Throws Error("destination.unsupported") when it does and the sync `ignores`
// removals. The batch has a row.
bool removes(std::span<const Change> changes, bool ignores);

}  // namespace eddy::connectors
