#include <fmt/format.h>

#include "conformance/subject.h"
#include "connectors/postgres/destination.h"
#include "support/postgres_server.h"

namespace eddy::conformance {
namespace {

// One server for all tests of a process: they differ in their tables.
std::unique_ptr<testing::PostgresServer>& shared_server() {
  static std::unique_ptr<testing::PostgresServer> server;
  return server;
}
int objects_made = 0;

class PostgresSubject final : public Subject {
 public:
  PostgresSubject() {
    if (!shared_server()) shared_server() = std::make_unique<testing::PostgresServer>();
  }

  std::unique_ptr<sync::Destination> destination() override {
    return make_destination(
        connectors::postgres_destination(),
        fmt::format("{{host: {}, port: {}, database: {}, user: {}, password: {}, connect_timeout: 5s}}",
                    server().host(), server().port(), server().database(), server().user(),
                    server().password()),
        "/");
  }

  Target make_object(std::size_t key_columns) override {
    Target target{.object = fmt::format("Target {}", ++objects_made),
                  .key = {{"k1", Type::text}},
                  .fields = {{"words", Type::text},
                             {"number", Type::integer},
                             {"amount", Type::decimal},
                             {"share", Type::real},
                             {"flag", Type::boolean},
                             {"day", Type::date},
                             {"at", Type::timestamp},
                             {"doc", Type::json},
                             {"bytes", Type::blob},
                             {"score", Type::integer}}};
    if (key_columns > 1) target.key.push_back({"k2", Type::integer});
    server().sql(
        fmt::format("create table \"{}\" (k1 text, k2 bigint default 0, words text, number bigint, amount "
                    "numeric, share float8, flag boolean, "
                    "day date, at timestamptz, doc jsonb, bytes bytea, score int check (score >= 0), "
                    "untouched text default 'as it was', primary key ({}))",
                    target.object, key_columns > 1 ? "k1, k2" : "k1"));
    return target;
  }

  void spoil(const Target&, Change& change) const override { change.fields.back() = Value::integer(-1); }

  nlohmann::json rows(const Target& target) override {
    return nlohmann::json::parse(server().sql(
        fmt::format("select coalesce(json_agg(r), '[]') from (select k1, k2::text, words, number::text, "
                    "amount::text, share::text, flag::text, "
                    "replace(day::text, ' BC', ' (BC)') as day, (to_json(at at time zone 'UTC') #>> '{{}}') "
                    "|| 'Z' as at, doc::text, "
                    "encode(bytes, 'base64') as bytes, score::text, untouched from \"{}\" order by 1, 2) r;",
                    target.object)));
  }

  void take_down() override { shared_server().reset(); }

 private:
  testing::PostgresServer& server() const { return *shared_server(); }
};

}  // namespace

NamedSubject postgres_subject() {
  return {.name = "PostgreSQL",
          .available = testing::PostgresServer::installed,
          .missing = "PostgreSQL IS NOT INSTALLED: this test did not run. Install the package `postgresql`.",
          .make = [] { return std::make_unique<PostgresSubject>(); },
          .waivers = {{"ALostAnswerIsRepeatedAndDoublesNothing",
                       "connections cut in the middle are played by the tests beside the connector"},
                      {"AnInsertWhoseAnswerIsLostIsInDoubt",
                       "connections cut in the middle are played by the tests beside the connector"}}};
}

}  // namespace eddy::conformance
