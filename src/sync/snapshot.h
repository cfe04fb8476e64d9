// The acknowledged snapshot: for one sync, the rows the destination has said yes to, with the values it said
// yes to. Snapshots and plans live in `.eddy/sync.duckdb`, attached to the session as catalog `sync_db`; the
// user's warehouse is never written.
//
//   snapshot.<sync>   k1…kn key, v1…vm values (order of the definition), row_hash, delivered_at (UTC)
//   plan.<plan id>    the changes of one plan (plan.h)
//   outcome.<plan id>  of a delivered plan: number, fate (RowFate), attempts, code, message, destination_id,
//                   created. When main.deliveries says `complete`, rows not listed were applied at once;
//                   otherwise they were not sent
//   settled.<plan id>  keys (JSON) of open rejects that need nothing any more once the plan is delivered
//   same.<plan id>  of a model in a warehouse of the user's own: k…, h of rows whose hash there is another
//   one
//                   now, and whose values are the same
//   main.deliveries plan_id, run_id, sync, delivered_at, complete: one row per folded ledger
//   main.syncs        per sync: epoch, checksum, definition of the columns, hash algorithm
//   main.plans        per plan: what `load_plan` reads
//
// row_hash is DuckDB's hash() of the values, an accelerator only. 0 says: the destination may hold something
// else than these values (an answer was lost), so the next plan sends the row again whatever the model says.
//
// Epoch and checksum stand here and in state.db. A DuckDB file whose log was lost opens silently with older
// data; comparing the two is what notices it.
#pragma once

#include <optional>
#include <string>

#include "engine/database.h"
#include "state/store.h"
#include "sync/definition.h"
#include "warehouse/session.h"

namespace eddy::sync {

struct Standing {
  std::uint64_t epoch = 0;  // 0: nothing was ever folded
  std::string checksum;     // chained over the folds
  std::string previous;     // the checksum before the last fold
  std::string run_id;       // of the last fold
  std::string plan_id;      // of the last fold
  std::string hash_algorithm;
  std::optional<Definition> definition;  // none: nothing was ever delivered, or all of it was forgotten
};

enum class Agreement {
  equal,
  snapshot_ahead
};  // ahead by exactly the last fold: state.db has not heard of it yet

// Attaches the file to the session's engine (once) and makes its tables. Needs the project lock.
// Throws Error("sync.snapshot_damaged") when the file cannot be opened, Error("sync.busy") when another
// process reads it.
void open_sync_database(warehouse::Session& session, engine::Connection& connection);

Standing read_standing(engine::Connection& connection, const std::string& sync);
void write_standing(engine::Connection& connection, const std::string& sync, const Standing& standing);
// Throws Error("sync.state_mismatch") that says which of the two is older and what to do.
Agreement compare(const std::string& sync, const Standing& standing,
                  const std::optional<state::SyncState>& state);

// What to do when it is not known what was delivered; a hint.
std::string ways_out(const std::string& sync);

std::string first_checksum(const std::string& sync);
std::string next_checksum(const std::string& checksum, const std::string& plan_id, const std::string& run_id,
                          const std::string& ledger_digest);
// Names the way this engine hashes values; it differs when any of the hash functions differs.
std::string hash_algorithm(engine::Connection& connection);

std::string snapshot_table(const std::string& sync);  // quoted, with catalog and schema
std::string plan_table(const std::string& plan_id);   // a view on plan_rows, with `number`
std::string plan_rows(const std::string& plan_id);
std::string outcome_table(const std::string& plan_id);
std::string settled_table(const std::string& plan_id);
std::string same_table(const std::string& plan_id);

}  // namespace eddy::sync
