#include "connectors/mysql/destination.h"

#include <gtest/gtest.h>

#include <thread>

#include "connectors/mysql/testing_mysql.h"
#include "core/secrets.h"
#include "support/cutting_proxy.h"

namespace eddy::connectors {
namespace {
using testing::count;
using testing::CuttingProxy;
using testing::deliver;
using testing::MariadbServer;

TEST(MysqlDestination, SaysWhichSettingIsMissingOrTooMuch) {
  EXPECT_EQ(error_of([] { make_mysql("{database: crm}"); }).code(), "config.missing_key");
  EXPECT_EQ(error_of([] { make_mysql("{host: a, socket: /b, database: crm}"); }).code(),
            "config.missing_key");
  EXPECT_EQ(error_of([] { make_mysql("{host: a}"); }).code(), "config.missing_key");
  EXPECT_EQ(error_of([] { make_mysql("{host: a, database: crm, tls: maybe}"); }).code(),
            "config.not_allowed");
}

TEST(MysqlDestination, LogsInOverTcpAndSocketAndHidesThePassword) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  EXPECT_EQ(connect(server)->check().rfind("MariaDB 1", 0), 0U);
  const auto over_socket = make_mysql(fmt::format("{{socket: {}, database: crm, user: eddy, password: {}}}",
                                                  server.socket().string(), server.password()));
  EXPECT_NE(over_socket->check().find("database crm as eddy"), std::string::npos);
  const auto refused = make_mysql(fmt::format(
      "{{host: 127.0.0.1, port: {}, database: crm, user: eddy, password: wrong-secret-88}}", server.port()));
  EXPECT_EQ(error_of([&] { refused->check(); }).code(), "mysql.login_refused");
  EXPECT_EQ(redact("it was wrong-secret-88"), "it was ***");
  const auto nobody = make_mysql("{host: 127.0.0.1, port: 1, database: crm, user: eddy}");
  EXPECT_EQ(error_of([&] { nobody->check(); }).code(), "mysql.unreachable");
}

TEST(MysqlDestination, MakesTheTableWithTypesAndKeyOnTheFirstBatch) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  const auto destination = connect(server);
  sync::Delivery delivery = delivery_to("people",
                                        {{"name", Type::text},
                                         {"amount", Type::decimal},
                                         {"share", Type::real},
                                         {"flag", Type::boolean},
                                         {"day", Type::date},
                                         {"at", Type::timestamp},
                                         {"doc", Type::json},
                                         {"bytes", Type::blob}},
                                        sync::Mode::upsert, "{create_table: true}");
  delivery.key = {{"id", Type::integer}, {"part", Type::text}};
  const auto writer = destination->open(delivery);
  EXPECT_EQ(server.sql("show tables"), "") << "open() makes nothing";
  std::vector<Change> changes;
  for (const char* part : {"a", "A", "a "}) {
    Change change = change_of(Value::integer(1), Row(delivery.fields.size()));
    change.key.push_back(Value::text(part));
    changes.push_back(std::move(change));
  }
  EXPECT_EQ(count(deliver(*writer, changes).verdicts, Outcome::applied), 3U)
      << "text keys differ by any byte";
  EXPECT_EQ(server.sql("select group_concat(column_type order by ordinal_position) from "
                       "information_schema.columns where table_name = 'people'"),
            "bigint(20),varchar(255),longtext,decimal(65,30),double,tinyint(1),date,datetime(6),longtext,"
            "longblob\n");
  const auto schema = destination->describe("people");
  ASSERT_TRUE(schema.has_value());
  EXPECT_TRUE(schema->fields[0].required);
  for (std::size_t i = 0; i < delivery.fields.size(); ++i)
    EXPECT_EQ(schema->fields[i + 2].type, delivery.fields[i].type) << delivery.fields[i].name;
  EXPECT_NO_THROW(destination->open(delivery)) << "the table that was made fits its own delivery";
}

TEST(MysqlDestination, PrintsTheIndexThatIsMissing) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  server.sql(
      "create table people (id int, name text, unique (name(10))); create view seen as select * from people");
  const auto destination = connect(server);
  const Error error = error_of([&] { destination->open(delivery_to("people")); });
  EXPECT_EQ(error.code(), "destination.key_not_unique");
  EXPECT_EQ(error.hint(), "run: alter table `crm`.`people` add unique index `people_id` (`id`);");
  server.sql(error.hint().substr(5));
  EXPECT_NO_THROW(destination->open(delivery_to("people")));
  EXPECT_NO_THROW(destination->open(delivery_to("crm.people")));
  EXPECT_NE(error_of([&] { destination->open(delivery_to("poeple")); }).hint().find("`people`"),
            std::string::npos);
  EXPECT_NE(error_of([&] { destination->open(delivery_to("seen")); }).hint().find("view"), std::string::npos);
}

TEST(MysqlDestination, RejectionsCarryTheServersWords) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  server.sql(
      "create table teams (id int primary key); create table people (id int primary key, name varchar(5) not "
      "null check (name <> 'bad'), team int default 1, foreign key (team) references teams (id));"
      "\ndelimiter //\ncreate trigger no_seven before insert on people for each row begin if new.id = 7 then "
      "signal sqlstate '45000' set message_text = 'seven is taken'; end if; end//\n");
  const auto writer = connect(server)->open(delivery_to("people"));
  auto changes = rows(8, "ok");
  changes[0].fields[0] = Value::text("too long");
  changes[1].fields[0] = Value::text("bad");
  changes[2].fields[0] = Value();
  const auto verdicts = deliver(*writer, changes).verdicts;
  EXPECT_EQ(verdicts[0].code, "WARN_DATA_TRUNCATED");
  EXPECT_NE(verdicts[0].message.find("name"), std::string::npos);
  EXPECT_EQ(verdicts[1].code, "ER_CONSTRAINT_FAILED");
  EXPECT_EQ(verdicts[2].code, "ER_BAD_NULL_ERROR");
  EXPECT_EQ(verdicts[3].code, "ER_NO_REFERENCED_ROW_2");
  EXPECT_NE(verdicts[3].message.find("teams"), std::string::npos);
  EXPECT_EQ(verdicts[7].message, "seven is taken");
  EXPECT_EQ(server.sql("select count(*) from people"), "0\n");
}

TEST(MysqlDestination, ARowThatDoesNotFitCostsNoSecondRequest) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  server.sql("create table people (id int primary key, name varchar(5))");
  auto changes = rows(1000, "ok");
  for (std::size_t i = 0; i < 1000; i += 7) changes[i].fields[0] = Value::text("too long");
  const auto delivered = deliver(*connect(server)->open(delivery_to("people")), changes);
  EXPECT_EQ(delivered.requests, 1U);
  EXPECT_EQ(count(delivered.verdicts, Outcome::rejected), 143U);
  EXPECT_EQ(server.sql("select count(*), sum(id % 7 = 0) from people"), "857\t0\n");
}

TEST(MysqlDestination, ALostAnswerToCommitIsInDoubtOnlyWhenRepeatingIsUnsafe) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  for (const sync::Mode mode : {sync::Mode::insert, sync::Mode::upsert}) {
    server.sql("drop table if exists people; create table people (id bigint primary key, name text)");
    CuttingProxy proxy(server.port());
    const auto writer =
        connect(server, proxy.port())->open(delivery_to("people", {{"name", Type::text}}, mode));
    proxy.cut_at(
        "\x03"
        "commit",
        /*delivered=*/true);
    const auto verdicts = deliver(*writer, rows(3)).verdicts;
    ASSERT_TRUE(proxy.has_cut());
    EXPECT_EQ(count(verdicts, Outcome::in_doubt), 3U) << name_of(mode);
    EXPECT_EQ(server.sql("select count(*) from people"), "3\n");
    if (mode != sync::Mode::upsert) continue;
    EXPECT_EQ(count(deliver(*writer, rows(3)).verdicts, Outcome::applied), 3U) << "the writer connects anew";
    EXPECT_EQ(server.sql("select count(*) from people"), "3\n");
  }
}

TEST(MysqlDestination, ALossBeforeCommitIsRetriedInEveryMode) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  for (const sync::Mode mode : {sync::Mode::insert, sync::Mode::upsert})
    for (const char* moment : {"insert into", "a row of the stream"}) {
      server.sql("drop table if exists people; create table people (id bigint primary key, name text)");
      const bool filled = moment == std::string("insert into");  // else straight into the table
      if (filled) server.sql("insert into people values (99, 'was there')");
      const std::string before = server.sql("select count(*) from people");
      CuttingProxy proxy(server.port());
      const auto writer =
          connect(server, proxy.port())->open(delivery_to("people", {{"name", Type::text}}, mode));
      proxy.cut_at(moment, /*delivered=*/false);
      const auto changes = rows(3, "a row of the stream");
      EXPECT_EQ(count(deliver(*writer, changes).verdicts, Outcome::retry), 3U) << name_of(mode) << moment;
      ASSERT_TRUE(proxy.has_cut());
      EXPECT_EQ(server.sql("select count(*) from people"), before);
      EXPECT_EQ(count(deliver(*writer, changes).verdicts, Outcome::applied), 3U) << name_of(mode) << moment;
    }
}

TEST(MysqlDestination, AnEmptyTableIsFilledStraightUntilSomethingIsRefused) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  for (const sync::Mode mode : {sync::Mode::upsert, sync::Mode::insert}) {
    server.sql(
        "drop table if exists people; create table people (id bigint primary key, name text check (name <> "
        "'bad'), "
        "untouched text default 'as it was')");
    const auto writer = connect(server)->open(delivery_to("people", {{"name", Type::text}}, mode));
    EXPECT_EQ(count(deliver(*writer, rows(100)).verdicts, Outcome::applied), 100U);
    auto more = rows(104);
    more.erase(more.begin(), more.begin() + 99);  // 99 is there, 100 to 103 are new
    more[2].fields[0] = Value::text("bad");
    const auto verdicts = deliver(*writer, more).verdicts;
    EXPECT_EQ(verdicts[0].outcome, mode == sync::Mode::upsert ? Outcome::applied : Outcome::rejected);
    EXPECT_EQ(verdicts[2].code, "ER_CONSTRAINT_FAILED");
    EXPECT_EQ(count(verdicts, Outcome::applied), mode == sync::Mode::upsert ? 4U : 3U);
    EXPECT_EQ(server.sql("select count(*), min(untouched) from people"), "103\tas it was\n");
  }
}

TEST(MysqlDestination, AServerThatComesBackIsFoundAgain) {
  EDDY_NEEDS_MARIADB();
  MariadbServer server;
  server.sql("create table people (id bigint primary key, name text)");
  const auto writer = connect(server)->open(delivery_to("people"));
  EXPECT_EQ(count(deliver(*writer, rows(1)).verdicts, Outcome::applied), 1U);
  server.stop();
  EXPECT_EQ(count(deliver(*writer, rows(5)).verdicts, Outcome::retry), 5U);
  EXPECT_EQ(count(deliver(*writer, rows(5)).verdicts, Outcome::retry), 5U);
  server.start();
  EXPECT_EQ(count(deliver(*writer, rows(5)).verdicts, Outcome::applied), 5U);
  EXPECT_EQ(server.sql("select count(*) from people"), "5\n");
}

TEST(MysqlDestination, ATableThatIsGoneEndsTheRun) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  server.sql("create table people (id bigint primary key, name text)");
  const auto writer = connect(server)->open(delivery_to("people"));
  deliver(*writer, rows(1));
  server.sql("drop table people");
  EXPECT_EQ(error_of([&] { deliver(*writer, rows(1)); }).code(), "destination.refused");
}

TEST(MysqlDestination, AMissingRightIsNamedWithItsGrant) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  server.sql(
      "create table people (id bigint primary key, name text); insert into people values (99, 'was there'); "
      "create user small identified by "
      "'small-secret'; "
      "grant select, insert, update, delete on people to small");
  const auto destination = make_mysql(fmt::format(
      "{{host: 127.0.0.1, port: {}, database: crm, user: small, password: small-secret}}", server.port()));
  const auto writer = destination->open(delivery_to("people"));
  const Error error = error_of([&] { deliver(*writer, rows(1)); });
  EXPECT_EQ(error.hint(), "run: grant create temporary tables on `crm`.* to small;");
  server.sql(error.hint().substr(5));
  EXPECT_EQ(count(deliver(*writer, rows(2)).verdicts, Outcome::applied), 2U) << "the least rights are enough";
}

TEST(MysqlDestination, WorkersShareOneWriter) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  server.sql("create table people (id bigint primary key, name text)");
  const auto writer = connect(server)->open(delivery_to("people"));
  const auto changes = rows(4000);
  const std::size_t workers = writer->limits().workers_max;
  std::vector<std::thread> threads;
  std::vector<std::size_t> applied(workers);
  for (std::size_t worker = 0; worker < workers; ++worker)
    threads.emplace_back([&, worker] {
      for (std::size_t at = worker * 100; at < changes.size(); at += workers * 100)
        applied[worker] +=
            count(writer->deliver(std::span(changes).subspan(at, 100)).verdicts, Outcome::applied);
    });
  for (std::thread& thread : threads) thread.join();
  std::size_t total = 0;
  for (const std::size_t number : applied) total += number;
  EXPECT_EQ(total, 4000U);
  EXPECT_EQ(server.sql("select count(*) from people"), "4000\n");
}

}  // namespace
}  // namespace eddy::connectors
