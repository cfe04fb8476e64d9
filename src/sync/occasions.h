// Which sending of a row this is, for destinations that recognise what they have been sent before.
//
// A row that changes from A to B, back to A and to B again is sent three times, and says the same in the
// first and the last: a destination that went by what is said would take the last for a repetition. So every
// change is an occasion of its own, named by its plan and its place in it. Only a change that may have
// arrived with the plan before, because its answer was lost or its run was killed, is still the same occasion
// when it comes again with the next plan. The outcomes beside each plan tell which those are (snapshot.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "sync/plan.h"

namespace eddy::sync {

// What is known of a delivery beyond its definition.
struct Sending {
  std::uint64_t rows = 0;  // of the plan; 0: nobody knows yet
  std::string plan = {};   // its id; "": there is none yet
  // Rows of it that may have arrived before -> the occasion on which they did.
  std::shared_ptr<const std::map<std::uint64_t, std::string>> before = nullptr;
  bool first = false;  // nothing is known to be delivered
};

// Needs the sync database open. Costs nothing when the plan before left nothing in doubt.
Sending sending_of(engine::Connection& connection, const Plan& plan);

}  // namespace eddy::sync
