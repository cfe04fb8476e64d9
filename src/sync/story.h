// One row's story: every plan it was in and what became of it there, what the destination is known to have,
// what the model says, and what would be sent now.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "state/reject.h"
#include "sync/ledger.h"
#include "sync/plan.h"
#include "sync/reject_groups.h"
#include "sync/sync_spec.h"
#include "warehouse/session.h"

namespace eddy::sync {

struct Chapter {
  Plan plan;
  PlannedChange change;
  std::string run_id;        // "": the plan was never delivered
  std::string delivered_at;  // UTC
  // Of a delivered plan; none: its turn did not come.
  std::optional<RowVerdict> verdict;
};

struct Story {
  std::string sync;
  std::string key;                // JSON array
  std::vector<Chapter> chapters;  // oldest first
  // What was acknowledged: field, value. `certain` is false when an answer was lost since.
  std::optional<std::vector<std::pair<std::string, Value>>> snapshot;
  bool certain = true;
  std::string acknowledged_at;
  std::vector<std::vector<std::pair<std::string, Value>>> model;  // rows with that key: 0, 1, or a mistake
  std::string model_note;                                         // why the model could not be read; or ""
  std::optional<state::Reject> reject;                            // unless settled
  RejectState reject_state = RejectState::refused;
  std::optional<Chapter> next;       // what a run would send now; its plan is not kept
  std::vector<Change> next_request;  // the same, as it is sent
};

// `typed`: the text of a single key, or a JSON array. Needs the project lock; calls recover(). Throws
// Error("sync.row_unknown") when nothing is known of such a row.
Story tell_story(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec,
                 Clock& clock, const std::string& typed);

nlohmann::json to_json(const Chapter& chapter);
nlohmann::json to_json(const Story& story);

}  // namespace eddy::sync
