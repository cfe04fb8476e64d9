#include "connectors/declarative/pairs.h"

#include <nlohmann/json.hpp>

#include "connectors/declarative/cells.h"
#include "connectors/declarative/template.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

// The list that a field's name belongs to, and its name there.
PairsSpec::const_iterator list_of(const std::string& dotted_name, const PairsSpec& pairs, std::string& name) {
  const auto dot = dotted_name.find('.');
  if (dot == std::string::npos) return pairs.end();
  name = dotted_name.substr(dot + 1);
  return pairs.find(dotted_name.substr(0, dot));
}

bool is_named(const json& pair, const PairSpec& spec, const std::string& name) {
  if (!pair.is_object()) return false;
  const auto found = pair.find(spec.name);
  return found != pair.end() && found->is_primitive() && plain_text(*found) == name;
}

}  // namespace

void put_field(json& object, const std::string& dotted_name, json value, const PairsSpec& pairs) {
  std::string name;
  const auto list = list_of(dotted_name, pairs, name);
  if (list == pairs.end()) return put_field(object, dotted_name, std::move(value));
  json& all = object[list->first];
  if (!all.is_array()) all = json::array();
  for (json& pair : all)
    if (is_named(pair, list->second, name)) {
      pair[list->second.value] = std::move(value);
      return;
    }
  all.push_back({{list->second.name, list->second.numbers ? whole_number(name) : json(name)},
                 {list->second.value, std::move(value)}});
}

const json* pair_in(const json& record, const std::string& dotted_name, const PairsSpec& pairs,
                    bool& is_pair) {
  std::string name;
  const auto list = list_of(dotted_name, pairs, name);
  is_pair = list != pairs.end();
  if (!is_pair || !record.is_object()) return nullptr;
  const auto all = record.find(list->first);
  if (all == record.end() || !all->is_array()) return nullptr;
  for (const json& pair : *all)
    if (is_named(pair, list->second, name))
      if (const auto value = pair.find(list->second.value); value != pair.end()) return &*value;
  return nullptr;
}

}  // namespace eddy::connectors
