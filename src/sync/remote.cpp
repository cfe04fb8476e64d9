#include "sync/remote.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "sync/plan_sql.h"

namespace eddy::sync {

using engine::quote_identifier;
using engine::quote_literal;
using warehouse::Dialect;
using warehouse::OwnWarehouse;

namespace {

constexpr std::size_t name_bytes_max = 63;  // of PostgreSQL; others allow more

std::string snapshot_name(const std::string& sync) {
  std::string name = "snapshot_" + sync;
  if (name.size() + 4 > name_bytes_max) name = name.substr(0, 40) + "_" + sha256_hex(sync).substr(0, 12);
  return name;
}

std::size_t place_in(const std::vector<BoundColumn>& older, const BoundColumn& column) {
  const auto at =
      std::find_if(older.begin(), older.end(), [&](const BoundColumn& c) { return c.field == column.field; });
  return at == older.end() ? 0 : static_cast<std::size_t>(at - older.begin()) + 1;
}

std::uint64_t count(Dialect& dialect, const std::string& sql) {
  std::uint64_t out = 0;
  dialect.stream(sql, {Type::integer},
                 [&](const Row& row) { out = static_cast<std::uint64_t>(row[0].as_integer()); });
  return out;
}

nlohmann::ordered_json object_of(const std::vector<BoundColumn>& columns, const Row& cells) {
  auto out = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < columns.size(); ++i) out[columns[i].field] = cells.at(i).to_json();
  return out;
}

}  // namespace

std::vector<std::string> lettered(std::string_view letter, std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 1; i <= count; ++i) out.push_back(fmt::format("{}{}", letter, i));
  return out;
}

std::vector<Type> types_of(const std::vector<BoundColumn>& columns) {
  std::vector<Type> out;
  for (const BoundColumn& column : columns) out.push_back(column.type);
  return out;
}

bool EngineRows::next(Row& row) {
  while (!chunk_ || at_ == chunk_->rows()) {
    chunk_ = result_.next();
    at_ = 0;
    if (!chunk_) return false;
  }
  row.resize(chunk_->columns());
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = chunk_->value(i, at_);
  ++at_;
  return true;
}

std::string payload_text(const Definition& definition, const Row& key, const Row& fields) {
  const nlohmann::ordered_json out = {{"key", object_of(definition.key, key)},
                                      {"fields", object_of(definition.fields, fields)}};
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string remote_snapshot(const OwnWarehouse& own, const std::string& sync) {
  return quote_identifier(own.schema) + "." + quote_identifier(snapshot_name(sync));
}
std::string remote_syncs(const OwnWarehouse& own) { return quote_identifier(own.schema) + ".syncs"; }

bool remote_table_exists(Dialect& dialect, const std::string& schema, const std::string& table) {
  return count(dialect,
               fmt::format("select count(*) from information_schema.tables where table_schema = {} and "
                           "table_name = {}",
                           quote_literal(schema), quote_literal(table))) > 0;
}

std::string remote_desired(const Definition& d) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < d.key.size(); ++i)
    columns.push_back(fmt::format("{} as k{}", d.key[i].remote_key, i + 1));
  for (std::size_t i = 0; i < d.fields.size(); ++i)
    columns.push_back(fmt::format("{} as v{}", d.fields[i].remote, i + 1));
  return fmt::format("(select {} from {})", join(columns, ", "), model_relation(d.model, d.model_sql));
}

bool remote_same_columns(Dialect& dialect, const Standing& standing, const Definition& now) {
  const auto same = [](const std::vector<BoundColumn>& a, const std::vector<BoundColumn>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const BoundColumn& x, const BoundColumn& y) {
      return x.field == y.field && x.type == y.type;
    });
  };
  return standing.definition && standing.hash_algorithm == dialect.hash_algorithm() &&
         same(standing.definition->key, now.key) && same(standing.definition->fields, now.fields);
}

std::string remote_aligned(Dialect& dialect, const OwnWarehouse& own, const Standing& standing,
                           const Definition& now) {
  const Definition& then = standing.definition.value();
  std::vector<std::string> columns, suspect = {"row_hash = 0"};
  bool new_field = false;
  for (std::size_t i = 0; i < now.key.size(); ++i) {
    const std::size_t place = place_in(then.key, now.key[i]);
    columns.push_back(fmt::format(
        "{} as k{}", dialect.converted(fmt::format("k{}", place), then.key[place - 1].type, now.key[i].type),
        i + 1));
  }
  for (std::size_t i = 0; i < now.fields.size(); ++i) {
    const std::size_t place = place_in(then.fields, now.fields[i]);
    if (place == 0) {
      new_field = true;
      columns.push_back(fmt::format("{} as v{}", dialect.literal({}, now.fields[i].type), i + 1));
      continue;
    }
    const Type from = then.fields[place - 1].type, to = now.fields[i].type;
    const std::string old = fmt::format("v{}", place), value = dialect.converted(old, from, to);
    columns.push_back(fmt::format("{} as v{}", value, i + 1));
    if (value != old)
      suspect.push_back(fmt::format("{} is distinct from {}", dialect.converted(value, to, from), old));
  }
  columns.push_back(fmt::format("({}) as suspect, row_hash, delivered_at", join(suspect, " or ")));
  const std::string hash = fmt::format("case when suspect then 0 else {} end",
                                       dialect.hash(lettered("v", now.fields.size()), types_of(now.fields)));
  // Nothing is known of a field that was not delivered before, so every row is looked at.
  const std::string h = remote_same_columns(dialect, standing, now) ? "row_hash" : new_field ? "0" : hash;
  return fmt::format("(select a.*, {} as h, {} as r from (select {} from {}) a)", h, hash,
                     join(columns, ", "), remote_snapshot(own, now.sync));
}

Standing read_remote_standing(Dialect& dialect, const OwnWarehouse& own, const std::string& sync) {
  Standing out{0, first_checksum(sync), {}, {}, {}, {}, std::nullopt};
  if (!remote_table_exists(dialect, own.schema, "syncs")) return out;
  std::vector<Row> rows;
  dialect.stream(
      fmt::format(
          "select epoch, checksum, previous, run_id, plan_id, hash_algorithm, definition from {} where "
          "sync = {}",
          remote_syncs(own), quote_literal(sync)),
      {Type::integer, Type::text, Type::text, Type::text, Type::text, Type::text, Type::text},
      [&](const Row& row) { rows.push_back(row); });
  if (rows.empty()) return out;
  if (rows.size() > 1)
    throw Error("sync.state_mismatch",
                fmt::format("{} has two rows for sync {}; nothing was sent", remote_syncs(own), sync),
                "two projects share the schema: give one of them its own with `snapshot_schema` of the "
                "connection");
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

void write_remote_standing(Dialect& dialect, const OwnWarehouse& own, const std::string& sync,
                           const Standing& s, std::uint64_t known_epoch) {
  if (count(dialect, fmt::format("select count(*) from information_schema.schemata where schema_name = {}",
                                 quote_literal(own.schema))) == 0)
    dialect.execute(fmt::format("create schema {}", quote_identifier(own.schema)));
  if (!remote_table_exists(dialect, own.schema, "syncs"))
    dialect.execute(fmt::format(
        "create table {0}(sync {1} not null, epoch {2} not null, checksum {1} not null, previous {1} not "
        "null, "
        "run_id {1} not null, plan_id {1} not null, hash_algorithm {1} not null, definition {1} not null)",
        remote_syncs(own), dialect.kept_type(Type::text), dialect.kept_type(Type::integer)));
  const std::uint64_t replaced = dialect.execute(fmt::format(
      "delete from {} where sync = {} and epoch = {}", remote_syncs(own), quote_literal(sync), known_epoch));
  if ((known_epoch == 0) != (replaced == 0))
    throw Error(
        "sync.state_mismatch",
        fmt::format("sync {}: its row in {} was changed by somebody else; nothing was kept there", sync,
                    remote_syncs(own)),
        "let only one project keep this sync in that schema; `snapshot_schema` of the connection names "
        "another");
  dialect.execute(fmt::format("insert into {} values ({}, {}, {}, {}, {}, {}, {}, {})", remote_syncs(own),
                              quote_literal(sync), s.epoch, quote_literal(s.checksum),
                              quote_literal(s.previous), quote_literal(s.run_id), quote_literal(s.plan_id),
                              quote_literal(s.hash_algorithm),
                              quote_literal(s.definition ? to_json(*s.definition).dump() : "")));
}

std::string check_warehouse(const OwnWarehouse& own) {
  const auto dialect = own.open();
  if (own.snapshots == warehouse::Snapshots::outside)
    return dialect->identity() + ", only read: snapshots outside, in .eddy/sync.duckdb";
  check_rights_inside(*dialect, own);
  return fmt::format("{}, snapshots inside, in schema {}", dialect->identity(), own.schema);
}

void check_rights_inside(Dialect& dialect, const OwnWarehouse& own) {
  if (const auto missing = dialect.missing_right(own.schema))
    throw Error(
        "warehouse.no_right",
        fmt::format("what was delivered cannot be kept in the warehouse: {}", missing->what),
        fmt::format("let an owner run: {}; or, where Eddy may only read, write `snapshots: outside` in "
                    "connection `{}`",
                    missing->cure, own.connection));
}

}  // namespace eddy::sync
