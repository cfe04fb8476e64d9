#include "connectors/postgres/destination.h"

#include <gtest/gtest.h>

#include <thread>

#include "config/document.h"
#include "core/secrets.h"
#include "support/cutting_proxy.h"
#include "support/delivery.h"
#include "support/postgres_server.h"

namespace eddy::connectors {
namespace {
using testing::CuttingProxy;
using testing::PostgresServer;

config::Node yaml(const std::string& text, const config::Shape& shape) {
  Diagnostics diagnostics;
  const config::Node node = config::parse(text, "test.yml", config::no_variables(), diagnostics);
  shape.check(node, diagnostics);
  diagnostics.throw_if_any();
  return node;
}

std::unique_ptr<sync::Destination> make(const std::string& settings) {
  static const Cancel cancel;
  const auto type = postgres_destination();
  return type.make(yaml(settings, type.settings),
                   {.clock = system_clock(), .cancel = cancel, .project = "/"});
}

std::unique_ptr<sync::Destination> connect(const PostgresServer& server, int port = 0) {
  return make(fmt::format(
      "{{host: {}, port: {}, database: postgres, user: postgres, password: {}, sslmode: disable}}",
      server.host(), port == 0 ? server.port() : port, server.password()));
}

sync::Delivery delivery_to(const std::string& object, sync::Mode mode = sync::Mode::upsert,
                           const std::string& options = "{}") {
  return {.object = object,
          .mode = mode,
          .removed = sync::Removal::erase,
          .key = {{"id", Type::integer}},
          .fields = {{"name", Type::text}},
          .options = yaml(options, postgres_destination().options),
          .sync = "test"};
}

std::vector<Change> rows(int count, const std::string& name = "row") {
  std::vector<Change> changes;
  for (int i = 0; i < count; ++i)
    changes.push_back({.number = static_cast<std::uint64_t>(i),
                       .operation = Operation::add,
                       .key = {Value::integer(i)},
                       .fields = {Value::text(name)},
                       .changed = {true}});
  return changes;
}

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error("none", "none");
}

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

TEST(PostgresDestination, ALostAnswerToCommitIsInDoubtOnlyWhenRepeatingIsUnsafe) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  for (const sync::Mode mode : {sync::Mode::insert, sync::Mode::upsert, sync::Mode::update}) {
    server.sql("drop table if exists people; create table people (id bigint primary key, name text)");
    CuttingProxy proxy(server.port());
    const auto writer = connect(server, proxy.port())->open(delivery_to("people", mode));
    proxy.cut_at("COMMIT", /*delivered=*/true);
    const auto verdicts = testing::deliver(*writer, rows(3)).verdicts;
    ASSERT_TRUE(proxy.has_cut());
    // An update of rows that are not there was refused before the answer was lost.
    const Outcome expected = mode == sync::Mode::update ? Outcome::rejected : Outcome::in_doubt;
    EXPECT_EQ(testing::count(verdicts, expected), 3U) << name_of(mode);
    EXPECT_EQ(server.sql("select count(*) from people"), mode == sync::Mode::update ? "0\n" : "3\n");
    if (mode != sync::Mode::upsert) continue;
    EXPECT_EQ(testing::count(testing::deliver(*writer, rows(3)).verdicts, Outcome::applied), 3U)
        << "the writer connects anew";
    EXPECT_EQ(server.sql("select count(*) from people"), "3\n");
  }
}

TEST(PostgresDestination, ALossBeforeCommitIsRetriedInEveryMode) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  for (const sync::Mode mode : {sync::Mode::insert, sync::Mode::upsert})
    for (const bool filled : {false, true}) {  // straight into the table, or through the stage
      server.sql("drop table if exists people; create table people (id bigint primary key, name text)");
      if (filled) server.sql("insert into people values (99, 'was there')");
      CuttingProxy proxy(server.port());
      const auto writer = connect(server, proxy.port())->open(delivery_to("people", mode));
      proxy.cut_at(filled ? "insert into" : "copy \"public\"", /*delivered=*/false);
      const std::string before = server.sql("select count(*) from people");
      EXPECT_EQ(testing::count(testing::deliver(*writer, rows(3)).verdicts, Outcome::retry), 3U)
          << name_of(mode) << filled;
      ASSERT_TRUE(proxy.has_cut());
      EXPECT_EQ(server.sql("select count(*) from people"), before);
      EXPECT_EQ(testing::count(testing::deliver(*writer, rows(3)).verdicts, Outcome::applied), 3U)
          << name_of(mode) << filled;
    }
}

TEST(PostgresDestination, AnEmptyTableIsFilledStraightUntilSomethingIsRefused) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  const auto stages = [&] {
    return server.sql("select count(*) from pg_class where relname = 'eddy_stage'");
  };
  for (const sync::Mode mode : {sync::Mode::upsert, sync::Mode::insert}) {
    server.sql(
        "drop table if exists people; create table people (id bigint primary key, name text check (name <> "
        "'bad'), "
        "untouched text default 'as it was')");
    const auto writer = connect(server)->open(delivery_to("people", mode));
    EXPECT_EQ(testing::count(testing::deliver(*writer, rows(100)).verdicts, Outcome::applied), 100U);
    EXPECT_EQ(stages(), "0\n");
    auto more = rows(104);
    more.erase(more.begin(), more.begin() + 99);  // 99 is there, 100 to 103 are new
    more[2].fields[0] = Value::text("bad");
    const auto verdicts = testing::deliver(*writer, more).verdicts;
    EXPECT_EQ(verdicts[0].outcome, mode == sync::Mode::upsert ? Outcome::applied : Outcome::rejected);
    EXPECT_EQ(verdicts[2].code, "check_violation");
    EXPECT_EQ(testing::count(verdicts, Outcome::applied), mode == sync::Mode::upsert ? 4U : 3U);
    EXPECT_EQ(stages(), "1\n");
    EXPECT_EQ(server.sql("select count(*), min(untouched) from people"), "103|as it was\n");
  }
}

TEST(PostgresDestination, AServerThatComesBackIsFoundAgain) {
  EDDY_NEEDS_POSTGRES();
  PostgresServer server;
  // Without fsync a crash may forget what was not yet written.
  server.sql("create table people (id bigint primary key, name text); checkpoint");
  const auto writer = connect(server)->open(delivery_to("people"));
  EXPECT_EQ(testing::count(testing::deliver(*writer, rows(1)).verdicts, Outcome::applied), 1U);
  server.stop();
  EXPECT_EQ(testing::count(testing::deliver(*writer, rows(5)).verdicts, Outcome::retry), 5U);
  EXPECT_EQ(testing::count(testing::deliver(*writer, rows(5)).verdicts, Outcome::retry), 5U);
  server.start();
  EXPECT_EQ(testing::count(testing::deliver(*writer, rows(5)).verdicts, Outcome::applied), 5U);
  EXPECT_EQ(server.sql("select count(*) from people"), "5\n");
}

TEST(PostgresDestination, ATableThatIsGoneEndsTheRun) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  server.sql("create table people (id bigint primary key, name text)");
  const auto writer = connect(server)->open(delivery_to("people"));
  testing::deliver(*writer, rows(1));
  server.sql("drop table people");
  EXPECT_EQ(error_of([&] { testing::deliver(*writer, rows(1)); }).code(), "destination.refused");
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

TEST(PostgresDestination, WorkersShareOneWriterAndLeaveOneStageEach) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  server.sql(
      "create table people (id bigint primary key, name text); insert into people values (0, 'was there')");
  const auto writer = connect(server)->open(delivery_to("people"));
  const auto changes = rows(4000);
  const std::size_t workers = writer->limits().workers_max;
  std::vector<std::thread> threads;
  std::vector<std::size_t> applied(workers);
  for (std::size_t worker = 0; worker < workers; ++worker)
    threads.emplace_back([&, worker] {
      for (std::size_t at = worker * 100; at < changes.size(); at += workers * 100)
        applied[worker] +=
            testing::count(writer->deliver(std::span(changes).subspan(at, 100)).verdicts, Outcome::applied);
    });
  for (std::thread& thread : threads) thread.join();
  std::size_t total = 0;
  for (const std::size_t count : applied) total += count;
  EXPECT_EQ(total, 4000U);
  EXPECT_EQ(server.sql("select count(*) from people"), "4000\n");
  const int stages = std::stoi(server.sql("select count(*) from pg_class where relname = 'eddy_stage'"));
  EXPECT_GE(stages, 1);
  EXPECT_LE(stages, static_cast<int>(workers));
}

}  // namespace
}  // namespace eddy::connectors
