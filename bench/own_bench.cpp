// A plan inside a PostgreSQL warehouse of the user's own, against the bare diff in the same database: a full
// outer join of the model with the keys and hashes of what was delivered before.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "bench.h"
#include "core/text.h"
#include "support/postgres_server.h"
#include "support/scratch.h"
#include "sync/apply.h"
#include "sync/reset.h"
#include "warehouse/postgres/dialect.h"

namespace eddy::bench {
namespace {

constexpr const char* fields = "email, name, city, ltv, orders, active, signup, updated_at";

// 1 % of the rows changed, 0.1 % gone, 0.1 % new against the rows delivered before.
void fill(const testing::PostgresServer& server, std::uint64_t rows) {
  server.sql(fmt::format(
      "create schema crm; create table crm.rows as select i::bigint as id, 'customer' || i || '@example.com' "
      "as "
      "email, 'Name ' || substr(md5(i::text), 1, 12) as name, "
      "(array['Prague','Paris','Lagos','Lima','Osaka'])[1 "
      "+ i % 5] as city, i * 0.25::float8 as ltv, i % 50 as orders, i % 3 = 0 as active, date '2020-01-01' + "
      "i % "
      "2000 as signup, timestamp '2024-01-01' + i % 30000000 * interval '1 second' as updated_at from "
      "generate_series(1, {}) i; alter table crm.rows add primary key (id); vacuum analyze crm.rows; "
      "create table crm.bare as select id, hash_record_extended(row({}), 0) as h from crm.rows; "
      "vacuum analyze crm.bare",
      rows, fields));
}

void change(const testing::PostgresServer& server, std::uint64_t rows) {
  server.sql(
      fmt::format("update crm.rows set ltv = id + 0.5 where id % 100 = 7; delete from crm.rows where id <= "
                  "{0} / 1000; insert into crm.rows select id + {0}, email, name, city, ltv, orders, active, "
                  "signup, updated_at from crm.rows where id <= 2 * ({0} / 1000); vacuum analyze crm.rows",
                  rows));
}

std::string bare_diff() {
  return fmt::format(
      "select op, count(*) from (select case when p.id is null then 1 when c.id is null then 3 else 2 end as "
      "op "
      "from (select id, hash_record_extended(row({}), 0) as h from crm.rows) c full outer join crm.bare p on "
      "c.id = "
      "p.id where p.id is null or c.id is null or c.h <> p.h) d group by op",
      fields);
}

sync::SyncSpec rows_sync() {
  Diagnostics diagnostics;
  auto spec = sync::parse_sync(
      "rows",
      config::parse(
          "model: crm.rows\ndestination: d\nobject: rows\nkey: {id: id}\nremoved: delete\nguards: "
          "{first_run: 0}\nfields: {email: email, name: name, city: city, ltv: ltv, orders: orders, "
          "active: active, signup: signup, updated_at: updated_at}\n",
          "bench", config::no_variables(), diagnostics),
      diagnostics);
  diagnostics.throw_if_any();
  return *spec;
}

}  // namespace

std::vector<Line> own(double scale) {
  if (!testing::PostgresServer::installed()) throw std::runtime_error("install the package `postgresql`");
  const auto rows = static_cast<std::uint64_t>(1'000'000 * scale);
  const testing::PostgresServer server(testing::PostgresServer::Durability::real);
  const testing::Scratch scratch;
  fill(server, rows);
  Diagnostics diagnostics;
  const config::Node settings = config::parse(
      fmt::format("type: postgres\nhost: {}\nport: {}\nuser: {}\npassword: {}\ndatabase: {}\n", server.host(),
                  server.port(), server.user(), server.password(), server.database()),
      "connections.yml", config::no_variables(), diagnostics);
  const warehouse::Places places{scratch.path(), scratch / ".eddy", scratch / "lake",
                                 scratch / "warehouse.duckdb"};
  const auto store = state::Store::open(places.dot_eddy / "state.db");
  warehouse::Session session(places, *store, {.memory_limit = "1GB", .spill_folder = scratch / "spill"},
                             warehouse::Access::read);
  session.use(warehouse::postgres_warehouse().make("warehouse", settings));
  const sync::SyncSpec spec = rows_sync();
  sync::baseline(session, spec, new_id(), system_clock());
  change(server, rows);
  std::uint64_t planned = 0;
  const Pair pair = alternate(
      5, [&] { planned = sync::plan_sync(session, spec, system_clock()).counts.planned(); },
      [&] { server.sql(bare_diff()); });
  return {ratio_line(fmt::format("plan in a PostgreSQL of one's own, {} rows, {} differences",
                                 with_commas(rows), with_commas(planned)),
                     pair, "the bare diff there", 2.0, true)};
}

}  // namespace eddy::bench
