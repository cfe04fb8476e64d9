// Limits that hold a plan until a person has approved it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "state/store.h"
#include "sync/plan.h"

namespace eddy::sync {

// What the last runs of a sync met; kept as a fact of the control database, the newest ten.
struct PastRun {
  std::uint64_t source = 0;  // rows of the model
  std::uint64_t duplicate_key = 0;
};
std::vector<PastRun> past_runs(state::Store& store, const std::string& sync);  // oldest first
void remember_run(state::Store& store, const std::string& sync, const PastRun& run);

// Every guard that holds, with the numbers. Examples are added by the caller.
std::vector<Hold> weigh(const Plan& plan, const Guards& guards, const std::vector<PastRun>& past);

}  // namespace eddy::sync
