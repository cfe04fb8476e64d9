#include "sync/remote_difference.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "sync/plan_sql.h"

namespace eddy::sync {

using warehouse::Dialect;
using warehouse::OwnWarehouse;
using warehouse::Purpose;

namespace {

constexpr std::size_t examples_max = 5;
constexpr std::uint64_t keys_at_once = 20'000;  // in one statement that asks for values

std::vector<Type> row_types(const Definition& d, bool values) {
  std::vector<Type> types = types_of(d.key);
  if (values)
    for (const BoundColumn& column : d.fields) types.push_back(column.type);
  return types;
}

// The columns of a temp table in the engine.
std::string declared(std::string_view letter, const std::vector<BoundColumn>& columns) {
  std::string out;
  for (std::size_t i = 0; i < columns.size(); ++i)
    out += fmt::format("{}{} {}, ", letter, i + 1, kept_engine_type(columns[i].type));
  return out;
}

std::vector<InvalidExample> null_keys(Dialect& dialect, const Definition& d, const std::string& desired,
                                      std::size_t rows_max) {
  std::vector<InvalidExample> out;
  const std::size_t keys = d.key.size(), values = d.fields.size();
  dialect.stream(
      fmt::format("select {}{} from {} d where {} limit {}", numbered("k", keys),
                  values == 0 ? "" : ", " + numbered("v", values), desired, any_key_null("", keys), rows_max),
      row_types(d, true), [&](const Row& row) {
        const auto at = row.begin() + static_cast<std::ptrdiff_t>(keys);
        out.push_back({"null_key", payload_text(d, {row.begin(), at}, {at, row.end()})});
      });
  return out;
}

class Inside {
 public:
  Inside(const OwnWarehouse& own, Dialect& dialect, engine::Connection& connection,
         const Definition& definition, const Standing& standing, Extent extent)
      : own_(own),
        dialect_(dialect),
        c_(connection),
        definition_(definition),
        standing_(standing),
        extent_(extent),
        keys_(definition.key.size()),
        values_(definition.fields.size()) {}

  Difference find() {
    desired_ = remote_desired(definition_);
    if (standing_.definition) snapshot_ = remote_aligned(dialect_, own_, standing_, definition_);
    count_source();
    make_table();
    if (out_.snapshot == 0) {
      first_run();
    } else {
      find_hits();
      drop_duplicates();
      for (const Row& row : rows(fmt::format("select cast(op as {}), count(*) from {} group by op",
                                             dialect_.kept_type(Type::integer), hits_),
                                 {Type::integer, Type::integer}))
        (row[0].as_integer() == 0   ? out_.added
         : row[0].as_integer() == 1 ? out_.changed
                                    : out_.removed) = static_cast<std::uint64_t>(row[1].as_integer());
      fetch_values();
    }
    out_.relation = "eddy_hits";
    return std::move(out_);
  }

 private:
  std::string keys(std::string_view prefix = "") const { return numbered(fmt::format("{}k", prefix), keys_); }
  std::string values(std::string_view prefix) const { return numbered(fmt::format("{}", prefix), values_); }
  bool all() const { return extent_ == Extent::all_rows; }
  bool keys_only() const { return definition_.mode == Mode::insert; }

  std::vector<Row> rows(const std::string& sql, const std::vector<Type>& types) {
    std::vector<Row> out;
    dialect_.stream(sql, types, [&](const Row& row) { out.push_back(row); });
    return out;
  }
  std::uint64_t count(const std::string& sql) {
    return static_cast<std::uint64_t>(rows(sql, {Type::integer}).at(0)[0].as_integer());
  }

  void count_source() {
    const std::vector<Row> counted =
        rows(fmt::format("select count(*), coalesce(sum(case when {} then 1 else 0 end), 0) from {} d",
                         any_key_null("", keys_), desired_),
             {Type::integer, Type::integer});
    out_.source = static_cast<std::uint64_t>(counted[0][0].as_integer());
    out_.null_key = static_cast<std::uint64_t>(counted[0][1].as_integer());
    if (standing_.definition)
      out_.snapshot = count("select count(*) from " + remote_snapshot(own_, definition_.sync));
    if (out_.null_key > 0) out_.examples = null_keys(dialect_, definition_, desired_, examples_max);
  }

  void make_table() {
    c_.execute(fmt::format("create or replace temp table eddy_hits(op utinyint, {}{}{}suspect boolean)",
                           declared("k", definition_.key), declared("v", definition_.fields),
                           declared("o", definition_.fields)));
  }

  // Everything is new: all rows leave, but those whose keys are doubled.
  void first_run() {
    const bool doubled =
        !rows(fmt::format("select count(*) from {} d where not {} group by {} having count(*) > 1 "
                          "limit 1",
                          desired_, any_key_null("", keys_), keys()),
              {Type::integer})
             .empty();
    if (doubled) list_duplicates();
    out_.added = out_.source - out_.null_key - out_.duplicate_key;
    const std::string without = doubled ? fmt::format(" and not exists (select 1 from {} x where {})",
                                                      duplicates_, keys_equal("d", "x", keys_))
                                        : "";
    auto appender = c_.appender("temp", "main", "eddy_hits");
    std::uint64_t arrived = 0;
    dialect_.stream(
        fmt::format("select {}{} from {} d where not {}{}", keys("d."),
                    values_ == 0 ? "" : ", " + values("d.v"), desired_, any_key_null("d.", keys_), without),
        row_types(definition_, true), [&](const Row& row) {
          appender.append_integer(0);
          for (const Value& value : row) appender.append(value);
          for (std::size_t i = 0; i < values_; ++i) appender.append_null();
          appender.append(Value::boolean(false));
          appender.end_row();
          ++arrived;
        });
    appender.close();
    if (arrived != out_.added) unstable();
  }

  void find_hits() {
    std::vector<std::string> either;
    for (std::size_t i = 1; i <= keys_; ++i)
      either.push_back(fmt::format("coalesce(d.k{0}, s.k{0}) as k{0}", i));
    const bool compare = !keys_only() && !all();
    hits_ = dialect_.scratch(
        "eddy_hits",
        fmt::format(
            "select case when d.k1 is null then 2 when s.k1 is null then 0 else 1 end as op, {either} "
            "from (select {keys}{hash} from {desired} m where not {null}) d "
            "full outer join (select {keys}, h from {snapshot} a) s on {equal} where {wanted}",
            fmt::arg("either", join(either, ", ")), fmt::arg("keys", keys()),
            fmt::arg(
                "hash",
                compare ? ", " + dialect_.hash(lettered("v", values_), types_of(definition_.fields)) + " as h"
                        : ""),
            fmt::arg("desired", desired_), fmt::arg("null", any_key_null("", keys_)),
            fmt::arg("snapshot", snapshot_), fmt::arg("equal", keys_equal("d", "s", keys_)),
            fmt::arg("wanted", all() ? "d.k1 is not null"
                                     : std::string("d.k1 is null or s.k1 is null") +
                                           (compare ? " or d.h <> s.h" : ""))));
  }

  // As in difference.cpp: among the rows that met the snapshot a key is doubled exactly when more rows of the
  // model than of the snapshot have met.
  void drop_duplicates() {
    const std::uint64_t added = count(fmt::format("select count(*) from {} where op = 0", hits_));
    const std::uint64_t removed = count(fmt::format("select count(*) from {} where op = 2", hits_));
    const auto doubled = [&](std::string_view where) {
      return !rows(fmt::format("select count(*) from {} {} group by {} having count(*) > 1 limit 1", hits_,
                               where, keys()),
                   {Type::integer})
                  .empty();
    };
    const bool among_met =
        all() ? doubled("") : out_.source - out_.null_key - added != out_.snapshot - removed;
    if (!among_met && !(added > 1 && doubled("where op = 0"))) return;
    list_duplicates();
    dialect_.execute(fmt::format("delete from {} as h where exists (select 1 from {} x where {})", hits_,
                                 duplicates_, keys_equal("h", "x", keys_)));
  }

  void list_duplicates() {
    duplicates_ = dialect_.scratch(
        "eddy_duplicates", fmt::format("select {0}, count(*) as n from {1} d where not {2} group by {0} "
                                       "having count(*) > 1",
                                       keys(), desired_, any_key_null("", keys_)));
    out_.duplicate_key = count(fmt::format("select coalesce(sum(n), 0) from {}", duplicates_));
    std::vector<Type> types = types_of(definition_.key);
    types.push_back(Type::integer);
    for (const Row& row : rows(fmt::format("select {0}, n from {1} order by n desc, {0} limit {2}", keys(),
                                           duplicates_, examples_max),
                               types)) {
      std::string key;
      for (std::size_t i = 0; i < keys_; ++i) key += (i == 0 ? "" : ",") + row[i].to_json().dump();
      out_.examples.push_back(
          {"duplicate_key", fmt::format("{{\"key\":[{}],\"rows\":{}}}", key, row.back().as_integer())});
    }
  }

  void fetch_values() {
    const std::uint64_t hits = out_.added + out_.changed + out_.removed;
    if (hits == 0) return;
    std::vector<Type> types = {Type::integer};
    for (const Type type : row_types(definition_, true)) types.push_back(type);
    for (const BoundColumn& column : definition_.fields) types.push_back(column.type);
    types.push_back(Type::boolean);
    std::string cells = keys("h.");
    if (values_ > 0) cells += ", " + values("d.v") + ", " + values("s.v");
    auto appender = c_.appender("temp", "main", "eddy_hits");
    std::uint64_t arrived = 0;
    dialect_.stream(
        fmt::format(
            "select h.op, {}, coalesce(s.suspect, false) from {} h left join (select d.*, 1 as met from {} "
            "d) d on h.op < 2 and {} left join {} s on h.op > 0 and {} where h.op = 2 or d.met = 1",
            cells, hits_, desired_, keys_equal("h", "d", keys_), snapshot_, keys_equal("h", "s", keys_)),
        types, [&](const Row& row) {
          for (std::size_t i = 0; i + 1 < row.size(); ++i) appender.append(row[i]);
          appender.append(all() ? Value::boolean(true) : row.back());
          appender.end_row();
          ++arrived;
        });
    appender.close();
    if (arrived != hits) unstable();
  }

  [[noreturn]] void unstable() const {
    throw Error(
        "sync.model_unstable",
        fmt::format("{} gave different rows when it was read twice; nothing was planned", definition_.model),
        "remove what changes from call to call (random(), clock_timestamp()), or make it a table");
  }

  const OwnWarehouse& own_;
  Dialect& dialect_;
  engine::Connection& c_;
  const Definition& definition_;
  const Standing& standing_;
  const Extent extent_;
  const std::size_t keys_, values_;
  std::string desired_, snapshot_, hits_, duplicates_;  // SQL of the warehouse
  Difference out_;
};

}  // namespace

Difference find_difference_inside(const OwnWarehouse& own, engine::Connection& connection,
                                  const Definition& definition, const Standing& standing, Extent extent) {
  const auto dialect = own.open();
  Difference out;
  dialect->transaction(Purpose::plan,
                       [&] { out = Inside(own, *dialect, connection, definition, standing, extent).find(); });
  return out;
}

std::string RemoteModel::select(bool values) const {
  const std::size_t count = definition_.fields.size();
  return fmt::format("select {}{}, {} as h from {} d", numbered("k", definition_.key.size()),
                     values && count > 0 ? ", " + numbered("v", count) : "",
                     dialect_.hash(lettered("v", count), types_of(definition_.fields)),
                     remote_desired(definition_));
}

std::uint64_t RemoteModel::bring(const std::string& table, const std::string& sql, bool values) {
  std::vector<Type> types = row_types(definition_, values);
  types.push_back(Type::integer);
  auto appender = c_.appender("temp", "main", table);
  std::uint64_t arrived = 0;
  dialect_.stream(sql, types, [&](const Row& row) {
    for (const Value& value : row) appender.append(value);
    appender.end_row();
    ++arrived;
  });
  appender.close();
  return arrived;
}

void RemoteModel::bring_keys() {
  c_.execute(
      fmt::format("create or replace temp table eddy_desired({}h bigint)", declared("k", definition_.key)));
  bring("eddy_desired", select(false), false);
}

void RemoteModel::bring_rows() {
  c_.execute(fmt::format("create or replace temp table eddy_desired({}{}h bigint)",
                         declared("k", definition_.key), declared("v", definition_.fields)));
  bring("eddy_desired", select(true), true);
}

void RemoteModel::bring_rows_of(const std::string& typed) {
  const auto list = nlohmann::json::parse(typed, nullptr, false);
  const bool is_list = list.is_array() && list.size() == definition_.key.size();
  if (!is_list && definition_.key.size() > 1)
    throw Error("sync.row_unknown", "the key has several parts", R"(write them as JSON: '["a", 1]')");
  std::vector<std::string> equal;
  for (std::size_t i = 0; i < definition_.key.size(); ++i) {
    const std::string text = !is_list              ? typed
                             : list[i].is_string() ? list[i].get<std::string>()
                                                   : list[i].dump();
    equal.push_back(
        fmt::format("a.k{} = {}", i + 1, dialect_.literal(Value::text(text), definition_.key[i].type)));
  }
  c_.execute(fmt::format("create or replace temp table eddy_desired({}{}h bigint)",
                         declared("k", definition_.key), declared("v", definition_.fields)));
  bring("eddy_desired", fmt::format("select a.* from ({}) a where {}", select(true), join(equal, " and ")),
        true);
}

void RemoteModel::bring_hits(std::uint64_t rows, std::uint64_t source) {
  const std::string columns =
      fmt::format("({}{}h bigint)", declared("k", definition_.key), declared("v", definition_.fields));
  c_.execute("create or replace temp table eddy_new" + columns);
  if (rows == 0) return;
  const std::size_t keys = definition_.key.size();
  // Each statement reads the model once. Beyond some statements it is cheaper to let all rows come.
  if (rows > 10 * keys_at_once || rows > source / 5 + keys_at_once) {
    c_.execute("create or replace temp table eddy_all" + columns);
    bring("eddy_all", select(true), true);
    c_.execute(
        fmt::format("insert into eddy_new select a.* from eddy_all a where exists (select 1 from eddy_hits h "
                    "where h.op < 2 and {}); drop table eddy_all",
                    keys_equal("h", "a", keys)));
    return;
  }
  const std::string lettered_keys = numbered("k", keys);
  auto hits = c_.query(fmt::format("select {} from eddy_hits where op < 2", lettered_keys));
  const auto ask = [&](const std::vector<std::string>& wanted) {
    bring("eddy_new",
          fmt::format("select a.* from ({}) a join (values {}) as w({}) on {}", select(true),
                      join(wanted, ", "), lettered_keys, keys_equal("a", "w", keys)),
          true);
  };
  std::vector<std::string> wanted;
  while (auto chunk = hits.next())
    for (std::size_t r = 0; r < chunk->rows(); ++r) {
      std::vector<std::string> cells;
      for (std::size_t i = 0; i < keys; ++i)
        cells.push_back(dialect_.literal(chunk->value(i, r), definition_.key[i].type));
      wanted.push_back("(" + join(cells, ", ") + ")");
      if (wanted.size() < keys_at_once) continue;
      ask(wanted);
      wanted.clear();
    }
  if (!wanted.empty()) ask(wanted);
}

std::vector<InvalidExample> RemoteModel::null_key_examples(std::size_t rows_max) {
  return null_keys(dialect_, definition_, remote_desired(definition_), rows_max);
}

}  // namespace eddy::sync
