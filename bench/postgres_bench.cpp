#include <fmt/format.h>

#include <cstdlib>
#include <stdexcept>

#include "bench.h"
#include "connectors/postgres/destination.h"
#include "core/text.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/scratch.h"
#include "sync/apply.h"

namespace eddy::bench {
namespace {

constexpr const char* columns =
    "id bigint, email text, name text, city text, ltv double precision, orders integer, active boolean, "
    "signup date";

void psql(const testing::PostgresServer& server, const std::vector<std::string>& commands) {
  testing::Command command{.argv = {"psql", server.conninfo(), "-qX", "-v", "ON_ERROR_STOP=1"}};
  for (const std::string& sql : commands) command.argv.insert(command.argv.end(), {"-c", sql});
  const auto finished = testing::run(command);
  if (finished.exit_code != 0) throw std::runtime_error("psql: " + finished.err);
}

std::string model_sql(std::uint64_t rows) {
  return fmt::format(
      "select i as id, 'customer' || i || '@example.com' as email, 'Name ' || md5(i::varchar)[1:12] as name, "
      "['Prague','Paris','Lagos','Lima','Osaka'][1 + i % 5] as city, "
      "((i * 31 % 100000) / 100.0)::double as ltv, (i % 50)::integer as orders, i % 3 = 0 as active, (date "
      "'2020-01-01' + (i % 2000)::int)::date as signup from range({}) t(i)",
      rows);
}

}  // namespace

// First sync of 1 M rows × 8 columns: plan, delivery, a durable verdict for every row, fold; against psql's
// \copy and the same upsert.
std::vector<Line> postgres(double scale) {
  const auto rows = static_cast<std::uint64_t>(1'000'000 * scale);
  testing::PostgresServer server(testing::PostgresServer::Durability::real);
  const testing::Scratch scratch;
  const auto csv = scratch / "rows.csv";
  {
    auto db =
        engine::Database::in_memory({.memory_limit = "1GB", .spill_folder = scratch / "spill", .threads = 0});
    auto c = db.connect();
    c.execute(fmt::format("copy ({}) to {} (header)", model_sql(rows), engine::quote_literal(csv.string())));
  }
  const auto fresh_table = [&](const std::string& name) {
    psql(server, {fmt::format("drop table if exists {}", name),
                  fmt::format("create table {} ({}, primary key (id))", name, columns)});
  };
  const auto bare = [&] {
    psql(server, {fmt::format("create unlogged table stage ({})", columns),
                  fmt::format("\\copy stage from '{}' (format csv, header)", csv.string()),
                  "insert into bare select * from stage on conflict (id) do update set email = "
                  "excluded.email, name = excluded.name, city = excluded.city, ltv = excluded.ltv, "
                  "orders = excluded.orders, active = excluded.active, signup = excluded.signup",
                  "drop table stage"});
  };
  int round = 0;
  const auto ours = [&] {
    const auto folder = scratch / fmt::format("project-{}", round++);
    const warehouse::Places places{folder, folder / ".eddy", folder / "lake", folder / "warehouse.duckdb"};
    const auto store = state::Store::open(places.dot_eddy / "state.db");
    store->begin_run({"bench", "run", "", "running", "", "", ""});
    store->commit_model({"presentation.rows", "v1", "view:" + model_sql(rows), rows, "", "", "bench"});
    warehouse::Session session(places, *store,
                               {.memory_limit = "1GB", .spill_folder = folder / "spill", .threads = 0},
                               warehouse::Access::read);
    Diagnostics diagnostics;
    const auto spec = sync::parse_sync(
        "rows",
        config::parse(
            "model: presentation.rows\ndestination: pg\nobject: ours\nkey: {id: id}\nfields: {email: email, "
            "name: name, city: city, ltv: ltv, orders: orders, active: active, signup: signup}\n",
            "bench", config::no_variables(), diagnostics),
        diagnostics);
    const auto settings = config::parse(fmt::format("url: \"{}\"", server.conninfo()), "bench",
                                        config::no_variables(), diagnostics);
    diagnostics.throw_if_any();
    const Cancel cancel;
    const auto destination =
        connectors::postgres_destination().make(settings, {system_clock(), cancel, folder});
    const auto result =
        sync::run_sync(session, *spec, *destination, "bench", system_clock(), silent_progress(), cancel);
    if (result.tally.applied != rows)
      throw std::runtime_error(
          fmt::format("{} of {} rows applied ({})", result.tally.applied, rows, result.status));
  };
  const auto pair = alternate(3, ours, bare, [&] {
    fresh_table("ours");
    fresh_table("bare");
  });
  return {ratio_line(fmt::format("{} rows into PostgreSQL, first sync", with_commas(rows)), pair,
                     "\\copy + upsert", 0.6, false)};
}

}  // namespace eddy::bench
