// Drives a Writer the way sync does, without plan and ledger: for tests of destinations.
#pragma once

#include <span>
#include <vector>

#include "sync/destination.h"

namespace eddy::testing {

struct Delivered {
  std::vector<Verdict> verdicts;  // one per change, in their order
  std::size_t requests = 0;       // calls of deliver()
};

// Cuts the changes into batches by the writer's limits (removals apart from writes), and halves a batch that
// was refused as a whole until the bad row stands alone. Does not repeat what answers `retry`. Throws
// std::runtime_error when an answer does not have exactly one verdict per change, or a single row is refused
// as a whole without one.
Delivered deliver(sync::Writer& writer, std::span<const Change> changes);

std::size_t count(const std::vector<Verdict>& verdicts, Outcome outcome);

}  // namespace eddy::testing
