#include "state/store.h"

#include <fmt/format.h>

#include <mutex>

#include "core/error.h"
#include "state/reject_table.h"
#include "state/schema.h"
#include "state/sealed_table.h"
#include "transport/sqlite/database.h"
#include "transport/sqlite/seals.h"

namespace eddy::state {
namespace {

using sqlite::Statement;
using sqlite::Transaction;

// Writers hold ProjectLock, so only readers of another process can be in the way, and not for long.
constexpr std::chrono::milliseconds busy_timeout = std::chrono::seconds{10};
constexpr std::size_t rejects_at_once = 2'000;

std::int64_t as_signed(std::uint64_t number) { return static_cast<std::int64_t>(number); }
std::uint64_t as_unsigned(std::int64_t number) { return static_cast<std::uint64_t>(number); }

[[noreturn]] void damaged(const std::string& what) {
  throw Error("state.damaged", fmt::format(".eddy/state.db is damaged: {}", what),
              "restore the folder .eddy whole from one backup; without one, move it away and run again: "
              "loads are then read anew, and every row is sent again");
}

Run run_at(const Statement& s) {
  return {s.text(0), s.text(1), s.text(2), s.text(3), s.text(4), s.text(5), s.text(6)};
}
constexpr std::string_view run_columns = "id, command, selection, status, started_at, ended_at, message";

ModelVersion model_at(const Statement& s) {
  return {s.text(0), s.text(1), s.text(2), as_unsigned(s.integer(3)), s.text(4), s.text(5), s.text(6)};
}
constexpr std::string_view model_columns =
    "v.model, v.version, v.path, v.rows, v.built_at, v.fingerprint, v.run_id";

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(const std::filesystem::path& file) : db_(file, sqlite::Access::create, busy_timeout) {
    db_.on_damage([](const sqlite::SqliteError& error) { damaged(error.message()); });
    sqlite::define_seals(db_);
    db_.exec("pragma journal_mode = wal; pragma synchronous = full");
    migrate(file);
  }

  void check() override {
    const std::lock_guard lock(mutex_);
    if (checked_) return;
    {
      Statement s(db_, "pragma integrity_check(1)");
      const std::string said = s.step() ? s.text(0) : "no answer";
      if (said != "ok") damaged(said);
    }
    for (const SealedTable& table : sealed_tables)
      db_.exec(fmt::format("select count(*) from {} where {}", table.name, table.intact()));
    checked_ = true;
  }

  void begin_run(const Run& r) override {
    const std::lock_guard lock(mutex_);
    Statement s(db_, "insert into runs values (?, ?, ?, ?, ?, ?, ?)");
    s.bind(1, r.id)
        .bind(2, r.command)
        .bind(3, r.selection)
        .bind(4, r.status)
        .bind(5, r.started_at)
        .bind(6, r.ended_at)
        .bind(7, r.message)
        .run();
  }

  void end_run(const std::string& id, const std::string& status, const std::string& message) override {
    const std::lock_guard lock(mutex_);
    Statement s(db_,
                "update runs set status = ?, message = ?, ended_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') "
                "where id = ?");
    s.bind(1, status).bind(2, message).bind(3, id).run();
  }

  void end_dead_runs() override {
    const std::lock_guard lock(mutex_);
    db_.exec(
        "update runs set status = 'interrupted', message = 'its process has gone', ended_at = coalesce("
        "(select max(ended_at) from node_runs where run_id = runs.id), started_at) where ended_at = ''");
  }

  void record_node(const NodeRun& n) override {
    const std::lock_guard lock(mutex_);
    Statement s(db_, "insert or replace into node_runs values (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    s.bind(1, n.run_id)
        .bind(2, n.node)
        .bind(3, n.kind)
        .bind(4, n.status)
        .bind(5, n.started_at)
        .bind(6, n.ended_at);
    s.bind(7, as_signed(n.rows)).bind(8, n.summary).bind(9, n.details).run();
  }

  std::vector<Run> runs(std::size_t limit, const std::string& behind) override {
    const std::lock_guard lock(mutex_);
    Statement s(db_, fmt::format("select {} from runs where ?2 = '' or id < ?2 order by id desc limit ?1",
                                 run_columns));
    s.bind(1, as_signed(limit)).bind(2, behind);
    std::vector<Run> out;
    while (s.step()) out.push_back(run_at(s));
    return out;
  }

  std::optional<Run> run(const std::string& id_or_prefix) override {
    const std::lock_guard lock(mutex_);
    Statement s(
        db_, fmt::format("select {} from runs where substr(id, 1, length(?1)) = ?1 order by id desc limit 1",
                         run_columns));
    s.bind(1, id_or_prefix);
    return s.step() ? std::optional(run_at(s)) : std::nullopt;
  }

  std::vector<NodeRun> nodes_of(const std::string& run_id) override {
    const std::lock_guard lock(mutex_);
    Statement s(db_,
                "select run_id, node, kind, status, started_at, ended_at, rows, summary, details from "
                "node_runs where run_id = ? order by started_at, node");
    s.bind(1, run_id);
    std::vector<NodeRun> out;
    while (s.step())
      out.push_back({s.text(0), s.text(1), s.text(2), s.text(3), s.text(4), s.text(5),
                     as_unsigned(s.integer(6)), s.text(7), s.text(8)});
    return out;
  }

  void commit_load(const Load& load) override {
    const std::lock_guard lock(mutex_);
    Transaction transaction(db_);
    Statement l(db_, loads_table.insert());
    l.bind(1, load.id)
        .bind(2, load.source)
        .bind(3, load.stream)
        .bind(4, load.run_id)
        .bind(5, load.loaded_at)
        .bind(6, load.schema)
        .run();
    Statement f(db_, load_files_table.insert());
    std::int64_t position = 0;
    for (const LoadedFile& file : load.files) {
      f.bind(1, load.id)
          .bind(2, position++)
          .bind(3, file.path)
          .bind(4, file.sha256)
          .bind(5, as_signed(file.bytes))
          .bind(6, file.modified_ns);
      f.bind(7, file.raw_path)
          .bind(8, file.rows_path)
          .bind(9, as_signed(file.rows))
          .bind(10, as_signed(file.quarantined))
          .run();
    }
    transaction.commit();
  }

  std::vector<Load> loads(const std::string& source, const std::string& stream) override {
    const std::lock_guard lock(mutex_);
    Statement s(
        db_,
        fmt::format(
            "select l.id, l.source, l.stream, l.run_id, l.loaded_at, l.schema, f.load_id, f.path, "
            "f.sha256, f.bytes, f.modified_ns, "
            "f.raw_path, f.rows_path, f.rows, f.quarantined from loads l left join load_files f on "
            "f.load_id = l.id "
            "where l.source = ?1 and l.stream = ?2 and {} and (f.load_id is null or {}) order by l.rowid, "
            "f.position",
            loads_table.intact("l"), load_files_table.intact("f")));
    s.bind(1, source).bind(2, stream);
    std::vector<Load> out;
    while (s.step()) {
      if (out.empty() || out.back().id != s.text(0))
        out.push_back({s.text(0), s.text(1), s.text(2), s.text(3), s.text(4), s.text(5), {}});
      if (!s.is_null(6))
        out.back().files.push_back({s.text(7), s.text(8), as_unsigned(s.integer(9)), s.integer(10),
                                    s.text(11), s.text(12), as_unsigned(s.integer(13)),
                                    as_unsigned(s.integer(14))});
    }
    return out;
  }

  std::vector<std::pair<std::string, std::string>> loaded_streams() override {
    const std::lock_guard lock(mutex_);
    Statement s(db_, fmt::format("select distinct source, stream from loads where {} order by 1, 2",
                                 loads_table.intact()));
    std::vector<std::pair<std::string, std::string>> out;
    while (s.step()) out.emplace_back(s.text(0), s.text(1));
    return out;
  }

  bool knows_content(const std::string& source, const std::string& stream,
                     const std::string& sha256) override {
    const std::lock_guard lock(mutex_);
    Statement s(db_,
                fmt::format("select 1 from load_files f join loads l on l.id = f.load_id where f.sha256 = ?1 "
                            "and l.source = ?2 and l.stream = ?3 and {} and {} limit 1",
                            load_files_table.intact("f"), loads_table.intact("l")));
    return s.bind(1, sha256).bind(2, source).bind(3, stream).step();
  }

  void commit_model(const ModelVersion& v) override {
    const std::lock_guard lock(mutex_);
    Transaction transaction(db_);
    Statement s(db_, model_versions_table.insert());
    s.bind(1, v.version)
        .bind(2, v.model)
        .bind(3, v.path)
        .bind(4, as_signed(v.rows))
        .bind(5, v.built_at)
        .bind(6, v.fingerprint)
        .bind(7, v.run_id)
        .run();
    Statement pointer(db_, current_models_table.insert("insert or replace"));
    pointer.bind(1, v.model).bind(2, v.version).run();
    transaction.commit();
  }

  std::optional<ModelVersion> current_model(const std::string& model) override {
    const std::lock_guard lock(mutex_);
    Statement s(
        db_, fmt::format(
                 "select {} from current_models c join model_versions v using (version) where c.model = ?1 "
                 "and {} and {}",
                 model_columns, current_models_table.intact("c"), model_versions_table.intact("v")));
    s.bind(1, model);
    return s.step() ? std::optional(model_at(s)) : std::nullopt;
  }

  std::vector<ModelVersion> current_models() override {
    return models(
        fmt::format("select {} from current_models c join model_versions v using (version) where {} and {} "
                    "order by c.model",
                    model_columns, current_models_table.intact("c"), model_versions_table.intact("v")),
        "");
  }

  std::vector<ModelVersion> model_versions(const std::string& model) override {
    return models(fmt::format("select {} from model_versions v where v.model = ?1 and {} order by v.version "
                              "desc",
                              model_columns, model_versions_table.intact("v")),
                  model);
  }

  void forget_model_versions(const std::vector<std::string>& versions) override {
    const std::lock_guard lock(mutex_);
    Transaction transaction(db_);
    Statement s(
        db_, fmt::format("delete from model_versions where version = ?1 and version not in (select version "
                         "from current_models where {})",
                         current_models_table.intact()));
    for (const std::string& version : versions) s.bind(1, version).run();
    transaction.commit();
  }

  std::optional<SyncState> sync_state(const std::string& sync) override {
    const std::lock_guard lock(mutex_);
    Statement s(db_,
                fmt::format("select sync, epoch, checksum, last_plan_id, definition from sync_states where "
                            "sync = ?1 and {}",
                            sync_states_table.intact()));
    if (!s.bind(1, sync).step()) return std::nullopt;
    return SyncState{s.text(0), as_unsigned(s.integer(1)), s.text(2), s.text(3), s.text(4)};
  }

  void put_sync_state(const SyncState& state) override {
    const std::lock_guard lock(mutex_);
    Statement s(db_, sync_states_table.insert("insert or replace"));
    s.bind(1, state.sync)
        .bind(2, as_signed(state.epoch))
        .bind(3, state.checksum)
        .bind(4, state.last_plan_id)
        .bind(5, state.definition)
        .run();
  }

  std::vector<std::string> delivering_syncs() override {
    const std::lock_guard lock(mutex_);
    Statement s(
        db_, fmt::format("select sync from sync_states where {} order by sync", sync_states_table.intact()));
    std::vector<std::string> out;
    while (s.step()) out.push_back(s.text(0));
    return out;
  }

  void put_rejects(const std::vector<Reject>& rejects) override {
    const std::lock_guard lock(mutex_);
    rejects_.put(rejects);
  }
  void settle_rejects(const std::string& sync, const std::vector<std::string>& keys) override {
    const std::lock_guard lock(mutex_);
    rejects_.settle(sync, keys);
  }
  void settle_all_rejects(const std::string& sync) override {
    const std::lock_guard lock(mutex_);
    rejects_.settle_all(sync);
  }
  void park_rejects(const std::string& sync, int runs_max) override {
    const std::lock_guard lock(mutex_);
    rejects_.park(sync, runs_max);
  }
  std::uint64_t replay_rejects(const RejectQuery& query) override {
    const std::lock_guard lock(mutex_);
    return rejects_.replay(query);
  }
  void release_rejects(const std::string& sync, const std::vector<std::string>& keys, const std::string& code,
                       const std::string& message) override {
    const std::lock_guard lock(mutex_);
    rejects_.release(sync, keys, code, message);
  }
  std::uint64_t count_rejects(const RejectQuery& query) override {
    const std::lock_guard lock(mutex_);
    return rejects_.count(query);
  }
  std::vector<Reject> reject_page(const RejectQuery& query, const std::string& behind_sync,
                                  const std::string& behind_key, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    return rejects_.page(query, {behind_sync, behind_key}, limit);
  }
  void each_reject(const RejectQuery& query, const RejectReader& read) override {
    std::string sync, key;
    while (true) {
      const std::vector<Reject> page = reject_page(query, sync, key, rejects_at_once);
      for (const Reject& reject : page) read(reject);
      if (page.size() < rejects_at_once) return;
      sync = page.back().sync;
      key = page.back().key;
    }
  }

  void forget_history(std::size_t runs_max, const std::string& before) override {
    const std::lock_guard lock(mutex_);
    Transaction transaction(db_);
    db_.exec("create temp table if not exists old_runs(id text primary key); delete from old_runs");
    Statement old(db_,
                  "insert into old_runs select id from runs where ended_at <> '' and ((?1 > 0 and id not in "
                  "(select id from runs order by id desc limit ?1)) or started_at < ?2)");
    old.bind(1, as_signed(runs_max)).bind(2, before).run();
    db_.exec(
        "delete from node_runs where run_id in (select id from old_runs); "
        "delete from runs where id in (select id from old_runs)");
    rejects_.forget_settled(before);
    transaction.commit();
  }

  void put_fact(const std::string& name, const std::string& value) override {
    const std::lock_guard lock(mutex_);
    Statement s(db_, facts_table.insert("insert or replace"));
    s.bind(1, name).bind(2, value).run();
  }

  std::optional<std::string> fact(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    Statement s(db_, fmt::format("select value from facts where name = ?1 and {}", facts_table.intact()));
    return s.bind(1, name).step() ? std::optional(s.text(0)) : std::nullopt;
  }

  void remove_fact(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    Statement s(db_, "delete from facts where name = ?");
    s.bind(1, name).run();
  }

 private:
  std::vector<ModelVersion> models(const std::string& sql, const std::string& parameter) {
    const std::lock_guard lock(mutex_);
    Statement s(db_, sql);
    if (!parameter.empty()) s.bind(1, parameter);
    std::vector<ModelVersion> out;
    while (s.step()) out.push_back(model_at(s));
    return out;
  }

  void migrate(const std::filesystem::path& file) {
    const auto version = [&] {
      Statement s(db_, "pragma user_version");
      s.step();
      return static_cast<std::size_t>(s.integer(0));
    };
    if (version() == schema_steps.size()) return;
    Transaction transaction(db_);
    const std::size_t found = version();  // again: another process may have migrated while we waited
    if (found > schema_steps.size())
      throw Error("state.newer",
                  fmt::format("{} was written by a newer eddy (format {}, this one knows {})", file.string(),
                              found, schema_steps.size()),
                  "use that version, or move the file away to start afresh");
    for (std::size_t step = found; step < schema_steps.size(); ++step)
      db_.exec(std::string(schema_steps[step]));
    db_.exec(fmt::format("pragma user_version = {}", schema_steps.size()));
    transaction.commit();
  }

  std::mutex mutex_;
  bool checked_ = false;
  sqlite::Database db_;
  RejectTable rejects_{db_};
};

}  // namespace

std::vector<Reject> Store::rejects(const std::string& sync, bool open_only) {
  std::vector<Reject> out;
  each_reject({.sync = sync, .settled_too = !open_only},
              [&](const Reject& reject) { out.push_back(reject); });
  return out;
}

std::unique_ptr<Store> Store::open(const std::filesystem::path& file) {
  std::filesystem::create_directories(file.parent_path());
  try {
    return std::make_unique<SqliteStore>(file);
  } catch (const sqlite::SqliteError& e) {
    if (!e.is_damaged()) throw;
    damaged(e.message());
  }
}

}  // namespace eddy::state
