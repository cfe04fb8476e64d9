// Fields that a service takes as a list of pairs, instead of as members of an object:
//   custom_fields: [{id: 360001234, value: gold}]     (`transforms: {pairs: …}` in connector.yml)
// A sync maps them by dotted names, as it does members: `custom_fields.360001234`.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace eddy::connectors {

// How a pair is written.
struct PairSpec {
  std::string name, value;  // the members that hold the field's name and its value
  bool numbers = false;     // names that are whole numbers are sent as such
};
using PairsSpec = std::map<std::string, PairSpec>;  // by the field that holds the list

// Puts a value at a dotted field name: into an object, or as a pair into a list. A pair of that name that is
// there already is replaced.
void put_field(nlohmann::json& object, const std::string& dotted_name, nlohmann::json value,
               const PairsSpec& pairs);

// The value of a field in the list of pairs of a record; nullptr: the record has none, or the field is no
// pair (`is_pair` then is false).
const nlohmann::json* pair_in(const nlohmann::json& record, const std::string& dotted_name,
                              const PairsSpec& pairs, bool& is_pair);

}  // namespace eddy::connectors
