#include "sync/remote_snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "sync/plan_sql.h"

namespace eddy::sync {

using warehouse::Dialect;
using warehouse::OwnWarehouse;
using warehouse::Purpose;
using warehouse::Snapshots;

namespace {

// What state.db says of the place. `leaving`: outside, and the rows inside are still to be dropped.
constexpr std::string_view inside = "inside", outside = "outside", leaving = "leaving";

// The checksum of the standing that was left behind inside.
std::string left_fact(const std::string& sync) { return "sync.snapshot_left." + sync; }
std::string place_fact(const std::string& sync) { return "sync.snapshots." + sync; }

void drop_local(engine::Connection& c, const std::string& sync) {
  c.execute("drop table if exists " + snapshot_table(sync));
}

std::vector<Type> snapshot_types(const Definition& d) {
  std::vector<Type> types = types_of(d.key);
  for (const BoundColumn& column : d.fields) types.push_back(column.type);
  types.push_back(Type::integer);    // row_hash
  types.push_back(Type::timestamp);  // delivered_at
  return types;
}

std::string snapshot_columns(const Definition& d) {
  return numbered("k", d.key.size()) + (d.fields.empty() ? "" : ", " + numbered("v", d.fields.size())) +
         ", row_hash, delivered_at";
}

std::string engine_columns(const Definition& d) {
  std::string out;
  for (std::size_t i = 0; i < d.key.size(); ++i)
    out += fmt::format("k{} {} not null, ", i + 1, kept_engine_type(d.key[i].type));
  for (std::size_t i = 0; i < d.fields.size(); ++i)
    out += fmt::format("v{} {}, ", i + 1, kept_engine_type(d.fields[i].type));
  return out + "row_hash ubigint not null, delivered_at timestamp not null";
}

// Rows and a checksum over all of them, in any order.
std::string checksum(engine::Connection& c, const std::string& table, const Definition& d) {
  const Row row =
      c.query(fmt::format("select count(*)::varchar || ' rows, ' || coalesce(sum(hash({})), 0)::varchar "
                          "from {}",
                          snapshot_columns(d), table))
          .rows()
          .front();
  return row[0].as_string();
}

[[noreturn]] void move_failed(const std::string& sync, const std::string& from, const std::string& to) {
  throw Error(
      "sync.move_failed",
      fmt::format("sync {}: its snapshot was moved, but what arrived ({}) is not what was sent ({}); it "
                  "stays where it was",
                  sync, to, from),
      "please report this; until then write `snapshots:` of the connection as it was");
}

// All rows from the warehouse into a table of the engine.
void fetch(Dialect& dialect, const OwnWarehouse& own, engine::Connection& c, const Definition& d,
           std::string_view catalog, std::string_view schema, const std::string& table) {
  auto rows = c.appender(catalog, schema, table);
  dialect.stream(fmt::format("select {} from {}", snapshot_columns(d), remote_snapshot(own, d.sync)),
                 snapshot_types(d), [&](const Row& row) {
                   for (const Value& value : row) rows.append(value);
                   rows.end_row();
                 });
  rows.close();
}

// As the kept forms have them: of decimals in keys the zeros at the end go.
std::string kept_cells(const Definition& d) {
  std::vector<std::string> out;
  const auto add = [&](std::string_view letter, const std::vector<BoundColumn>& columns) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      std::string cell = fmt::format("{}{}", letter, i + 1);
      if (columns[i].type == Type::decimal && letter == "k")
        cell = fmt::format(
            "case when {0}::varchar like '%.%' then rtrim(rtrim({0}::varchar, '0'), '.') else "
            "{0}::varchar end",
            cell);
      out.push_back(
          fmt::format("cast({} as {}) as {}{}", cell, kept_engine_type(columns[i].type), letter, i + 1));
    }
  };
  add("k", d.key);
  add("v", d.fields);
  return join(out, ", ");
}

// What stands there already is older, of this very history, or somebody else's.
void check_ours(const OwnWarehouse& own, state::Store& store, const std::string& sync, const Standing& there,
                const Standing& ours) {
  if (there.epoch == 0 || there.checksum == ours.checksum || there.checksum == store.fact(left_fact(sync)))
    return;
  throw Error(
      "sync.state_mismatch",
      fmt::format("sync {}: {} has a row of another project for a sync of this name; nothing was moved and "
                  "nothing was sent",
                  sync, remote_syncs(own)),
      fmt::format("rename syncs/{}.yml, or give this project a schema of its own with `snapshot_schema` of "
                  "connection `{}`",
                  sync, own.connection));
}

// The rows of the engine's table `eddy_leaving` into a new table there, and back again to be compared.
void copy_rows_in(const OwnWarehouse& own, Dialect& dialect, engine::Connection& c, const Definition& d) {
  const std::string table = remote_snapshot(own, d.sync);
  std::string columns;
  for (std::size_t i = 0; i < d.key.size(); ++i)
    columns += fmt::format("k{} {} not null, ", i + 1, dialect.kept_type(d.key[i].type));
  for (std::size_t i = 0; i < d.fields.size(); ++i)
    columns += fmt::format("v{} {}, ", i + 1, dialect.kept_type(d.fields[i].type));
  dialect.execute(fmt::format("create table {}({}row_hash {} not null, delivered_at {} not null)", table,
                              columns, dialect.kept_type(Type::integer), dialect.kept_type(Type::timestamp)));
  {
    auto result = c.stream("select * replace (row_hash::bigint as row_hash) from eddy_leaving");
    EngineRows rows(result);
    dialect.load(table, [&](Row& row) { return rows.next(row); });
  }
  c.execute(fmt::format("create or replace temp table eddy_arrived({})", engine_columns(d)));
  fetch(dialect, own, c, d, "temp", "main", "eddy_arrived");
  if (const std::string sent = checksum(c, "eddy_leaving", d), arrived = checksum(c, "eddy_arrived", d);
      sent != arrived)
    move_failed(d.sync, sent, arrived);
}

void copy_in(const OwnWarehouse& own, state::Store& store, engine::Connection& c, const std::string& sync,
             const Standing& standing) {
  const auto dialect = own.open();
  check_rights_inside(*dialect, own);
  dialect->transaction(Purpose::write, [&] {
    const Standing there = read_remote_standing(*dialect, own, sync);
    check_ours(own, store, sync, there, standing);
    write_remote_standing(*dialect, own, sync, standing, there.epoch);
    dialect->execute("drop table if exists " + remote_snapshot(own, sync));
    if (!standing.definition) return;
    // A hash of the engine's own has 64 bits; it says nothing there, and any other number does as well.
    c.execute(
        fmt::format("create or replace temp table eddy_leaving as select {}, (row_hash & "
                    "9223372036854775807)::ubigint as row_hash, delivered_at from {}",
                    kept_cells(*standing.definition), snapshot_table(sync)));
    copy_rows_in(own, *dialect, c, *standing.definition);
  });
  c.execute("drop table if exists eddy_leaving; drop table if exists eddy_arrived");
}

// Returns the checksum of the standing.
std::string copy_out(const OwnWarehouse& own, engine::Connection& c, const std::string& sync) {
  const auto dialect = own.open();
  Standing standing;
  dialect->transaction(Purpose::read, [&] {
    standing = read_remote_standing(*dialect, own, sync);
    engine::Transaction transaction(c);
    drop_local(c, sync);
    if (standing.definition) {
      const Definition& d = *standing.definition;
      std::string there;
      dialect->stream(fmt::format("select count(*), cast(coalesce(sum(row_hash), 0) as {}) from {}",
                                  dialect->kept_type(Type::decimal), remote_snapshot(own, sync)),
                      {Type::integer, Type::decimal},
                      [&](const Row& row) { there = row[0].to_text() + " rows, " + row[1].to_text(); });
      c.execute(fmt::format("create table {}({})", snapshot_table(sync), engine_columns(d)));
      fetch(*dialect, own, c, d, "sync_db", "snapshot", sync);
      const Row row = c.query(fmt::format("select count(*)::varchar || ' rows, ' || coalesce(sum(row_hash), "
                                          "0)::varchar from {}",
                                          snapshot_table(sync)))
                          .rows()
                          .front();
      if (row[0].as_string() != there) move_failed(sync, there, row[0].as_string());
    }
    if (standing.epoch > 0) write_standing(c, sync, standing);
    transaction.commit();
  });
  return standing.checksum;
}

void drop_inside(const OwnWarehouse& own, const std::string& sync) {
  const auto dialect = own.open();
  if (!remote_table_exists(*dialect, own.schema, "syncs")) return;
  dialect->transaction(Purpose::write, [&] {
    dialect->execute("drop table if exists " + remote_snapshot(own, sync));
    dialect->execute(
        fmt::format("delete from {} where sync = {}", remote_syncs(own), engine::quote_literal(sync)));
  });
}

bool wants_inside(const warehouse::Session& session) { return session.own()->snapshots == Snapshots::inside; }

bool same(const Standing& a, const Standing& b) {
  return a.epoch == b.epoch && a.checksum == b.checksum && a.hash_algorithm == b.hash_algorithm;
}

// Everybody else reads the standing from .eddy/sync.duckdb.
void copy_standing(const OwnWarehouse& own, engine::Connection& c, const std::string& sync, bool known) {
  const auto dialect = own.open();
  check_rights_inside(*dialect, own);
  const Standing there = read_remote_standing(*dialect, own, sync);
  if (same(there, read_standing(c, sync))) return;
  if (!known)
    throw Error(
        "sync.state_mismatch",
        fmt::format("sync {}: {} of connection `{}` has a row for it, and this project knows nothing of it; "
                    "nothing was sent",
                    sync, remote_syncs(own), own.connection),
        fmt::format("if another project keeps a sync of this name there, give this one a schema of its own "
                    "with `snapshot_schema` of the connection; if the folder .eddy was lost, restore it, or "
                    "`eddy sync reset {}`: what was delivered is forgotten",
                    sync));
  engine::Transaction transaction(c);
  if (there.epoch == 0)
    c.query("delete from sync_db.main.syncs where sync = ?", {Value::text(sync)});
  else
    write_standing(c, sync, there);
  transaction.commit();
}

}  // namespace

bool keeps_inside(warehouse::Session& session, engine::Connection& c, const std::string& sync) {
  if (session.own() == nullptr) return false;
  if (const auto fact = session.store().fact(place_fact(sync))) return *fact == inside;
  return wants_inside(session) && read_standing(c, sync).epoch == 0;
}

void note_place(warehouse::Session& session, const std::string& sync, bool is_inside) {
  if (session.own() != nullptr)
    session.store().put_fact(place_fact(sync), std::string(is_inside ? inside : outside));
}

void settle_snapshot(warehouse::Session& session, engine::Connection& c, const std::string& sync) {
  state::Store& store = session.store();
  const std::optional<std::string> fact = store.fact(place_fact(sync));
  if (session.own() == nullptr) {
    if (!fact || *fact != inside) return;
    throw Error(
        "sync.snapshot_elsewhere",
        fmt::format("sync {}: what it has delivered is kept in the warehouse that this project had, and "
                    "eddy.yml names none any more",
                    sync),
        "put `warehouse:` back, run once with `snapshots: outside` in its connection, and then take it out; "
        "or `eddy sync reset " +
            sync + "`");
  }
  if (keeps_inside(session, c, sync)) {
    drop_local(c, sync);
    copy_standing(*session.own(), c, sync, fact.has_value());
  } else if (fact && *fact == leaving) {
    try {
      drop_inside(*session.own(), sync);
    } catch (const Error&) {
      // The rights to write there may be gone already. What stays is replaced when the snapshot comes back.
    }
    store.put_fact(place_fact(sync), std::string(outside));
  }
}

void move_snapshot(warehouse::Session& session, engine::Connection& c, const std::string& sync,
                   const std::function<void(std::string_view)>& before) {
  if (session.own() == nullptr) return;
  const auto step = [&](std::string_view name) {
    if (before) before(name);
  };
  const OwnWarehouse& own = *session.own();
  state::Store& store = session.store();
  const bool is_inside = keeps_inside(session, c, sync);
  if (is_inside == wants_inside(session)) return;
  if (is_inside) {
    store.put_fact(left_fact(sync), copy_out(own, c, sync));
    step("place");
    store.put_fact(place_fact(sync), std::string(leaving));
  } else {
    copy_in(own, store, c, sync, read_standing(c, sync));
    step("place");
    store.put_fact(place_fact(sync), std::string(inside));
  }
  step("empty");
  settle_snapshot(session, c, sync);
}

void bring_snapshot_home(warehouse::Session& session, engine::Connection& c, const std::string& sync) {
  if (!keeps_inside(session, c, sync)) return;
  const auto dialect = session.own()->open();
  dialect->transaction(Purpose::read, [&] {
    const Standing standing = read_remote_standing(*dialect, *session.own(), sync);
    drop_local(c, sync);
    if (!standing.definition) return;
    c.execute(fmt::format("create table {}({})", snapshot_table(sync), engine_columns(*standing.definition)));
    fetch(*dialect, *session.own(), c, *standing.definition, "sync_db", "snapshot", sync);
  });
}

Standing kept_standing(warehouse::Session& session, engine::Connection& c, const std::string& sync) {
  if (!keeps_inside(session, c, sync)) return read_standing(c, sync);
  return read_remote_standing(*session.own()->open(), *session.own(), sync);
}

std::uint64_t kept_rows(warehouse::Session& session, engine::Connection& c, const std::string& sync) {
  if (!kept_standing(session, c, sync).definition) return 0;
  if (!keeps_inside(session, c, sync))
    return static_cast<std::uint64_t>(
        c.query("select count(*) from " + snapshot_table(sync)).scalar().as_integer());
  std::uint64_t rows = 0;
  session.own()->open()->stream(
      "select count(*) from " + remote_snapshot(*session.own(), sync), {Type::integer},
      [&](const Row& row) { rows = static_cast<std::uint64_t>(row[0].as_integer()); });
  return rows;
}

void forget_inside(warehouse::Session& session, engine::Connection& c, const std::string& sync,
                   const Standing& next) {
  if (!keeps_inside(session, c, sync)) return;
  const OwnWarehouse& own = *session.own();
  const auto dialect = own.open();
  dialect->transaction(Purpose::write, [&] {
    write_remote_standing(*dialect, own, sync, next, read_remote_standing(*dialect, own, sync).epoch);
    dialect->execute("drop table if exists " + remote_snapshot(own, sync));
  });
  note_place(session, sync, true);
}

}  // namespace eddy::sync
