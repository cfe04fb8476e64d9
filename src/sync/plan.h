// A plan: the immutable list of changes between what a destination has acknowledged and what the model says
// now. It is computed by the engine, stored as a table beside the snapshot, and carries the snapshot's epoch;
// once the snapshot has moved it is stale.
//
//   plan.<id>: number (0…n-1: adds and changes ordered by key, then removes), op (0 add, 1 change, 2 remove),
//   k1…kn, v1…vm the new values, o1…om the acknowledged ones, changed (per field: '1' to be written,
//   '0' the same, 'k' not to be written whatever the value), suspect (the acknowledged values are not
//   certain)
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/change.h"
#include "core/clock.h"
#include "engine/database.h"
#include "sync/definition.h"
#include "sync/difference.h"
#include "warehouse/session.h"

namespace eddy::sync {

// source = valid + null_key + duplicate_key + bad_value;
// valid = unchanged + added + changed + rejected_before + in_doubt_before + parked + left_out
// (removes among the last four are not part of valid).
struct PlanCounts {
  std::uint64_t source = 0;  // rows of the model
  std::uint64_t valid = 0;
  std::uint64_t null_key = 0;       // invalid: a key column is null (or NaN)
  std::uint64_t duplicate_key = 0;  // invalid: all rows of keys that occur more than once
  std::uint64_t bad_value = 0;      // invalid: would be refused, by the destination's own schema
  std::uint64_t snapshot = 0;       // rows acknowledged before
  std::uint64_t unchanged = 0;      // with mode insert: every row whose key was delivered before
  std::uint64_t added = 0, changed = 0, removed = 0;
  // Have left the model, and stay at the destination (`removed: ignore`); kind undo: were added by the run,
  // and stay.
  std::uint64_t kept = 0;
  std::uint64_t rejected_before = 0;  // not sent: refused before, and the same since
  std::uint64_t in_doubt_before = 0;  // not sent: an insert whose answer was lost; a person has to look
  std::uint64_t parked = 0;           // not sent: refused for a passing reason too often
  std::uint64_t unread = 0;    // seem gone, but were set aside on their way into the model: not removed
  std::uint64_t left_out = 0;  // differ, but the plan was asked for fewer rows
  // kind undo, where source are the rows that the run delivered: written or lost again since
  std::uint64_t changed_since = 0;

  std::uint64_t invalid() const { return null_key + duplicate_key + bad_value; }
  std::uint64_t planned() const { return added + changed + removed; }
};

// Why a plan waits for approval.
struct Hold {
  std::string code;                        // removed | changed | model_empty | rows | unique_key | first_run
  std::string message;                     // with the numbers
  std::vector<std::string> examples = {};  // up to five rows, JSON
};

// Changed rows by which fields change: "3,102 rows: only lead_score".
struct FieldGroup {
  std::vector<std::string> fields;
  std::uint64_t rows = 0;
};

enum class PlanKind {
  sync,      // what differs
  resend,    // every current row, removes nothing
  undo,      // the values from before a run
  baseline,  // nothing is sent: the model is believed to be what the destination has
  resolve,   // nothing is sent: rows in doubt that are known to have been applied
};
std::string_view name_of(PlanKind kind);
constexpr bool is_sent(PlanKind kind) { return kind != PlanKind::baseline && kind != PlanKind::resolve; }

struct Plan {
  std::string id;
  PlanKind kind = PlanKind::sync;
  std::uint64_t epoch = 0;
  std::string made_at;
  Definition definition;
  PlanCounts counts;
  std::vector<std::pair<std::string, std::uint64_t>>
      field_changes;               // of changed rows: field, rows in which it differs
  std::vector<FieldGroup> groups;  // of changed rows, the largest 20; the rest is one group without fields
  std::vector<std::pair<std::string, std::uint64_t>> invalid_reasons;  // "too_long:name", rows
  std::vector<InvalidExample> invalid_examples;                        // up to 5 of each reason
  std::vector<Hold> holds;
  bool first = false;               // nothing was ever delivered, or all of it was forgotten
  bool definition_changed = false;  // fields, types or the engine's hash changed since the last fold
  int reject_runs_max = 10;         // runs that send a row refused for a passing reason, until it is parked
  bool schema_checked = false;      // the destination's schema was at hand
  std::uint64_t settled = 0;        // open rejects that need nothing any more; keys: settled_table()
  std::string undone_run;           // kind undo
};

struct PlannedChange {
  std::uint64_t number = 0;
  Operation operation = Operation::add;
  Row key, before, after;     // before is empty for add, after for remove
  std::vector<bool> changed;  // per field: to be written
  std::vector<bool> kept;     // per field: not to be written
};

// Rows that were read badly, and are not in the model for it.
struct Unread {
  std::vector<std::string> texts;  // their original bytes, lower case
  bool all = false;                // a whole file could not be read: anything may be among it
};

struct PlanRequest {
  PlanKind kind = PlanKind::sync;
  const ObjectSchema* object = nullptr;  // what the destination says of itself, when it could be read
  std::uint64_t rows_max = 0;            // the first rows of the plan only; 0: all
  std::string key = {};                  // one row: its key as text, or a JSON array of a composite one
  bool refreshed = false;                // the connection's table eddy_drift (drift.h) corrects the snapshot
  const Unread* unread = nullptr;        // rows set aside on their way into the model: they are not gone
  std::string undo_plan = {};            // kind undo: the plan that was applied
  std::string undone_run = {};           // kind undo: in that run
  // kind resolve: SQL of a relation with the rows that were applied: op, k…, v…, of the definition as bound
  // now; adds that the snapshot does not have and removes that it has.
  std::string resolved = {};
};

// Computes and stores a plan. Call only after recover() (fold.h). Writes nothing but .eddy/sync.duckdb.
// Throws what bind() throws; sync.target_changed, sync.key_type_changed, sync.model_unstable,
// sync.insert_resend.
Plan make_plan(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec,
               Clock& clock, const PlanRequest& request = {});
// Throws Error("sync.plan_unknown").
Plan load_plan(engine::Connection& connection, const std::string& plan_id);
// Up to `limit` rows from `offset` on, in the plan's order: as they are sent, and as they are shown.
std::vector<Change> changes(engine::Connection& connection, const Plan& plan, std::uint64_t offset,
                            std::uint64_t limit);
std::vector<PlannedChange> page(engine::Connection& connection, const Plan& plan, std::uint64_t offset,
                                std::uint64_t limit);
// The first rows of one kind.
std::vector<PlannedChange> first_of(engine::Connection& connection, const Plan& plan, Operation operation,
                                    std::size_t limit);
// The row that a person means by `typed`: the text of a single key, or a JSON array.
std::optional<PlannedChange> row_of(engine::Connection& connection, const Plan& plan,
                                    const std::string& typed);
// Throws Error("sync.plan_stale") when the snapshot has moved, or the sync's file has changed, since the plan
// was made.
void check_fresh(const Plan& plan, std::uint64_t epoch, const Definition& now);
// Drops one plan with all that is kept beside it.
void forget_plan(engine::Connection& connection, const std::string& plan_id);
// Keeps of a sync the newest `keep` plans that were delivered and as many that were not; drops those made
// before `before` (UTC; "": none) too. Never drops those named.
void forget_plans(engine::Connection& connection, const std::string& sync, std::size_t keep,
                  const std::string& before, const std::vector<std::string>& needed);

nlohmann::json to_json(const PlanCounts& counts);
nlohmann::json to_json(const Plan& plan);
nlohmann::json to_json(const PlannedChange& change, const Definition& definition);
std::string summary(const PlanCounts& counts);  // "+120 ~42 -0", with "!3 invalid" when there are some

}  // namespace eddy::sync
