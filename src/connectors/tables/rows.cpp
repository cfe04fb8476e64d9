#include "connectors/tables/rows.h"

#include <algorithm>
#include <map>

#include "core/secrets.h"

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

Schema written(const Schema& fields, const std::vector<bool>& kept) {
  if (kept.empty()) return fields;
  Schema out;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (i >= kept.size() || !kept[i]) out.push_back(fields[i]);
  return out;
}

bool delivers(const sync::Delivery& delivery, const std::string& column) {
  const auto named = [&](const Column& c) { return c.name == column; };
  return std::any_of(delivery.key.begin(), delivery.key.end(), named) ||
         std::any_of(delivery.fields.begin(), delivery.fields.end(), named);
}

void settle(std::vector<Verdict>& verdicts, const Verdict& verdict) {
  for (Verdict& open : verdicts)
    if (is_open(open)) open = verdict;
}

std::string for_people(const std::string& message) {
  constexpr std::size_t bytes_max = 500;
  std::string text = redact(message);
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace eddy::connectors
