#include "connectors/postgres/destination.h"

#include <gtest/gtest.h>

#include "connectors/tables/testing_server.h"
#include "core/secrets.h"
#include "support/postgres_server.h"

namespace eddy::connectors {
namespace {
using testing::error_of;
using testing::PostgresServer;
using testing::rows;

std::unique_ptr<sync::Destination> make(const std::string& settings) {
  return testing::make(postgres_destination(), settings);
}

std::unique_ptr<sync::Destination> connect(const PostgresServer& server, int port = 0) {
  return make(fmt::format(
      "{{host: {}, port: {}, database: postgres, user: postgres, password: {}, sslmode: disable}}",
      server.host(), port == 0 ? server.port() : port, server.password()));
}

sync::Delivery delivery_to(const std::string& object, sync::Mode mode = sync::Mode::upsert,
                           const std::string& options = "{}") {
  return testing::delivery_to(postgres_destination(), object, {{"name", Type::text}}, mode, options);
}

struct PostgresBed {
  using Server = PostgresServer;
  static constexpr const char* missing =
      "PostgreSQL IS NOT INSTALLED: this test did not run. Install the package `postgresql`.";
  static constexpr const char* between_cells = "|";
  static constexpr const char* commit = "COMMIT";
  static constexpr const char* straight = "copy \"public\"";
  static constexpr const char* check_violation = "check_violation";
  // Without fsync a crash may forget what was not yet written.
  static constexpr const char* durable = "checkpoint";
  static constexpr const char* before_workers = "insert into people values (0, 'was there')";
  static sync::DestinationType type() { return postgres_destination(); }
  static std::unique_ptr<sync::Destination> connect(const Server& server, int port) {
    return connectors::connect(server, port);
  }
  static void expect_stages(const Server& server, int at_least, int at_most) {
    const int stages = std::stoi(server.sql("select count(*) from pg_class where relname = 'eddy_stage'"));
    EXPECT_GE(stages, at_least);
    EXPECT_LE(stages, at_most);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, ServerTables, PostgresBed);

TEST(PostgresDestination, SaysWhichSettingIsMissingOrTooMuch) {
  EXPECT_EQ(error_of([] { make("{host: localhost}"); }).code(), "config.missing_key");
  EXPECT_EQ(error_of([] { make("{url: 'postgresql://localhost/crm', host: other}"); }).code(),
            "config.not_allowed");
  EXPECT_EQ(error_of([] { make("{host: localhost, database: crm, sslmode: maybe}"); }).code(),
            "config.not_allowed");
}

TEST(PostgresDestination, TakesAUrlAndHidesItsPassword) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  const auto url = [&](const std::string& password) {
    return fmt::format("{{url: 'postgresql://postgres:{}@127.0.0.1:{}/postgres'}}", password, server.port());
  };
  EXPECT_EQ(make(url(server.password()))->check().rfind("PostgreSQL 1", 0), 0U);
  const auto refused = make(url("wrong-secret-77"));
  EXPECT_EQ(error_of([&] { refused->check(); }).code(), "postgres.login_refused");
  EXPECT_EQ(redact("it was wrong-secret-77"), "it was ***");
}

TEST(PostgresDestination, MakesTheTableWithTypesAndKeyOnTheFirstBatch) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  const auto destination = connect(server);
  sync::Delivery delivery = delivery_to("people", sync::Mode::upsert, "{schema: crm, create_table: true}");
  delivery.fields = {{"name", Type::text},    {"amount", Type::decimal}, {"share", Type::real},
                     {"flag", Type::boolean}, {"day", Type::date},       {"at", Type::timestamp},
                     {"doc", Type::json},     {"bytes", Type::blob}};
  const auto writer = destination->open(delivery);
  EXPECT_EQ(server.sql("select count(*) from pg_namespace where nspname = 'crm'"), "0\n")
      << "open() makes nothing";
  auto changes = rows(2);
  for (Change& change : changes) change.fields.resize(delivery.fields.size());
  EXPECT_EQ(testing::count(testing::deliver(*writer, changes).verdicts, Outcome::applied), 2U);
  EXPECT_EQ(server.sql("select string_agg(format_type(atttypid, atttypmod), ',' order by attnum) from "
                       "pg_attribute where attrelid = "
                       "'crm.people'::regclass and attnum > 0"),
            "bigint,text,numeric,double precision,boolean,date,timestamp with time zone,jsonb,bytea\n");
  const auto schema = destination->describe("crm.people");
  ASSERT_TRUE(schema.has_value());
  EXPECT_TRUE(schema->fields[0].key);
  EXPECT_TRUE(schema->fields[0].required);
  EXPECT_NO_THROW(destination->open(delivery)) << "the table that was made fits its own delivery";
}

TEST(PostgresDestination, PrintsTheIndexThatIsMissing) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  server.sql(
      "create table people (id int, name text); create table \"People 2\" (id int primary key, name "
      "varchar(5))");
  const auto destination = connect(server);
  const Error error = error_of([&] { destination->open(delivery_to("people")); });
  EXPECT_EQ(error.code(), "destination.key_not_unique");
  EXPECT_EQ(error.hint(), "run: create unique index on \"public\".\"people\" (\"id\");");
  server.sql(error.hint().substr(5));
  EXPECT_NO_THROW(destination->open(delivery_to("people")));
  EXPECT_NE(error_of([&] { destination->open(delivery_to("poeple")); }).hint().find("`people`"),
            std::string::npos);
  EXPECT_EQ(destination->describe("People 2")->fields[1].length_max, 5U);
}

TEST(PostgresDestination, RejectionsCarryTheServersWords) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  server.sql(
      "create table teams (id int primary key); create table people (id int primary key, name varchar(5) not "
      "null check (name <> "
      "'bad'), team int default 1 references teams deferrable initially deferred)");
  const auto writer = connect(server)->open(delivery_to("people"));
  auto changes = rows(4, "ok");
  changes[0].fields[0] = Value::text("too long");
  changes[1].fields[0] = Value::text("bad");
  changes[2].fields[0] = Value();
  const auto verdicts = testing::deliver(*writer, changes).verdicts;
  EXPECT_EQ(verdicts[0].code, "string_data_right_truncation");
  EXPECT_EQ(verdicts[1].code, "check_violation");
  EXPECT_EQ(verdicts[2].code, "not_null_violation");
  EXPECT_EQ(verdicts[3].code, "foreign_key_violation") << "a constraint that speaks only at COMMIT";
  EXPECT_NE(verdicts[3].message.find("teams"), std::string::npos);
  EXPECT_EQ(server.sql("select count(*) from people"), "0\n");
}

TEST(PostgresDestination, TheLeastRightsAreEnough) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  server.sql(
      "revoke all on database postgres from public; create role small login password 'small-secret-9'; "
      "create schema "
      "crm; create table crm.people (id bigint primary key, name text); grant connect, temporary on database "
      "postgres "
      "to small; grant usage on schema crm to small; grant select, insert, update, delete on crm.people to "
      "small");
  const auto destination =
      make(fmt::format("{{host: {}, port: {}, database: postgres, user: small, password: small-secret-9}}",
                       server.host(), server.port()));
  const auto writer = destination->open(delivery_to("crm.people"));
  EXPECT_EQ(testing::count(testing::deliver(*writer, rows(3)).verdicts, Outcome::applied), 3U);
  EXPECT_EQ(testing::count(testing::deliver(*writer, rows(5, "again")).verdicts, Outcome::applied), 5U);
  std::vector<Change> gone = rows(1);
  gone[0].operation = Operation::remove;
  EXPECT_EQ(testing::count(testing::deliver(*writer, gone).verdicts, Outcome::applied), 1U);
  EXPECT_EQ(server.sql("select count(*), min(name) from crm.people"), "4|again\n");
}

}  // namespace
}  // namespace eddy::connectors
