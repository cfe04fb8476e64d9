#include "sync/resolve.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "sync/acknowledge.h"
#include "sync/fold.h"
#include "sync/plan_sql.h"
#include "sync/remote_snapshot.h"

namespace eddy::sync {

namespace {

constexpr std::size_t keys_at_once = 2'000;
constexpr std::size_t keys_per_read = 100;  // where the destination has no limit of its own
// After so long a request that was cut off is over at the destination, too.
constexpr std::chrono::seconds settled_after{60};

std::uint64_t count(engine::Connection& c, const std::string& sql) {
  return static_cast<std::uint64_t>(c.query(sql).scalar().as_integer());
}

// A value of a reject's payload, in the type of today; null when it has no place in it.
std::string from_payload(const char* part, const BoundColumn& column) {
  const std::string place = engine::quote_literal(
      fmt::format("/{}/{}", part, replace_all(replace_all(column.field, "~", "~0"), "/", "~1")));
  const std::string& type = column.engine_type;
  if (type == "VARCHAR") return fmt::format("json_extract_string(payload, {})", place);
  const bool nested = type.ends_with("]") || type.starts_with("STRUCT") || type.starts_with("MAP");
  return nested || type == "JSON"
             ? fmt::format("try_cast(json_extract(payload, {}) as {})", place, type)
             : fmt::format("try_cast(json_extract_string(payload, {}) as {})", place, type);
}

// The rows in doubt of one sync, as temp table eddy_doubt: key, operation, last_seen, found, k…, v….
class Doubtful {
 public:
  Doubtful(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec,
           const Definition& definition)
      : session_(session), c_(connection), spec_(spec), definition_(definition) {}
  ~Doubtful() {
    try {
      c_.execute("drop table if exists eddy_doubt_text; drop table if exists eddy_doubt");
    } catch (const Error&) {
      // Temporary anyway; the error that is on its way matters more.
    }
  }
  Doubtful(const Doubtful&) = delete;
  Doubtful& operator=(const Doubtful&) = delete;

  std::uint64_t take(const std::vector<std::string>& keys) {
    c_.execute(
        "create or replace temp table eddy_doubt_text(key varchar, operation varchar, last_seen varchar, "
        "payload varchar)");
    auto rows = c_.appender("temp", "main", "eddy_doubt_text");
    const auto append = [&](const state::Reject& reject) {
      rows.append_text(reject.key);
      rows.append_text(reject.operation);
      rows.append_text(reject.last_seen);
      rows.append_text(reject.payload);
      rows.end_row();
    };
    state::RejectQuery query{.sync = spec_.name, .outcome = "in_doubt"};
    if (keys.empty()) session_.store().each_reject(query, append);
    for (const std::string& key : keys) {
      query.key = key;
      session_.store().each_reject(query, append);
    }
    rows.close();
    std::vector<std::string> columns;
    for (std::size_t i = 0; i < definition_.key.size(); ++i)
      columns.push_back(fmt::format("{} as k{}", from_payload("key", definition_.key[i]), i + 1));
    for (std::size_t i = 0; i < definition_.fields.size(); ++i)
      columns.push_back(fmt::format("{} as v{}", from_payload("fields", definition_.fields[i]), i + 1));
    c_.execute(
        fmt::format("create or replace temp table eddy_doubt as select key, "
                    "operation, last_seen, false as found, {} from eddy_doubt_text order by key",
                    join(columns, ", ")));
    // A key that is none in today's type cannot be told apart from others: it stays in doubt.
    c_.execute("delete from eddy_doubt where " + any_key_null("", definition_.key.size()));
    return count(c_, "select count(*) from eddy_doubt");
  }

  // Those marked as found enter the snapshot, adds as rows, removes as holes.
  void believe(const std::string& run_id, Clock& clock) {
    bring_snapshot_home(session_, c_, spec_.name);
    const Standing standing = read_standing(c_, spec_.name);
    const std::size_t keys = definition_.key.size();
    const std::string known = standing.definition
                                  ? fmt::format("exists (select 1 from {} s where {})",
                                                aligned_snapshot(standing, definition_, hash_algorithm(c_)),
                                                keys_equal("s", "d", keys))
                                  : "false";
    const std::string values =
        definition_.fields.empty() ? "" : ", " + numbered("v", definition_.fields.size());
    const PlanRequest request{
        .kind = PlanKind::resolve,
        .resolved = fmt::format("(select case operation when 'add' then 0 else 2 end::utinyint as op, {}{} "
                                "from eddy_doubt d where found and ((operation = 'add' and not {}) "
                                "or (operation = 'remove' and {})))",
                                numbered("k", keys), values, known, known)};
    const Plan plan = make_plan(session_, c_, spec_, clock, request);
    acknowledge(session_, c_, plan, run_id, clock);
    each_key("found", [&](const std::vector<std::string>& some) {
      session_.store().settle_rejects(spec_.name, some);
    });
  }

  template <typename Action>
  void each_key(const std::string& condition, Action action) {
    auto rows = c_.query("select key from eddy_doubt where " + condition);
    std::vector<std::string> some;
    while (auto chunk = rows.next())
      for (std::size_t r = 0; r < chunk->rows(); ++r) {
        some.emplace_back(chunk->varchar(0, r));
        if (some.size() < keys_at_once) continue;
        action(some);
        some.clear();
      }
    if (!some.empty()) action(some);
  }

  // key, operation, last_seen, k… of the next rows by key.
  std::vector<Row> page(const std::string& behind, std::size_t rows) {
    return c_
        .query(fmt::format("select key, operation, last_seen, {} from eddy_doubt where key > ? order by key "
                           "limit {}",
                           numbered("k", definition_.key.size()), rows),
               {Value::text(behind)})
        .rows();
  }

  void mark(const std::vector<std::string>& keys) {
    if (keys.empty()) return;
    std::vector<std::string> quoted;
    for (const std::string& key : keys) quoted.push_back(engine::quote_literal(key));
    c_.execute(fmt::format("update eddy_doubt set found = true where key in ({})", join(quoted, ", ")));
  }

 private:
  warehouse::Session& session_;
  engine::Connection& c_;
  const SyncSpec& spec_;
  const Definition& definition_;
};

// Asks the destination for every row in doubt.
class LookingUp {
 public:
  LookingUp(Doubtful& doubtful, Reader& reader, Clock& clock)
      : doubtful_(doubtful), reader_(reader), clock_(clock) {}

  LookedUp look() {
    const std::size_t step = reader_.keys_max() == 0 ? keys_per_read : reader_.keys_max();
    std::string behind;
    while (true) {
      const std::vector<Row> rows = doubtful_.page(behind, step);
      if (rows.empty()) return out_;
      look_at(rows);
      behind = rows.back()[0].as_string();
    }
  }
  const std::vector<std::string>& absent() const { return absent_; }

 private:
  void look_at(const std::vector<Row>& rows) {
    std::vector<Row> keys;
    for (const Row& row : rows) keys.emplace_back(row.begin() + 3, row.end());
    const std::vector<Record> records = reader_.read(keys);
    std::vector<std::string> applied;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string& key = rows[i][0].as_string();
      const bool removes = rows[i][1].as_string() == "remove";
      const std::size_t matches = records.at(i).matches;
      if (matches > 1)
        ++out_.ambiguous;
      else if ((matches == 1) != removes)
        applied.push_back(key);
      else if (clock_.now() - parse_utc(rows[i][2].as_string()) < settled_after)
        ++out_.too_young;
      else
        absent_.push_back(key);
    }
    doubtful_.mark(applied);
    out_.found += applied.size();
    out_.absent = absent_.size();
  }

  Doubtful& doubtful_;
  Reader& reader_;
  Clock& clock_;
  LookedUp out_;
  std::vector<std::string> absent_;
};

}  // namespace

std::uint64_t resolve(warehouse::Session& session, const SyncSpec& spec, const std::vector<std::string>& keys,
                      Finding finding, const std::string& run_id, Clock& clock) {
  auto connection = session.connect();
  recover(session, connection, spec.name, clock);
  if (spec.mode != Mode::insert)
    throw Error("sync.nothing_in_doubt",
                fmt::format("sync {} may send a row twice without harm, and does so by itself when an answer "
                            "was lost; there is nothing to resolve",
                            spec.name),
                fmt::format("eddy run -s {}", node_name(spec)));
  const Definition definition = bind(session, connection, spec);
  Doubtful doubtful(session, connection, spec, definition);
  const std::uint64_t rows = doubtful.take(keys);
  if (rows == 0)
    throw Error("sync.nothing_in_doubt",
                keys.empty()
                    ? fmt::format("sync {} has no row in doubt", spec.name)
                    : fmt::format("sync {} has no row in doubt with the key {}", spec.name, keys.back()),
                fmt::format("eddy rejects {}", spec.name));
  if (finding == Finding::not_applied) {
    doubtful.each_key("true", [&](const std::vector<std::string>& some) {
      session.store().release_rejects(spec.name, some, "sync.not_applied",
                                      "somebody has looked: it was not applied");
    });
    return rows;
  }
  connection.execute("update eddy_doubt set found = true");
  doubtful.believe(run_id, clock);
  return rows;
}

LookedUp look_up_doubtful(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec,
                          Destination& destination, const std::string& run_id, Clock& clock) {
  LookedUp out;
  if (spec.mode != Mode::insert) return out;
  if (session.store().count_rejects({.sync = spec.name, .outcome = "in_doubt"}) == 0) return out;
  const Definition definition = bind(session, connection, spec);
  Doubtful doubtful(session, connection, spec, definition);
  std::vector<std::string> absent;
  try {
    const auto reader = destination.reader({spec.object, definition.key_schema(), {}, spec.options});
    if (!reader) {
      out.note = "records cannot be read by this key";
      return out;
    }
    LookingUp looking(doubtful, *reader, clock);
    doubtful.take({});
    out = looking.look();
    absent = looking.absent();
  } catch (const Error& error) {
    // They stay in doubt, and the run goes on with the others.
    out = {};
    out.note = error.message();
    return out;
  }
  for (std::size_t at = 0; at < absent.size(); at += keys_at_once)
    session.store().release_rejects(
        spec.name,
        {absent.begin() + static_cast<std::ptrdiff_t>(at),
         absent.begin() + static_cast<std::ptrdiff_t>(std::min(absent.size(), at + keys_at_once))},
        "sync.not_found", "looked up at the destination, where it is not");
  if (out.found > 0) doubtful.believe(run_id, clock);
  return out;
}

}  // namespace eddy::sync
