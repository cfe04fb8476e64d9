#include "transport/mysql/connection.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/cutting_proxy.h"
#include "support/mariadb_server.h"
#include "transport/mysql/encoding.h"
#include "transport/mysql/load.h"
#include "transport/mysql/table.h"

namespace eddy::mysql {
namespace {
using testing::MariadbServer;

ConnectOptions options_for(const MariadbServer& server, int port = 0) {
  ConnectOptions options;
  options.host = server.host();
  options.port = static_cast<unsigned>(port == 0 ? server.port() : port);
  options.user = server.user();
  options.password = server.password();
  options.database = server.database();
  options.tls = Tls::disable;
  return options;
}

MysqlError error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const MysqlError& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return {"none", 0, "", ""};
}

TEST(MysqlConnection, SettlesTheSessionWhateverTheServersDefaultsAre) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server(MariadbServer::Durability::off,
                             {"--sql-mode=ANSI,NO_BACKSLASH_ESCAPES", "--character-set-server=latin1"});
  Connection connection(options_for(server));
  EXPECT_TRUE(connection.is_mariadb());
  EXPECT_EQ(connection.server_version().rfind("1", 0), 0U);
  const Result found = connection.exec("select @@time_zone, @@character_set_client, @@sql_mode, 'a\\tb'");
  EXPECT_EQ(found.text(0, 0), "+00:00");
  EXPECT_EQ(found.text(0, 1), "utf8mb4");
  EXPECT_NE(found.text(0, 2).find("STRICT_ALL_TABLES"), std::string_view::npos);
  EXPECT_EQ(found.text(0, 3), "a\tb");
  EXPECT_EQ(connection.exec("select '🚀'").value(0, 0), Value::text("🚀"));
}

TEST(MysqlConnection, ReadsEveryType) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  Connection connection(options_for(server));
  connection.exec(
      "create table t (a tinyint, b bigint, c bigint unsigned, d double, e float, f decimal(10,3), g date, h "
      "datetime(6), i timestamp null, j varchar(9), k varbinary(9), l json, m bit(12), n year, o date, p "
      "enum('x'))");
  connection.exec(
      "insert into t values (-5, -9223372036854775808, 18446744073709551615, 0.1, 0.5, 12.5, '2024-02-29', "
      "'2026-11-23 10:53:42.125', '2026-11-23 10:53:42', 'Größe', x'00ff', '[1]', 4095, 2026, null, 'x')");
  const Result found = connection.exec("select * from t");
  const Row expected = {Value::integer(-5),
                        Value::integer(std::numeric_limits<std::int64_t>::min()),
                        Value::decimal("18446744073709551615"),
                        Value::real(0.1),
                        Value::real(0.5),
                        Value::decimal("12.500"),
                        Value::date("2024-02-29"),
                        Value::timestamp("2026-11-23T10:53:42.125Z"),
                        Value::timestamp("2026-11-23T10:53:42Z"),
                        Value::text("Größe"),
                        Value::blob(std::string("\x00\xff", 2)),
                        Value::json("[1]"),
                        Value::integer(4095),
                        Value::integer(2026),
                        Value(),
                        Value::text("x")};
  ASSERT_EQ(found.columns(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(found.value(0, i), expected[i]) << found.column_name(i) << " " << found.text(0, i);
}

TEST(MysqlConnection, ErrorsSayWhoIsToBlame) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  Connection connection(options_for(server));
  connection.exec("create table t (id int primary key)");
  connection.exec("insert into t values (1)");
  const MysqlError twice = error_of([&] { connection.exec("insert into t values (1)"); });
  EXPECT_TRUE(twice.is_data_error());
  EXPECT_EQ(twice.name(), "ER_DUP_ENTRY");
  EXPECT_EQ(twice.sqlstate(), "23000");
  EXPECT_TRUE(error_of([&] { connection.exec("insert into t values ('x')"); }).is_data_error());
  const MysqlError syntax = error_of([&] { connection.exec("selct 1"); });
  EXPECT_FALSE(syntax.is_data_error() || syntax.is_transient() || syntax.is_connection_lost());
  EXPECT_TRUE(connection.usable());

  Connection other(options_for(server));
  other.exec("set innodb_lock_wait_timeout = 1");
  connection.exec("start transaction");
  connection.exec("update t set id = 2");
  const MysqlError waiting = error_of([&] { other.exec("update t set id = 3"); });
  EXPECT_TRUE(waiting.is_transient());
  EXPECT_FALSE(waiting.is_connection_lost());

  const std::string id(connection.exec("select connection_id()").text(0, 0));
  other.exec("kill " + id);
  const MysqlError killed = error_of([&] { connection.exec("select 1"); });
  EXPECT_EQ(killed.code(), "mysql.connection_lost");
  EXPECT_TRUE(killed.is_transient());
  EXPECT_FALSE(connection.usable());
}

TEST(MysqlConnection, AServerThatSaysNothingIsGivenUp) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  ConnectOptions options = options_for(server);
  options.read_timeout = std::chrono::seconds{1};
  Connection connection(options);
  EXPECT_EQ(error_of([&] { connection.exec("select sleep(30)"); }).code(), "mysql.connection_lost");
}

TEST(MysqlConnection, ALostCommitIsInDoubt) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  server.sql("create table t (id int primary key)");
  testing::CuttingProxy proxy(server.port());
  Connection connection(options_for(server, proxy.port()));
  proxy.cut_at(
      "\x03"
      "commit",
      /*delivered=*/true);
  {
    Transaction transaction(connection);
    connection.exec("insert into t values (1)");
    EXPECT_TRUE(error_of([&] { transaction.commit(); }).is_in_doubt());
  }
  EXPECT_EQ(server.sql("select * from t"), "1\n");
}

TEST(MysqlConnection, TlsIsUsedAsAsked) {
  EDDY_NEEDS_MARIADB();
  const testing::Scratch scratch;
  const auto openssl = [&](const std::string& words) {
    const auto done = testing::run({.argv = {"bash", "-c", "openssl " + words}, .directory = scratch.path()});
    ASSERT_EQ(done.exit_code, 0) << done.err;
  };
  scratch.write("san", "subjectAltName=DNS:localhost\n");
  openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem");
  openssl("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr");
  openssl(
      "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out "
      "server.pem");
  std::filesystem::permissions(scratch / "server.key", std::filesystem::perms::all);
  std::filesystem::permissions(scratch.path(), std::filesystem::perms::all);
  const auto file = [&](const char* name) { return (scratch / name).string(); };
  const MariadbServer with(
      MariadbServer::Durability::off,
      {"--ssl-ca=" + file("ca.pem"), "--ssl-cert=" + file("server.pem"), "--ssl-key=" + file("server.key")});
  ConnectOptions options = options_for(with);
  const auto encrypted = [&](Tls tls) {
    options.tls = tls;
    return Connection(options).is_encrypted();
  };
  EXPECT_FALSE(encrypted(Tls::disable));
  EXPECT_TRUE(encrypted(Tls::prefer));
  EXPECT_TRUE(encrypted(Tls::require));
  options.tls_ca = scratch / "ca.pem";
  options.host = "localhost";
  EXPECT_TRUE(encrypted(Tls::verify));
  openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout other.key -out other.pem");
  options.tls_ca = scratch / "other.pem";
  EXPECT_EQ(error_of([&] { encrypted(Tls::verify); }).code(), "mysql.login_refused");

  const MariadbServer without;
  options = options_for(without);
  EXPECT_FALSE(encrypted(Tls::prefer));
  EXPECT_EQ(error_of([&] { encrypted(Tls::require); }).code(), "mysql.login_refused");
}

TEST(MysqlLoad, StreamsRowsAndNumbersItsWarnings) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  Connection connection(options_for(server));
  connection.exec("create table t (id int, name varchar(5))");
  const std::string statement = "load data local infile 'stream' into table t " + std::string(load_format);
  int row = 0;
  load(connection, statement, [&](std::string& buffer) {
    for (int i = 0; i < 1000 && row < 100'000; ++i, ++row)
      buffer += std::to_string(row) + "\t" + (row == 77'777 ? "too long" : "ok") + "\n";
  });
  ASSERT_EQ(connection.warning_count(), 1U);
  const auto warnings = connection.warnings();
  EXPECT_EQ(warnings[0].row, 77'778U);
  EXPECT_EQ(error_name(warnings[0].number), "WARN_DATA_TRUNCATED");
  EXPECT_EQ(server.sql("select count(*), sum(id) from t"), "100000\t4999950000\n");
}

TEST(MysqlLoad, WhatTheCallerThrowsComesThrough) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  Connection connection(options_for(server));
  connection.exec("create table t (id int)");
  const std::string statement = "load data local infile 'stream' into table t " + std::string(load_format);
  EXPECT_THROW(load(connection, statement, [](std::string&) { throw std::runtime_error("enough"); }),
               std::runtime_error);
  EXPECT_TRUE(error_of([&] {
                load(connection, "load data local infile 'x' into table nowhere",
                     [](std::string&) { FAIL() << "nothing is asked for"; });
              }).number() == 1146);
  EXPECT_EQ(connection.exec("select count(*) from t").value(0, 0), Value::integer(0)) << "still usable";
}

TEST(MysqlTable, IsDescribed) {
  EDDY_NEEDS_MARIADB();
  const MariadbServer server;
  server.sql(
      "create table `T``1` (id int unsigned auto_increment primary key, a varchar(80) not null, b "
      "enum('x','it''s'), "
      "c tinyint(1) default 1, d int as (id + 1) virtual, e datetime(3), f char(4) character set latin1, g "
      "text, "
      "unique k (b, a), unique p (g(10))); create view v as select 1 as one");
  Connection connection(options_for(server));
  const auto table = describe_table(connection, {"crm", "T`1"});
  ASSERT_TRUE(table.has_value());
  EXPECT_EQ(table->engine, "InnoDB");
  EXPECT_TRUE(table->transactional);
  EXPECT_TRUE(table->has_unique_key({"id"}));
  EXPECT_TRUE(table->has_unique_key({"a", "b"}));
  EXPECT_FALSE(table->has_unique_key({"g"})) << "only its beginning is unique";
  EXPECT_EQ(table->unique_indexes, 3U);
  EXPECT_TRUE(table->find("id")->has_default);
  EXPECT_FALSE(table->find("a")->has_default);
  EXPECT_EQ(table->find("a")->length_max, 80U);
  EXPECT_EQ(table->find("b")->options, (std::vector<std::string>{"x", "it's"}));
  EXPECT_EQ(table->find("c")->type, Type::boolean);
  EXPECT_TRUE(table->find("d")->generated);
  EXPECT_EQ(table->find("e")->fraction_digits, 3U);
  EXPECT_EQ(table->find("f")->character_set, "latin1");
  EXPECT_TRUE(describe_table(connection, {"crm", "v"})->is_view);
  EXPECT_FALSE(describe_table(connection, {"crm", "nothing"}).has_value());
  EXPECT_EQ(list_tables(connection).size(), 2U);
}

}  // namespace
}  // namespace eddy::mysql
