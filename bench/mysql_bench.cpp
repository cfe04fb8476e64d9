#include <fmt/format.h>

#include <stdexcept>

#include "bench.h"
#include "connectors/mysql/destination.h"
#include "core/text.h"
#include "first_sync.h"
#include "support/mariadb_server.h"
#include "support/scratch.h"

namespace eddy::bench {
namespace {
constexpr const char* columns =
    "id bigint, email varchar(255), name varchar(255), city varchar(255), ltv double, orders int, active "
    "boolean, signup date";
}

// First sync of 1 M rows × 8 columns into MariaDB: plan, delivery, a durable verdict for every row, fold;
// against the mariadb client's LOAD DATA LOCAL INFILE and the same upsert.
std::vector<Line> mysql(double scale) {
  const FirstSync first(static_cast<std::uint64_t>(1'000'000 * scale));
  const testing::MariadbServer server(testing::MariadbServer::Durability::real);
  const testing::Scratch scratch;
  const auto csv = scratch / "rows.csv";
  first.write_csv(csv);
  const auto fresh_tables = [&] {
    for (const char* name : {"ours", "bare"})
      server.sql(
          fmt::format("drop table if exists {0}; create table {0} ({1}, primary key (id))", name, columns));
  };
  const auto bare = [&] {
    server.sql(
        fmt::format("create table stage ({}); load data local infile '{}' into table stage fields terminated "
                    "by ',' optionally "
                    "enclosed by '\"' ignore 1 lines ({}) set active = @active = 'true'; insert into bare "
                    "select * from stage on "
                    "duplicate key update {}; drop table stage;",
                    columns, csv.string(), replace_all(first.columns_sql, "active", "@active"),
                    first.updates("{0} = values({0})")));
  };
  const Cancel cancel;
  const auto destination = connectors::mysql_destination().make(
      settings_of(fmt::format("{{host: {}, port: {}, database: {}, user: {}, password: {}}}", server.host(),
                              server.port(), server.database(), server.user(), server.password())),
      {system_clock(), cancel, scratch.path()});
  int round = 0;
  const auto pair = alternate(
      3, [&] { first.run(*destination, "ours", scratch / fmt::format("project-{}", round++)); }, bare,
      fresh_tables);
  bare();
  const std::string sums = "select count(*), sum(active), sum(id), min(email), sum(ltv), max(signup) from ";
  if (server.sql(sums + "bare") != server.sql(sums + "ours"))
    throw std::runtime_error("the two tables differ");
  fresh_tables();
  const Pair alone{first.deliver_only(*destination, "ours"), pair.bare};
  const std::string what = with_commas(first.rows) + " rows into MariaDB, ";
  return {ratio_line(what + "first sync", pair, "LOAD DATA + upsert", 0.7, false),
          ratio_line(what + "the connector alone", alone, "LOAD DATA + upsert", 0.7, false)};
}

}  // namespace eddy::bench
