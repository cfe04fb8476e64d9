// A plan: the immutable list of changes between what a destination has acknowledged and what the model says
// now. It is computed by the engine, stored as a table beside the snapshot, and carries the snapshot's epoch;
// once the snapshot has moved it is stale.
//
//   plan.<id>: number (0…n-1: adds and changes ordered by key, then removes), op (0 add, 1 change, 2 remove),
//   k1…kn, v1…vm the new values, o1…om the acknowledged ones, changed ('0'/'1' per field)
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/change.h"
#include "core/clock.h"
#include "engine/database.h"
#include "sync/definition.h"
#include "warehouse/session.h"

namespace eddy::sync {

// source = valid + null_key + duplicate_key;  valid = unchanged + added + changed + rejected_before +
// in_doubt_before (rows counted in the last two that are removes are not part of valid).
struct PlanCounts {
  std::uint64_t source = 0;  // rows of the model
  std::uint64_t valid = 0;
  std::uint64_t null_key = 0;       // invalid: a key column is null (or NaN)
  std::uint64_t duplicate_key = 0;  // invalid: all rows of keys that occur more than once
  std::uint64_t snapshot = 0;       // rows acknowledged before
  std::uint64_t unchanged = 0;      // with mode insert: every row whose key was delivered before
  std::uint64_t added = 0, changed = 0, removed = 0;
  std::uint64_t kept = 0;             // have left the model, and stay at the destination (`removed: ignore`)
  std::uint64_t rejected_before = 0;  // not sent: refused before, and the same since
  std::uint64_t in_doubt_before = 0;  // not sent: an insert whose answer was lost; a person has to look

  std::uint64_t invalid() const { return null_key + duplicate_key; }
  std::uint64_t planned() const { return added + changed + removed; }
};

// Why a plan waits for approval.
struct Hold {
  std::string code;     // removed | changed | model_empty
  std::string message;  // with the numbers
};

struct InvalidExample {
  std::string reason;  // null_key | duplicate_key
  std::string row;     // JSON
};

struct Plan {
  std::string id;
  std::uint64_t epoch = 0;
  std::string made_at;
  Definition definition;
  PlanCounts counts;
  std::vector<std::pair<std::string, std::uint64_t>>
      field_changes;                             // of changed rows: field, rows in which it differs
  std::vector<InvalidExample> invalid_examples;  // up to 5 of each reason
  std::vector<Hold> holds;
  bool definition_changed = false;   // fields, types or the engine's hash changed since the last fold
  std::vector<std::string> settled;  // keys (JSON) of open rejects that need nothing any more
};

struct PlannedChange {
  std::uint64_t number = 0;
  Operation operation = Operation::add;
  Row key, before, after;     // before is empty for add, after for remove
  std::vector<bool> changed;  // per field
};

// Computes and stores a plan. Call only after recover() (fold.h). Writes nothing but .eddy/sync.duckdb.
// Throws what bind() throws; sync.target_changed, sync.key_type_changed, sync.model_unstable.
Plan make_plan(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec,
               Clock& clock);
// Throws Error("sync.plan_unknown").
Plan load_plan(engine::Connection& connection, const std::string& plan_id);
// Up to `limit` rows from `offset` on, in the plan's order: as they are sent, and as they are shown.
std::vector<Change> changes(engine::Connection& connection, const Plan& plan, std::uint64_t offset,
                            std::uint64_t limit);
std::vector<PlannedChange> page(engine::Connection& connection, const Plan& plan, std::uint64_t offset,
                                std::uint64_t limit);
// Throws Error("sync.plan_stale") when the snapshot has moved, or the sync's file has changed, since the plan
// was made.
void check_fresh(const Plan& plan, std::uint64_t epoch, const Definition& now);
// Keeps the newest `keep` plans of a sync; never drops those named.
void forget_plans(engine::Connection& connection, const std::string& sync, std::size_t keep,
                  const std::vector<std::string>& needed);

nlohmann::json to_json(const PlanCounts& counts);
nlohmann::json to_json(const Plan& plan);
nlohmann::json to_json(const PlannedChange& change, const Definition& definition);
std::string summary(const PlanCounts& counts);  // "+120 ~42 -0", with "!3 invalid" when there are some

}  // namespace eddy::sync
