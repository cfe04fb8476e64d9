// What was refused, or got lost, and has not gone through since, as people look at it: by what will become of
// it, by code, and by kind of message.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "state/store.h"

namespace eddy::sync {

enum class RejectState {
  refused,   // not sent again until the row or its mapping changes
  again,     // sent again by every run
  replay,    // sent again by the next run, because somebody asked for it
  parked,    // failed in too many runs; sent again when asked for
  in_doubt,  // an insert whose answer was lost: never sent again by itself
  settled
};
std::string_view name_of(RejectState state);
// `inserts`: the sync's mode is insert, so that sending the row again could make a second record.
RejectState state_of(const state::Reject& reject, bool inserts);

struct RejectGroup {
  RejectState state = RejectState::refused;
  std::string sync, code;
  std::string message;      // template (message_template.h)
  std::string example_key;  // JSON array: the first one's
  std::string example_message;
  std::string first_seen, last_seen;
  std::uint64_t rows = 0;
};

// Of any number of rejects, the `groups_max` kinds met first; what is left over is one group per state with
// an empty code and the message "other messages". By state, then the largest first.
std::vector<RejectGroup> group_rejects(state::Store& store, const state::RejectQuery& query,
                                       const std::function<bool(const std::string& sync)>& inserts,
                                       std::size_t groups_max = 500);

// The canonical keys (JSON arrays, as rejects have them) that a person may mean by what was typed: "7" is
// [7] or ["7"]; a JSON array is itself.
std::vector<std::string> typed_keys(std::string_view text);

}  // namespace eddy::sync
