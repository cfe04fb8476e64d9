#include "connectors/tables/rows.h"

#include <algorithm>
#include <map>

#include "core/error.h"

namespace eddy::connectors {

std::vector<MaskGroup> group_by_mask(std::span<const Change> changes) {
  std::vector<MaskGroup> groups;
  const bool usual =
      std::all_of(changes.begin(), changes.end(), [](const Change& c) { return c.kept.empty(); });
  if (usual) {
    auto& all = groups.emplace_back().rows;
    all.resize(changes.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return groups;
  }
  std::map<std::vector<bool>, std::size_t> places;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    std::vector<bool> kept = changes[i].kept;
    if (std::find(kept.begin(), kept.end(), true) == kept.end()) kept.clear();
    const auto [place, fresh] = places.emplace(kept, groups.size());
    if (fresh) groups.push_back({.kept = std::move(kept), .rows = {}});
    groups[place->second].rows.push_back(i);
  }
  return groups;
}

bool are_whole_adds(std::span<const Change> changes) {
  return std::all_of(changes.begin(), changes.end(), [](const Change& change) {
    return change.operation == Operation::add && change.kept.empty();
  });
}

bool removes(std::span<const Change> changes, bool ignores) {
  if (changes.front().operation != Operation::remove) return false;
  if (ignores) throw Error("destination.unsupported", "removals were sent, but the sync ignores them");
  return true;
}

}  // namespace eddy::connectors
