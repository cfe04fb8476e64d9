#include <fmt/format.h>

#include <stdexcept>

#include "bench.h"
#include "connectors/postgres/destination.h"
#include "core/text.h"
#include "first_sync.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/scratch.h"

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

}  // namespace

// First sync of 1 M rows × 8 columns: plan, delivery, a durable verdict for every row, fold; against psql's
// \copy and the same upsert.
std::vector<Line> postgres(double scale) {
  const FirstSync first(static_cast<std::uint64_t>(1'000'000 * scale));
  testing::PostgresServer server(testing::PostgresServer::Durability::real);
  const testing::Scratch scratch;
  const auto csv = scratch / "rows.csv";
  first.write_csv(csv);
  const auto fresh_tables = [&] {
    for (const char* name : {"ours", "bare"})
      psql(server, {fmt::format("drop table if exists {}", name),
                    fmt::format("create table {} ({}, primary key (id))", name, columns)});
  };
  const auto bare = [&] {
    psql(server, {fmt::format("create unlogged table stage ({})", columns),
                  fmt::format("\\copy stage from '{}' (format csv, header)", csv.string()),
                  fmt::format("insert into bare select * from stage on conflict (id) do update set {}",
                              first.updates("{0} = excluded.{0}")),
                  "drop table stage"});
  };
  const Cancel cancel;
  const auto destination = connectors::postgres_destination().make(
      settings_of(fmt::format("url: \"{}\"", server.conninfo())), {system_clock(), cancel, scratch.path()});
  int round = 0;
  const auto pair = alternate(
      3, [&] { first.run(*destination, "ours", scratch / fmt::format("project-{}", round++)); }, bare,
      fresh_tables);
  fresh_tables();
  const Pair alone{first.deliver_only(*destination, "ours"), pair.bare};
  const std::string what = with_commas(first.rows) + " rows into PostgreSQL, ";
  return {ratio_line(what + "first sync", pair, "\\copy + upsert", 0.8, false),
          ratio_line(what + "the connector alone", alone, "\\copy + upsert", 0.8, false)};
}

}  // namespace eddy::bench
