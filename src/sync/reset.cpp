#include "sync/reset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/text.h"
#include "sync/acknowledge.h"
#include "sync/fold.h"
#include "sync/remote_snapshot.h"
#include "sync/snapshot.h"

namespace eddy::sync {

namespace {

using Checkpoints = std::function<void(std::string_view)>;

// What is under way, as a fact of the control database: it is there before the first step is done.
struct Marker {
  std::string step;  // reset | reset, then baseline | baseline
  std::string run_id;
};
constexpr const char* step_reset = "reset";
constexpr const char* step_reset_then_baseline = "reset, then baseline";
constexpr const char* step_baseline = "baseline";

std::string fact_name(const std::string& sync) { return "sync.reset." + sync; }

std::optional<Marker> read_marker(state::Store& store, const std::string& sync) {
  const auto fact = store.fact(fact_name(sync));
  if (!fact) return std::nullopt;
  const auto json = nlohmann::json::parse(*fact, nullptr, false);
  if (!json.is_object()) return Marker{step_reset, {}};
  return Marker{json.value("step", step_reset), json.value("run", "")};
}

void put_marker(state::Store& store, const std::string& sync, const Marker& marker) {
  store.put_fact(fact_name(sync), nlohmann::json{{"step", marker.step}, {"run", marker.run_id}}.dump());
}

void reach(const Checkpoints& checkpoint, std::string_view step) {
  if (checkpoint) checkpoint(step);
}

// Opens the sync database; a file that cannot be opened is moved away, never deleted.
void open_or_set_aside(warehouse::Session& session, engine::Connection& c, const std::string& sync,
                       const std::string& run_id, Forgotten& out) {
  try {
    open_sync_database(session, c);
    return;
  } catch (const Error& error) {
    if (error.code() != "sync.snapshot_damaged") throw;
  }
  const auto file = session.places().dot_eddy / "sync.duckdb";
  const std::string aside = "sync.duckdb.damaged-" + run_id;
  for (const char* tail : {"", ".wal"})
    if (std::filesystem::exists(file.string() + tail))
      std::filesystem::rename(file.string() + tail, file.parent_path() / (aside + tail));
  sync_path(file.parent_path());
  out.set_aside = aside;
  for (const std::string& other : session.store().delivering_syncs())
    if (other != sync) out.others.push_back(other);
  open_sync_database(session, c);
}

std::uint64_t rows_delivered(warehouse::Session& session, engine::Connection& c, const std::string& sync) {
  try {
    return kept_rows(session, c, sync);
  } catch (const Error&) {
    return 0;  // damage is a reason to be here
  }
}

void forget_snapshot(warehouse::Session& session, engine::Connection& c, const std::string& sync,
                     const std::string& run_id) {
  const Standing then = kept_standing(session, c, sync);
  if (then.run_id == run_id && !then.definition && read_standing(c, sync).run_id == run_id)
    return;  // done before a kill
  const auto known = session.store().sync_state(sync);
  Standing next;
  next.epoch = std::max(then.epoch, known ? known->epoch : 0) + 1;
  next.checksum = next_checksum(first_checksum(sync), "reset", run_id, "");
  next.previous = then.checksum;
  next.run_id = run_id;
  forget_inside(session, c, sync, next);
  engine::Transaction transaction(c);
  c.execute(fmt::format("drop table if exists {}; drop table if exists {}", snapshot_table(sync),
                        snapshot_table(sync + " new")));
  write_standing(c, sync, next);
  transaction.commit();
}

// Ledgers that were not folded belong to what is forgotten.
void set_ledgers_aside(const warehouse::Session& session, const std::string& sync) {
  const auto folder = ledger_file(session, sync, "x").parent_path();
  if (!std::filesystem::exists(folder)) return;
  std::vector<std::filesystem::path> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".ledger") left.push_back(entry.path());
  for (const auto& file : left)
    std::filesystem::rename(file, std::filesystem::path(file).replace_extension(".forgotten"));
  sync_path(folder);
}

// Codes after which the former snapshot cannot be gone on from.
bool needs_reset(const std::string& code) {
  constexpr std::array<std::string_view, 5> codes = {"sync.state_mismatch", "sync.snapshot_damaged",
                                                     "sync.ledger_damaged", "sync.target_changed",
                                                     "sync.key_type_changed"};
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

}  // namespace

void finish_reset(warehouse::Session& session, engine::Connection& connection, const std::string& sync,
                  const Checkpoints& checkpoint) {
  state::Store& store = session.store();
  const auto marker = read_marker(store, sync);
  if (!marker || marker->step == step_baseline) return;
  reach(checkpoint, "snapshot");
  forget_snapshot(session, connection, sync, marker->run_id);
  reach(checkpoint, "ledgers");
  set_ledgers_aside(session, sync);
  reach(checkpoint, "state");
  store.settle_all_rejects(sync);
  const Standing standing = read_standing(connection, sync);
  store.put_sync_state({sync, standing.epoch, standing.checksum, standing.plan_id, ""});
  reach(checkpoint, "end");
  if (marker->step == step_reset)
    store.remove_fact(fact_name(sync));
  else
    put_marker(store, sync, {step_baseline, marker->run_id});
}

void check_no_baseline(warehouse::Session& session, const std::string& sync) {
  if (!read_marker(session.store(), sync)) return;
  throw Error(
      "sync.reset_unfinished",
      fmt::format("sync {}: `eddy sync reset --baseline` was interrupted, so it is not known which "
                  "rows the destination is believed to have; nothing was sent",
                  sync),
      fmt::format("say it again: eddy sync reset {0} --baseline; or forget all: eddy sync reset {0}", sync));
}

Forgotten reset(warehouse::Session& session, const std::string& sync, const std::string& run_id,
                const Checkpoints& checkpoint) {
  Forgotten out;
  auto connection = session.connect();
  open_or_set_aside(session, connection, sync, run_id, out);
  out.rows = rows_delivered(session, connection, sync);
  out.rejects = session.store().count_rejects({.sync = sync});
  reach(checkpoint, "begin");
  put_marker(session.store(), sync, {step_reset, run_id});
  finish_reset(session, connection, sync, checkpoint);
  return out;
}

Believed baseline(warehouse::Session& session, const SyncSpec& spec, const std::string& run_id, Clock& clock,
                  const Checkpoints& checkpoint) {
  Believed out;
  auto connection = session.connect();
  const PlanRequest request{.kind = PlanKind::baseline};
  bool planned = false;
  bind(session, connection, spec);  // a model that cannot be read must not cost what is known
  open_or_set_aside(session, connection, spec.name, run_id, out.forgotten);
  try {
    recover(session, connection, spec.name, clock, {}, Unfinished::allowed);
    out.plan = make_plan(session, connection, spec, clock, request);
    planned = true;
  } catch (const Error& error) {
    if (!needs_reset(error.code())) throw;
  }
  if (!planned) {
    out.forgotten.rows = rows_delivered(session, connection, spec.name);
    out.forgotten.rejects = session.store().count_rejects({.sync = spec.name});
    reach(checkpoint, "begin");
    put_marker(session.store(), spec.name, {step_reset_then_baseline, run_id});
    finish_reset(session, connection, spec.name, checkpoint);
    out.plan = make_plan(session, connection, spec, clock, request);
  } else {
    put_marker(session.store(), spec.name, {step_baseline, run_id});
  }
  reach(checkpoint, "acknowledge");
  acknowledge(session, connection, out.plan, run_id, clock);
  reach(checkpoint, "end");
  session.store().remove_fact(fact_name(spec.name));
  return out;
}

}  // namespace eddy::sync
