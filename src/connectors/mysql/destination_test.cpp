#include "connectors/mysql/destination.h"

#include <gtest/gtest.h>

#include "connectors/mysql/testing_mysql.h"
#include "connectors/tables/testing_server.h"
#include "core/secrets.h"

namespace eddy::connectors {
namespace {
using testing::count;
using testing::deliver;
using testing::MariadbServer;

struct MysqlBed {
  using Server = MariadbServer;
  static constexpr const char* missing =
      "MariaDB IS NOT INSTALLED: this test did not run. Install the package `mariadb-server`.";
  static constexpr const char* between_cells = "\t";
  static constexpr const char* commit =
      "\x03"
      "commit";
  static constexpr const char* straight = "a row of the stream";
  static constexpr const char* check_violation = "ER_CONSTRAINT_FAILED";
  static constexpr const char* durable = "";
  static constexpr const char* before_workers = "";
  static sync::DestinationType type() { return mysql_destination(); }
  static std::unique_ptr<sync::Destination> connect(const Server& server, int port) {
    return connectors::connect(server, port);
  }
  // A temporary table is seen by its own connection only.
  static void expect_stages(const Server&, int, int) {}
};
INSTANTIATE_TYPED_TEST_SUITE_P(Mysql, ServerTables, MysqlBed);

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

}  // namespace
}  // namespace eddy::connectors
