#include "sync/fold.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/text.h"
#include "sync/ledger.h"
#include "sync/plan_sql.h"
#include "sync/remote_snapshot.h"
#include "sync/reset.h"

namespace eddy::sync {

namespace {

constexpr std::size_t rejects_at_once = 5'000;
constexpr int fate_suspect = 5;  // beyond RowFate: may have left, was not answered, and may be sent again

std::uint64_t count(engine::Connection& c, const std::string& sql) {
  return static_cast<std::uint64_t>(c.query(sql).scalar().as_integer());
}

// One ledger on its way into the snapshot.
class Folding {
 public:
  Folding(warehouse::Session& session, engine::Connection& connection, std::filesystem::path file,
          Clock& clock, const Checkpoint& before)
      : session_(session), c_(connection), file_(std::move(file)), clock_(clock), before_(before) {}

  // False when the ledger holds nothing at all.
  bool read() {
    c_.execute(
        "create or replace temp table eddy_fates(number bigint, fate integer, attempts integer, code "
        "varchar, "
        "message varchar, destination_id varchar, created boolean)");
    auto rows = c_.appender("temp", "main", "eddy_fates");
    const auto put = [&](const RowVerdict& v, int fate) {
      rows.append_integer(static_cast<std::int64_t>(v.number));
      rows.append_integer(fate);
      rows.append_integer(v.attempts);
      rows.append_text(v.code);
      rows.append_text(v.message);
      rows.append_text(v.destination_id);
      rows.append(Value::boolean(v.created));
      rows.end_row();
      ++noted_;
    };
    std::vector<bool> settled, quiet, left;  // one bit per row of the plan
    const auto at = [](std::vector<bool>& bits, std::uint64_t number) {
      if (bits.size() <= number) bits.resize(number + 1);
      return bits[number];
    };
    bool twice = false;
    const auto reading = read_ledger(
        file_,
        [&](std::uint64_t first, std::uint64_t n) {
          for (std::uint64_t number = first; number < first + n; ++number) at(left, number) = true;
        },
        [&](const RowVerdict& v) {
          if (v.fate == RowFate::not_applied) {
            at(left, v.number) = false;
            return;
          }
          twice = twice || at(settled, v.number);
          at(settled, v.number) = true;
          // Most rows are applied at once and there is nothing to say about them: a bit is enough.
          if (v.fate == RowFate::applied && v.attempts == 1 && v.destination_id.empty() && !v.created)
            at(quiet, v.number) = true;
          else
            put(v, static_cast<int>(v.fate));
        });
    if (!reading) return false;
    header_ = reading->header;
    digest_ = reading->digest;
    if (twice)
      throw Error("sync.ledger_damaged",
                  fmt::format("{} has two verdicts for one row; nothing was sent", file_.string()),
                  "restore the folder .eddy from a backup");
    complete_ =
        settled.size() == header_.rows && std::find(settled.begin(), settled.end(), false) == settled.end();
    if (!complete_)
      for (std::uint64_t number = 0; number < quiet.size(); ++number)
        if (quiet[number])
          put({number, RowFate::applied, false, 1, {}, {}, {}}, static_cast<int>(RowFate::applied));
    if (!reading->ended)
      for (std::uint64_t number = 0; number < left.size(); ++number)
        if (left[number] && !at(settled, number))
          put({number,
               RowFate::in_doubt,
               false,
               1,
               "sync.interrupted",
               "the run ended before the answer came",
               {}},
              header_.unsafe ? static_cast<int>(RowFate::in_doubt) : fate_suspect);
    rows.close();
    return true;
  }

  const LedgerHeader& header() const { return header_; }

  void into_snapshot(const Standing& standing) {
    step("snapshot");
    load();
    const bool inside = keeps_inside(session_, c_, header_.sync);
    note_place(session_, header_.sync, inside);
    const std::string& theirs = plan_.definition.hash_algorithm;  // of a warehouse of the user's own
    Standing next = standing;
    next.hash_algorithm = theirs.empty() ? hash_algorithm(c_) : theirs;
    next.epoch = standing.epoch + 1;
    next.previous = standing.checksum;
    next.checksum = next_checksum(standing.checksum, header_.plan_id, header_.run_id, digest_);
    next.run_id = header_.run_id;
    next.plan_id = header_.plan_id;
    next.definition = plan_.definition;
    if (inside) {
      fold_inside(*session_.own(), c_, standing, next, rows_for_inside(), moment());
      step("copy of the standing");
    }
    // Syncs run in parallel and share one table of standings.
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    engine::Transaction transaction(c_);
    if (!inside) {
      bring_up_table(standing, next.hash_algorithm);
      move_rows();
    }
    write_standing(c_, header_.sync, next);
    keep_outcomes();
    transaction.commit();
  }

  // The warehouse had it all, and then came the kill.
  void complete_outcomes() {
    load();
    if (!c_.query("select 1 from sync_db.main.deliveries where plan_id = ?", {Value::text(header_.plan_id)})
             .rows()
             .empty())
      return;
    engine::Transaction transaction(c_);
    keep_outcomes();
    transaction.commit();
  }

  void into_state() {
    step("rejects");
    load();
    put_rejects();
    settle_rejects();
    step("state");
    const Standing standing = read_standing(c_, header_.sync);
    session_.store().put_sync_state({header_.sync, standing.epoch, standing.checksum, standing.plan_id,
                                     to_json(*standing.definition).dump()});
  }

  void set_aside() {
    step("ledger");
    const auto done = std::filesystem::path(file_).replace_extension(".done");
    std::filesystem::rename(file_, done);
    sync_path(file_.parent_path());
    c_.execute("drop table if exists eddy_fates; drop table if exists eddy_open");
    forget_old();
  }

 private:
  void step(std::string_view name) const {
    if (before_) before_(name);
  }

  void load() {
    if (loaded_) return;
    plan_ = load_plan(c_, header_.plan_id);
    keys_ = plan_.definition.key.size();
    values_ = plan_.definition.fields.size();
    loaded_ = true;
  }

  // The plan's rows with their fates, where `condition` holds.
  std::string fated(std::string_view condition) const {
    const std::string plan = plan_table(plan_.id);
    std::string rows = fmt::format("select *, {} as fate, 1 as attempts, '' as code, '' as message from {}",
                                   static_cast<int>(RowFate::applied), plan);
    // Of a whole ledger, what is not noted was applied at once.
    if (noted_ > 0 || !complete_)
      rows = fmt::format(
          "select q.*, coalesce(f.fate, {}) as fate, coalesce(f.attempts, 1) as attempts, coalesce(f.code, "
          "'') as "
          "code, coalesce(f.message, '') as message from {} q {} join eddy_fates f on f.number = q.number",
          static_cast<int>(RowFate::applied), plan, complete_ ? "left" : "inner");
    return fmt::format("(select p.* from ({}) p where {})", rows, condition);
  }

  std::string columns(std::string_view prefix = "") const {
    return numbered(fmt::format("{}k", prefix), keys_) +
           (values_ == 0 ? "" : ", " + numbered(fmt::format("{}v", prefix), values_));
  }

  std::string moment() const {
    return fmt::format("timestamp {}", engine::quote_literal(replace_all(
                                           replace_all(format_utc(clock_.now()), "T", " "), "Z", "")));
  }

  std::string doubtful() const {
    return fmt::format("p.fate in ({}, {}) and p.op <> 0", static_cast<int>(RowFate::in_doubt), fate_suspect);
  }

  // As fold_inside() wants them.
  std::string rows_for_inside() const {
    const auto rows = [&](const std::string& kind, const std::string& from) {
      return fmt::format("select {}::bigint as kind, {} from {} p", kind, columns("p."), from);
    };
    const std::string applied = fmt::format("p.fate = {}", static_cast<int>(RowFate::applied));
    std::string out = rows("p.op", fated(applied));
    if (!header_.unsafe) out += " union all " + rows("3", fated(doubtful()));
    // Of a whole ledger: those that were not applied.
    return out + " union all " +
           rows("4", fmt::format("(select * from {} where op = 1 and number not in (select number from {}))",
                                 plan_table(plan_.id), fated(applied)));
  }

  // The hash that a row of the plan is kept with.
  std::string hash_of_row() const {
    if (plan_.definition.hash_algorithm.empty()) return hash_of("p.", values_);
    // A plan that was made otherwise (undo, a snapshot kept inside) has none; 1 is equal to none.
    for (const auto& column :
         c_.query(fmt::format("select * from {} limit 0", plan_table(plan_.id))).columns())
      if (column.name == "h") return "coalesce(p.h, 1)::ubigint";
    return "1::ubigint";
  }

  void bring_up_table(const Standing& standing, const std::string& algorithm) {
    const std::string table = snapshot_table(header_.sync);
    if (!standing.definition) {
      std::vector<std::string> list;
      for (std::size_t i = 0; i < keys_; ++i)
        list.push_back(fmt::format("k{} {} not null", i + 1, plan_.definition.key[i].engine_type));
      for (std::size_t i = 0; i < values_; ++i)
        list.push_back(fmt::format("v{} {}", i + 1, plan_.definition.fields[i].engine_type));
      c_.execute(
          fmt::format("create table {}({}, row_hash ubigint not null, delivered_at timestamp not null)",
                      table, join(list, ", ")));
      return;
    }
    if (same_columns(standing, plan_.definition, algorithm)) return;
    // Another mapping, other types or another engine: the same rows, written anew.
    const std::string fresh = snapshot_table(header_.sync + " new");
    c_.execute(
        fmt::format("create table {} as select {}, r as row_hash, delivered_at from {}; drop table {}; alter "
                    "table {} rename to {}",
                    fresh, columns(), aligned_snapshot(standing, plan_.definition, algorithm), table, fresh,
                    engine::quote_identifier(header_.sync)));
    // What this delivery was to write of a new field, and did not, is not known to be there.
    c_.execute(fmt::format("update {} s set row_hash = 0 from {} p where p.op = 1 and {}", table,
                           plan_table(plan_.id), keys_equal("s", "p", keys_)));
  }

  void move_rows() {
    const std::string table = snapshot_table(header_.sync);
    const std::string now = moment(), hash = hash_of_row();
    const std::string same_key = keys_equal("s", "p", keys_);
    const std::string applied = fmt::format("p.fate = {}", static_cast<int>(RowFate::applied));
    const auto moved = [&](const std::string& what, const std::string& sql, const std::string& condition) {
      const std::uint64_t rows = c_.query(sql).rows_changed();
      const std::uint64_t expected = count(c_, fmt::format("select count(*) from {}", fated(condition)));
      if (rows != expected)
        throw Error("sync.unreconciled",
                    fmt::format("sync {}: {} rows were {} at the destination, but {} in the snapshot",
                                header_.sync, expected, what, rows),
                    "nothing was folded, the ledger is kept; please report this");
    };
    std::string set;
    for (std::size_t i = 1; i <= values_; ++i) set += fmt::format("v{0} = p.v{0}, ", i);
    moved("changed",
          fmt::format("update {} s set {}row_hash = {}, delivered_at = {} from {} p where {}", table, set,
                      hash, now, fated(applied + " and p.op = 1"), same_key),
          applied + " and p.op = 1");
    moved("removed",
          fmt::format("delete from {} s using {} p where {}", table, fated(applied + " and p.op = 2"),
                      same_key),
          applied + " and p.op = 2");
    moved("added",
          fmt::format("insert into {} select {}, {}, {} from {} p order by number", table, columns("p."),
                      hash, now, fated(applied + " and p.op = 0")),
          applied + " and p.op = 0");
    rehash();
    if (header_.unsafe) return;
    moved("left in doubt",
          fmt::format("update {} s set row_hash = 0 from {} p where {}", table, fated(doubtful()), same_key),
          doubtful());
  }

  // Rows that the warehouse hashes otherwise now, though they are the same.
  void rehash() {
    if (plan_.definition.hash_algorithm.empty() ||
        c_.query("select 1 from duckdb_tables() where database_name = 'sync_db' and schema_name = 'same' and "
                 "table_name = ?",
                 {Value::text(plan_.id)})
            .rows()
            .empty())
      return;
    c_.execute(fmt::format("update {} s set row_hash = p.h from {} p where s.row_hash <> 0 and {}",
                           snapshot_table(header_.sync), same_table(plan_.id), keys_equal("s", "p", keys_)));
  }

  // What became of each row stays beside the plan for as long as the plan does: for `row`, `undo`, and the
  // table eddy.row_outcomes.
  void keep_outcomes() {
    c_.execute(
        fmt::format("create or replace table {} as select number, case fate when {} then {} else fate end as "
                    "fate, attempts, "
                    "code, message, destination_id, created from eddy_fates",
                    outcome_table(header_.plan_id), fate_suspect, static_cast<int>(RowFate::in_doubt)));
    c_.query("delete from sync_db.main.deliveries where plan_id = ?", {Value::text(header_.plan_id)});
    c_.query("insert into sync_db.main.deliveries values (?, ?, ?, ?, ?)",
             {Value::text(header_.plan_id), Value::text(header_.run_id), Value::text(header_.sync),
              Value::text(format_utc(clock_.now())), Value::boolean(complete_)});
  }

  void put_rejects() {
    const std::string condition =
        fmt::format("p.fate in ({}, {}, {})", static_cast<int>(RowFate::rejected),
                    static_cast<int>(RowFate::in_doubt), static_cast<int>(RowFate::gave_up));
    if (complete_ && noted_ == 0) return;
    auto result =
        c_.stream(fmt::format("select {}, p.op::bigint, p.fate::bigint, p.attempts::bigint, p.code, "
                              "p.message, {}, {} from {} p order "
                              "by p.number",
                              key_json("p.", plan_.definition), payload_json("p.", "p.op", plan_.definition),
                              payload_hash("p.", "p.op", plan_.definition), fated(condition)));
    const std::string now = format_utc(clock_.now());
    std::vector<state::Reject> rejects;
    while (auto chunk = result.next()) {
      for (std::size_t r = 0; r < chunk->rows(); ++r) {
        const auto fate = static_cast<RowFate>(chunk->bigint(2, r));
        rejects.push_back({header_.sync, std::string(chunk->varchar(0, r)),
                           std::string(name_of(static_cast<Operation>(chunk->bigint(1, r)))),
                           fate == RowFate::gave_up ? "retry" : std::string(name_of(fate)),
                           std::string(chunk->varchar(4, r)), std::string(chunk->varchar(5, r)),
                           std::string(chunk->varchar(6, r)), std::string(chunk->varchar(7, r)), now, now,
                           header_.run_id, static_cast<int>(chunk->bigint(3, r)), 1, "open"});
      }
      if (rejects.size() < rejects_at_once) continue;
      session_.store().put_rejects(rejects);
      rejects.clear();
    }
    if (!rejects.empty()) session_.store().put_rejects(rejects);
    session_.store().park_rejects(header_.sync, plan_.reject_runs_max);
  }

  // Rows that have gone through since, and rows that need nothing any more.
  void settle_rejects() {
    if (plan_.settled > 0) settle(c_.stream("select key from " + settled_table(plan_.id)));
    const state::RejectQuery open{.sync = header_.sync};
    if (session_.store().count_rejects(open) == 0) return;
    c_.execute("create or replace temp table eddy_open(key varchar)");
    auto rows = c_.appender("temp", "main", "eddy_open");
    session_.store().each_reject(open, [&](const state::Reject& reject) {
      if (reject.run_id == header_.run_id) return;
      rows.append_text(reject.key);
      rows.end_row();
    });
    rows.close();
    settle(c_.stream(fmt::format("select o.key from eddy_open o join {} p on o.key = {}",
                                 fated(fmt::format("p.fate = {}", static_cast<int>(RowFate::applied))),
                                 key_json("p.", plan_.definition))));
  }

  void settle(engine::Result keys) {
    while (auto chunk = keys.next()) {
      std::vector<std::string> some;
      for (std::size_t r = 0; r < chunk->rows(); ++r) some.emplace_back(chunk->varchar(0, r));
      session_.store().settle_rejects(header_.sync, some);
    }
  }

  void forget_old() {
    const warehouse::History& history = session_.history();
    std::vector<std::filesystem::path> done;
    for (const auto& entry : std::filesystem::directory_iterator(file_.parent_path()))
      if (entry.path().extension() == ".done" || entry.path().extension() == ".forgotten")
        done.push_back(entry.path());
    std::sort(done.rbegin(), done.rend());
    for (std::size_t i = history.plans; i < done.size(); ++i) std::filesystem::remove(done[i]);
    forget_plans(c_, header_.sync, history.plans, history.before(clock_), {header_.plan_id});
  }

  warehouse::Session& session_;
  engine::Connection& c_;
  std::filesystem::path file_;
  Clock& clock_;
  const Checkpoint& before_;
  LedgerHeader header_;
  std::string digest_;
  Plan plan_;
  std::size_t keys_ = 0, values_ = 0;
  bool loaded_ = false;
  bool complete_ = false;    // each row of the plan has its verdict
  std::uint64_t noted_ = 0;  // rows of eddy_fates
};

std::vector<std::filesystem::path> left_ledgers(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  if (std::filesystem::exists(folder))
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ".ledger") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

[[noreturn]] void foreign(const std::filesystem::path& file, const LedgerHeader& header,
                          std::uint64_t epoch) {
  throw Error("sync.state_mismatch",
              fmt::format("sync {}: {} was written at epoch {}, but the snapshot stands at {}, so what was "
                          "delivered is not known; nothing was sent",
                          header.sync, file.string(), header.epoch, epoch),
              ways_out(header.sync));
}

}  // namespace

std::filesystem::path ledger_file(const warehouse::Session& session, const std::string& sync,
                                  const std::string& run_id) {
  return session.places().dot_eddy / "ledger" / sync / (run_id + ".ledger");
}

void fold(warehouse::Session& session, engine::Connection& connection, const std::filesystem::path& ledger,
          Clock& clock, const Checkpoint& before) {
  Folding folding(session, connection, ledger, clock, before);
  if (!folding.read()) {
    std::filesystem::remove(ledger);
    return;
  }
  const std::string& sync = folding.header().sync;
  const Standing standing = read_standing(connection, sync);
  const bool folded =
      standing.run_id == folding.header().run_id && standing.epoch == folding.header().epoch + 1;
  if (!folded && standing.epoch != folding.header().epoch) foreign(ledger, folding.header(), standing.epoch);
  if (folded)
    folding.complete_outcomes();
  else
    folding.into_snapshot(standing);
  folding.into_state();
  folding.set_aside();
}

Standing recover(warehouse::Session& session, engine::Connection& connection, const std::string& sync,
                 Clock& clock, const Checkpoint& before, Unfinished baseline) {
  session.store().check();  // before anything is concluded from it
  open_sync_database(session, connection);
  finish_reset(session, connection, sync);
  if (baseline == Unfinished::refused) check_no_baseline(session, sync);
  settle_snapshot(session, connection, sync);
  Standing standing = read_standing(connection, sync);
  const Agreement agreement = compare(sync, standing, session.store().sync_state(sync));
  const auto folder = ledger_file(session, sync, "x").parent_path();
  if (agreement == Agreement::snapshot_ahead &&
      !std::filesystem::exists(ledger_file(session, sync, standing.run_id)))
    throw Error("sync.state_mismatch",
                fmt::format("sync {}: the control database (.eddy/state.db) is older than the snapshot, and "
                            "the ledger of run {} is gone; nothing was sent",
                            sync, standing.run_id),
                ways_out(sync));
  for (const auto& ledger : left_ledgers(folder)) fold(session, connection, ledger, clock, before);
  return read_standing(connection, sync);
}

}  // namespace eddy::sync
