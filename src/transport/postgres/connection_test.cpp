#include "transport/postgres/connection.h"

#include <gtest/gtest.h>

#include "support/cutting_proxy.h"
#include "support/postgres_server.h"
#include "transport/postgres/copy.h"
#include "transport/postgres/encoding.h"
#include "transport/postgres/table.h"

namespace eddy::postgres {
namespace {
using testing::CuttingProxy;
using testing::PostgresServer;

ConnectOptions options_for(const PostgresServer& server, int port = 0) {
  return {.parameters = {{"host", server.host()},
                         {"port", std::to_string(port == 0 ? server.port() : port)},
                         {"user", server.user()},
                         {"password", server.password()},
                         {"dbname", server.database()},
                         {"sslmode", "disable"}}};
}

template <class Action>
PostgresError error_of(Action action) {
  try {
    action();
  } catch (const PostgresError& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return {"none", "", ""};
}

TEST(PostgresConnection, ReadsEveryTypeBack) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  Connection connection(options_for(server));
  const Result result = connection.exec(
      "select true, 32767::int2, '-9223372036854775808'::int8, 0.1::float8, "
      "'-123456789012345678901234567890.10'::numeric, 'x'::text, "
      "'0044-03-15 BC'::date, timestamptz '2026-11-23 11:53:42.5+01', '{\"a\":1}'::json, '\\x00ff'::bytea, "
      "null");
  const Row expected = {Value::boolean(true),
                        Value::integer(32767),
                        Value::integer(std::numeric_limits<std::int64_t>::min()),
                        Value::real(0.1),
                        Value::decimal("-123456789012345678901234567890.10"),
                        Value::text("x"),
                        Value::date("0044-03-15 (BC)"),
                        Value::timestamp("2026-11-23T10:53:42.5Z"),
                        Value::json("{\"a\":1}"),
                        Value::blob(std::string("\x00\xff", 2)),
                        Value()};
  ASSERT_EQ(result.columns(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(result.value(0, i), expected[i]) << i;
  EXPECT_EQ(connection.exec("show application_name").text(0, 0), "eddy");
}

TEST(PostgresConnection, SendsParametersAsValues) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  Connection connection(options_for(server));
  const Result result =
      connection.exec("select $1::text, $2::int8 + 1, $3::text is null, $4::bytea",
                      {Value::text("'; drop table x --"), Value::integer(41), Value(), Value::blob("\\'")});
  EXPECT_EQ(result.text(0, 0), "'; drop table x --");
  EXPECT_EQ(result.value(0, 1), Value::integer(42));
  EXPECT_EQ(result.value(0, 2), Value::boolean(true));
  EXPECT_EQ(result.value(0, 3), Value::blob("\\'"));
}

TEST(PostgresConnection, TellsUnreachableFromRefusedLogin) {
  EDDY_NEEDS_POSTGRES();
  PostgresServer server;
  ConnectOptions wrong = options_for(server);
  wrong.parameters["password"] = "not-the-password";
  const PostgresError refused = error_of([&] { Connection c(wrong); });
  EXPECT_EQ(refused.code(), "postgres.login_refused");
  EXPECT_EQ(refused.sqlstate(), "28P01");
  EXPECT_FALSE(refused.is_transient());

  ConnectOptions nowhere = options_for(server);
  nowhere.parameters["dbname"] = "nowhere";
  EXPECT_EQ(error_of([&] { Connection c(nowhere); }).sqlstate(), "3D000");

  server.stop();
  const PostgresError unreachable = error_of([&] { Connection c(options_for(server)); });
  EXPECT_EQ(unreachable.code(), "postgres.unreachable");
  EXPECT_TRUE(unreachable.is_transient());
  EXPECT_NE(unreachable.message().find(std::to_string(server.port())), std::string::npos);
}

TEST(PostgresConnection, SortsErrorsByWhoIsToBlame) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  Connection connection(options_for(server));
  connection.exec("create table t (n int check (n > 0), code varchar(3) unique)");
  const PostgresError check = error_of([&] { connection.exec("insert into t values (-1, 'a')"); });
  EXPECT_EQ(check.name(), "check_violation");
  EXPECT_TRUE(check.is_data_error());
  EXPECT_TRUE(error_of([&] { connection.exec("insert into t values (1, 'long')"); }).is_data_error());
  EXPECT_TRUE(error_of([&] { connection.exec("select 'x'::int"); }).is_data_error());
  const PostgresError missing = error_of([&] { connection.exec("select * from nowhere"); });
  EXPECT_FALSE(missing.is_data_error());
  EXPECT_FALSE(missing.is_transient());
  const PostgresError cancelled =
      error_of([&] { connection.exec("set statement_timeout = 1; select pg_sleep(10)"); });
  EXPECT_TRUE(cancelled.is_transient());
  EXPECT_FALSE(cancelled.is_connection_lost());
  EXPECT_TRUE(connection.usable());
}

TEST(PostgresTransaction, RollsBackUnlessCommitted) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  Connection connection(options_for(server));
  connection.exec("create table t (n int)");
  {
    const Transaction transaction(connection);
    connection.exec("insert into t values (1)");
  }
  {
    Transaction transaction(connection);
    connection.exec("insert into t values (2)");
    transaction.commit();
  }
  EXPECT_EQ(server.sql("select n from t"), "2\n");
}

TEST(PostgresTransaction, CommitOfAFailedTransactionIsAnError) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  Connection connection(options_for(server));
  Transaction transaction(connection);
  EXPECT_THROW(connection.exec("select 1/0"), PostgresError);
  const PostgresError error = error_of([&] { transaction.commit(); });
  EXPECT_EQ(error.sqlstate(), "25P02");
  EXPECT_FALSE(error.is_in_doubt());
}

TEST(PostgresTransaction, LostAnswerToCommitIsInDoubt) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  server.sql("create table t (n int)");
  CuttingProxy proxy(server.port());
  Connection connection(options_for(server, proxy.port()));
  Transaction transaction(connection);
  connection.exec("insert into t values (1)");
  proxy.cut_at("COMMIT", /*delivered=*/true);
  const PostgresError error = error_of([&] { transaction.commit(); });
  EXPECT_TRUE(error.is_in_doubt());
  EXPECT_TRUE(error.is_connection_lost());
  EXPECT_FALSE(connection.usable());
  EXPECT_EQ(server.sql("select n from t"), "1\n") << "the proxy must have let COMMIT through";
}

TEST(PostgresTransaction, LossBeforeCommitIsNotInDoubt) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  server.sql("create table t (n int)");
  CuttingProxy proxy(server.port());
  Connection connection(options_for(server, proxy.port()));
  const Transaction transaction(connection);
  proxy.cut_at("insert into t", /*delivered=*/true);
  const PostgresError error = error_of([&] { connection.exec("insert into t values (1)"); });
  EXPECT_TRUE(error.is_connection_lost());
  EXPECT_TRUE(error.is_transient());
  EXPECT_FALSE(error.is_in_doubt());
  EXPECT_EQ(server.sql("select count(*) from t"), "0\n");
}

TEST(PostgresCopy, StreamsMoreThanOneBufferInAndOut) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  Connection connection(options_for(server));
  connection.exec("create table t (n int, s text)");
  CopyIn in(connection, "copy t from stdin");
  const std::string tail(100, 'x');
  for (int i = 0; i < 10'000; ++i) {
    append_copy_cell(in.buffer(), Value::integer(i));
    in.buffer() += '\t';
    append_copy_cell(in.buffer(), i % 2 == 0 ? Value::text("a\tb\\" + tail) : Value());
    in.buffer() += '\n';
    in.row_done();
  }
  EXPECT_EQ(in.finish(), 10'000U);
  EXPECT_EQ(server.sql("select count(*), count(s), sum(n), max(s) from t"),
            "10000|5000|49995000|a\tb\\" + tail + "\n");

  CopyOut out(connection, "copy (select * from t order by n limit 2) to stdout");
  EXPECT_EQ(out.next(), "0\ta\\tb\\\\" + tail + "\n");
  EXPECT_EQ(out.next(), "1\t\\N\n");
  EXPECT_EQ(out.next(), std::nullopt);
}

TEST(PostgresCopy, ConnectionSurvivesARefusedOrAbandonedCopy) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  Connection connection(options_for(server));
  connection.exec("create table t (n int)");
  {
    CopyIn in(connection, "copy t from stdin");
    for (int i = 0; i < 100'000; ++i) {
      in.buffer() += "no number\n";
      in.row_done();
    }
    EXPECT_EQ(error_of([&] { in.finish(); }).sqlstate(), "22P02");
  }
  {
    CopyIn in(connection, "copy t from stdin");
    in.buffer() += "1\n";
  }
  {
    CopyOut out(connection, "copy (select generate_series(1, 100000)) to stdout");
    EXPECT_EQ(out.next(), "1\n");
  }
  EXPECT_EQ(connection.exec("select count(*) from t").text(0, 0), "0");
}

TEST(PostgresTable, IsDescribedWithTypesKeysAndLimits) {
  EDDY_NEEDS_POSTGRES();
  const PostgresServer server;
  server.sql(R"(
    create type mood as enum ('sad', 'ok', 'happy');
    create domain short_text as varchar(7) not null;
    create schema crm;
    create table crm."Odd ""Name""" (
      id bigint generated always as identity primary key, email varchar(80) not null, code char(5), kind mood default 'ok',
      label short_text, amount numeric(30, 2), at timestamptz, doc jsonb, twice int generated always as (1 + 1) stored, gone int,
      unique (code, email));
    alter table crm."Odd ""Name""" drop column gone;
    create unique index partial on crm."Odd ""Name""" (email) where code is not null;
    create unique index expression on crm."Odd ""Name""" (lower(email));
    create view crm.v as select 1 as one;)");
  Connection connection(options_for(server));
  const auto table = describe_table(connection, {"crm", "Odd \"Name\""});
  ASSERT_TRUE(table.has_value());
  ASSERT_EQ(table->columns.size(), 9U);
  EXPECT_EQ(table->unique_keys, (std::vector<std::vector<std::string>>{{"id"}, {"code", "email"}}));
  EXPECT_TRUE(table->has_unique_key({"email", "code"}));
  EXPECT_FALSE(table->has_unique_key({"email"})) << "partial and expression indexes do not count";

  const TableColumn& email = *table->find("email");
  EXPECT_EQ(email.native_type, "character varying(80)");
  EXPECT_EQ(email.length_max, 80U);
  EXPECT_TRUE(email.not_null);
  EXPECT_FALSE(email.has_default);
  EXPECT_EQ(table->find("code")->length_max, 5U);
  EXPECT_EQ(table->find("kind")->options, (std::vector<std::string>{"sad", "ok", "happy"}));
  EXPECT_TRUE(table->find("kind")->has_default);
  EXPECT_EQ(table->find("label")->length_max, 7U) << "a domain counts as its base type";
  EXPECT_TRUE(table->find("label")->not_null);
  EXPECT_EQ(table->find("amount")->type, Type::decimal);
  EXPECT_EQ(table->find("at")->type, Type::timestamp);
  EXPECT_EQ(table->find("doc")->type, Type::json);
  EXPECT_TRUE(table->find("twice")->generated);
  EXPECT_TRUE(table->find("id")->generated);

  EXPECT_TRUE(describe_table(connection, {"crm", "v"})->is_view);
  EXPECT_FALSE(describe_table(connection, {"public", "v"}).has_value());
  EXPECT_EQ(list_tables(connection).size(), 2U);
}

}  // namespace
}  // namespace eddy::postgres
