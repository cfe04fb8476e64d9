#include "sync/snapshot.h"

#include <fmt/format.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "engine/holder.h"
#include "engine/torn_log.h"

namespace eddy::sync {

using engine::quote_identifier;
using engine::quote_literal;

namespace {

// After a power loss without what was never acknowledged: each ledger is kept until its fold is durable.
void attach(engine::Connection& connection, const std::filesystem::path& file) {
  const std::string sql = fmt::format("attach if not exists {} as sync_db", quote_literal(file.string()));
  try {
    connection.execute(sql);
  } catch (const Error& refusal) {
    if (!engine::cut_torn_log(file, refusal)) throw;
    connection.execute(sql);
  }
}

}  // namespace

void open_sync_database(warehouse::Session& session, engine::Connection& connection) {
  static std::mutex
      one_at_a_time;  // syncs run in parallel; creating the same table twice at once is a conflict
  const std::lock_guard lock(one_at_a_time);
  const auto file = session.places().dot_eddy / "sync.duckdb";
  std::filesystem::create_directories(session.places().dot_eddy);
  try {
    engine::make_database_file(connection, file);
    attach(connection, file);
    connection.execute(
        "create schema if not exists sync_db.snapshot;"
        "create schema if not exists sync_db.plan;"
        "create schema if not exists sync_db.outcome;"
        "create schema if not exists sync_db.settled;"
        "create schema if not exists sync_db.same;"
        "create table if not exists sync_db.main.deliveries(plan_id varchar not null, run_id varchar not "
        "null, "
        "sync varchar not null, delivered_at varchar not null, complete boolean not null);"
        "create table if not exists sync_db.main.syncs(sync varchar not null, epoch ubigint not null, "
        "checksum varchar not null,"
        " previous varchar not null, run_id varchar not null, plan_id varchar not null, hash_algorithm "
        "varchar not null, definition varchar not null);"
        "create table if not exists sync_db.main.plans(id varchar not null, sync varchar not null, epoch "
        "ubigint not null,"
        " body varchar not null);");
  } catch (const Error& error) {
    if (const auto holder = engine::holder_of_file(error))
      throw Error("sync.busy", fmt::format("{} is open in another process: {}", file.string(), *holder),
                  "wait until it has finished, or end that process; nothing was changed");
    throw Error("sync.snapshot_damaged",
                fmt::format("{} cannot be opened: {}", file.string(), error.message()),
                "restore .eddy/sync.duckdb and .eddy/state.db together from one backup; or `eddy sync reset "
                "SYNC` for each sync: the file is set aside, and what was delivered is forgotten");
  }
}

Standing read_standing(engine::Connection& connection, const std::string& sync) {
  auto result = connection.query(
      "select epoch::bigint, checksum, previous, run_id, plan_id, hash_algorithm, definition from "
      "sync_db.main.syncs where sync = ?",
      {Value::text(sync)});
  const std::vector<Row> rows = result.rows();
  if (rows.empty()) return {0, first_checksum(sync), {}, {}, {}, {}, std::nullopt};
  const Row& r = rows.front();
  return {static_cast<std::uint64_t>(r[0].as_integer()),
          r[1].as_string(),
          r[2].as_string(),
          r[3].as_string(),
          r[4].as_string(),
          r[5].as_string(),
          r[6].as_string().empty()
              ? std::nullopt
              : std::optional(definition_from_json(nlohmann::json::parse(r[6].as_string())))};
}

void write_standing(engine::Connection& connection, const std::string& sync, const Standing& s) {
  connection.query("delete from sync_db.main.syncs where sync = ?", {Value::text(sync)});
  connection.query(
      "insert into sync_db.main.syncs values (?, ?, ?, ?, ?, ?, ?, ?)",
      {Value::text(sync), Value::integer(static_cast<std::int64_t>(s.epoch)), Value::text(s.checksum),
       Value::text(s.previous), Value::text(s.run_id), Value::text(s.plan_id), Value::text(s.hash_algorithm),
       Value::text(s.definition ? to_json(*s.definition).dump() : "")});
}

Agreement compare(const std::string& sync, const Standing& standing,
                  const std::optional<state::SyncState>& state) {
  const std::uint64_t known = state ? state->epoch : 0;
  const std::string checksum = state ? state->checksum : first_checksum(sync);
  if (standing.epoch == known && standing.checksum == checksum) return Agreement::equal;
  if (standing.epoch == known + 1 && standing.previous == checksum) return Agreement::snapshot_ahead;
  const std::string what =
      standing.epoch < known
          ? "the snapshot (.eddy/sync.duckdb) is older than the control database (.eddy/state.db)"
      : standing.epoch > known
          ? "the control database (.eddy/state.db) is older than the snapshot (.eddy/sync.duckdb)"
          : "the snapshot (.eddy/sync.duckdb) and the control database (.eddy/state.db) come from different "
            "histories";
  throw Error("sync.state_mismatch",
              fmt::format("sync {}: {} (epoch {} in the snapshot, {} in the control database), so what was "
                          "delivered is not known; nothing was sent",
                          sync, what, standing.epoch, known),
              ways_out(sync));
}

std::string ways_out(const std::string& sync) {
  return fmt::format(
      "restore the folder .eddy whole from one backup; or `eddy sync reset {0}`: what was delivered is "
      "forgotten, and the next run sends every row and removes nothing; or `eddy sync reset {0} --baseline`: "
      "the model is believed to be what the destination has, and nothing is sent",
      sync);
}

std::string first_checksum(const std::string& sync) { return sha256_hex("sync " + sync); }

std::string next_checksum(const std::string& checksum, const std::string& plan_id, const std::string& run_id,
                          const std::string& ledger_digest) {
  return sha256_hex(checksum + "\n" + plan_id + "\n" + run_id + "\n" + ledger_digest);
}

std::string hash_algorithm(engine::Connection& connection) {
  // One value of each kind that the engine hashes by a function of its own.
  auto result = connection.query(
      "select hash('eddy', 'a text longer than twelve bytes', 1::integer, 2.5::double, 1.5::decimal(30,2), "
      "date '2024-01-01', timestamp '2024-01-01 10:00:00',"
      " true, null, [1, 2], {'a': 'x'})::varchar");
  return "duckdb:" + result.scalar().to_text();
}

std::string snapshot_table(const std::string& sync) { return "sync_db.snapshot." + quote_identifier(sync); }
std::string plan_table(const std::string& plan_id) { return "sync_db.plan." + quote_identifier(plan_id); }
std::string plan_rows(const std::string& plan_id) {
  return "sync_db.plan." + quote_identifier(plan_id + " rows");
}
std::string outcome_table(const std::string& plan_id) {
  return "sync_db.outcome." + quote_identifier(plan_id);
}
std::string same_table(const std::string& plan_id) { return "sync_db.same." + quote_identifier(plan_id); }
std::string settled_table(const std::string& plan_id) {
  return "sync_db.settled." + quote_identifier(plan_id);
}

}  // namespace eddy::sync
