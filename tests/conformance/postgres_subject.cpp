#include <fmt/format.h>

#include "conformance/table_subject.h"
#include "connectors/postgres/destination.h"
#include "support/postgres_server.h"

namespace eddy::conformance {
namespace {

class PostgresSubject final : public ServerSubject<testing::PostgresServer> {
 public:
  PostgresSubject() : ServerSubject(connectors::postgres_destination()) {}

  nlohmann::json rows(const Target& target) override {
    return nlohmann::json::parse(server().sql(
        fmt::format("select coalesce(json_agg(r), '[]') from (select k1, k2::text, words, number::text, "
                    "amount::text, share::text, flag::text, "
                    "replace(day::text, ' BC', ' (BC)') as day, (to_json(at at time zone 'UTC') #>> '{{}}') "
                    "|| 'Z' as at, doc::text, "
                    "encode(bytes, 'base64') as bytes, score::text, untouched from \"{}\" order by 1, 2) r;",
                    target.object)));
  }

 private:
  void create_table(const std::string& name, const std::string& primary_key) override {
    server().sql(
        fmt::format("create table \"{}\" (k1 text, k2 bigint default 0, words text, number bigint, amount "
                    "numeric, share float8, flag boolean, "
                    "day date, at timestamptz, doc jsonb, bytes bytea, score int check (score >= 0), "
                    "untouched text default 'as it was', primary key ({}))",
                    name, primary_key));
  }
};

}  // namespace

NamedSubject postgres_subject() {
  return {.name = "PostgreSQL",
          .available = testing::PostgresServer::installed,
          .missing = "PostgreSQL IS NOT INSTALLED: this test did not run. Install the package `postgresql`.",
          .make = [] { return std::make_unique<PostgresSubject>(); },
          .waivers = no_answer_is_lost(cut_elsewhere)};
}

}  // namespace eddy::conformance
