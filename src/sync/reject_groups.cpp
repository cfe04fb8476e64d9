#include "sync/reject_groups.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "sync/message_template.h"

namespace eddy::sync {

std::string_view name_of(RejectState state) {
  constexpr std::array<std::string_view, 6> names = {"refused", "again",    "replay",
                                                     "parked",  "in_doubt", "settled"};
  return names[static_cast<std::size_t>(state)];
}

RejectState state_of(const state::Reject& reject, bool inserts) {
  if (reject.status == "settled") return RejectState::settled;
  if (reject.outcome == "in_doubt" && inserts) return RejectState::in_doubt;
  if (reject.status == "replay") return RejectState::replay;
  if (reject.status == "parked") return RejectState::parked;
  return reject.outcome == "rejected" ? RejectState::refused : RejectState::again;
}

std::vector<RejectGroup> group_rejects(state::Store& store, const state::RejectQuery& query,
                                       const std::function<bool(const std::string&)>& inserts,
                                       std::size_t groups_max) {
  using Kind = std::tuple<RejectState, std::string, std::string, std::string>;
  std::map<Kind, RejectGroup> groups;
  store.each_reject(query, [&](const state::Reject& r) {
    const RejectState state = state_of(r, inserts(r.sync));
    Kind kind{state, r.sync, r.code, message_template(r.message)};
    if (groups.size() >= groups_max && !groups.contains(kind)) kind = {state, r.sync, "", "other messages"};
    RejectGroup& group = groups[kind];
    if (group.rows++ == 0) {
      group.state = state;
      group.sync = r.sync;
      group.code = std::get<2>(kind);
      group.message = std::get<3>(kind);
      group.example_key = r.key;
      group.example_message = r.message;
      group.first_seen = r.first_seen;
      group.last_seen = r.last_seen;
    }
    group.first_seen = std::min(group.first_seen, r.first_seen);
    group.last_seen = std::max(group.last_seen, r.last_seen);
  });
  std::vector<RejectGroup> out;
  for (auto& [kind, group] : groups) out.push_back(std::move(group));
  std::stable_sort(out.begin(), out.end(), [](const RejectGroup& a, const RejectGroup& b) {
    return a.state != b.state ? a.state < b.state : a.rows > b.rows;
  });
  return out;
}

std::vector<std::string> typed_keys(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_array()) return {json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
  std::vector<std::string> out = {nlohmann::json::array({std::string(text)})
                                      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
  if (json.is_number() || json.is_boolean()) out.push_back("[" + std::string(text) + "]");
  return out;
}

}  // namespace eddy::sync
