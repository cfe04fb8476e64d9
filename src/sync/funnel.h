// Where the rows of one run of a sync went: source → valid → changed → sent → applied, and what fell out at
// each step.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace eddy::sync {

struct FunnelStep {
  std::string name;  // source | valid | changed | sent | applied
  std::uint64_t rows = 0;
  std::vector<std::pair<std::string, std::uint64_t>> fell_out;  // what, rows; only where there are some
  std::uint64_t joined = 0;  // changed: rows that are gone from the model, and are to be removed
};

// Of what details() (apply.h) has counted; empty when these are no such counts. Of each step but the first:
// rows = the former step's rows - what fell out + joined.
std::vector<FunnelStep> funnel_of(const nlohmann::json& details);
nlohmann::json to_json(const std::vector<FunnelStep>& funnel);

}  // namespace eddy::sync
