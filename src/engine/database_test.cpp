#include "engine/database.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/error.h"
#include "support/scratch.h"

namespace eddy::engine {
namespace {

Value one(Connection& c, const std::string& sql) { return c.query(sql).scalar(); }

TEST(Engine, ReadsEveryTypeExactly) {
  auto db = Database::in_memory({});
  auto c = db.connect();
  EXPECT_EQ(one(c, "select true"), Value::boolean(true));
  EXPECT_EQ(one(c, "select (-128)::tinyint"), Value::integer(-128));
  EXPECT_EQ(one(c, "select 9223372036854775807"), Value::integer(INT64_MAX));
  EXPECT_EQ(one(c, "select 18446744073709551615::ubigint"), Value::decimal("18446744073709551615"));
  EXPECT_EQ(one(c, "select (-170141183460469231731687303715884105727)::hugeint"),
            Value::decimal("-170141183460469231731687303715884105727"));
  EXPECT_EQ(one(c, "select 0.1::float"), Value::real(0.1));
  EXPECT_EQ(one(c, "select -0.05::decimal(4,2)"), Value::decimal("-0.05"));
  EXPECT_EQ(one(c, "select 12345678901234567890123456.78::decimal(30,2)"),
            Value::decimal("12345678901234567890123456.78"));
  EXPECT_EQ(one(c, "select date '2024-02-29'"), Value::date("2024-02-29"));
  EXPECT_EQ(one(c, "select date '0044-03-15 (BC)'"), Value::date("0044-03-15 BC"));
  EXPECT_EQ(one(c, "select timestamp '2024-02-29 23:59:59.5'"),
            Value::timestamp("2024-02-29T23:59:59.500000Z"));
  EXPECT_EQ(one(c, "select timestamptz '2024-02-29 23:59:59+02'"), Value::timestamp("2024-02-29T21:59:59Z"));
  EXPECT_EQ(one(c, "select timestamp '1969-12-31 23:00:00'"), Value::timestamp("1969-12-31T23:00:00Z"));
  EXPECT_EQ(one(c, "select uuid '123e4567-e89b-12d3-a456-426614174000'"),
            Value::text("123e4567-e89b-12d3-a456-426614174000"));
  EXPECT_EQ(one(c, "select [1, null, 3]"), Value::json("[1,null,3]"));
  EXPECT_EQ(one(c, "select {'a': 1, 'b': ['x']}"), Value::json(R"({"a":1,"b":["x"]})"));
  EXPECT_EQ(one(c, "select map {'k': 2.5::double}"), Value::json(R"({"k":2.5})"));
  EXPECT_EQ(one(c, "select '{\"a\":1}'::json"), Value::json(R"({"a":1})"));
  EXPECT_EQ(one(c, "select '\\x00\\xFF'::blob"), Value::blob(std::string("\0\xFF", 2)));
  EXPECT_EQ(one(c, "select 'x'::enum('x','y')"), Value::text("x"));
  EXPECT_EQ(one(c, "select null::integer"), Value());
  EXPECT_EQ(one(c, "select interval '1 month 2 days'"), Value::text("1 months 2 days"));
}

TEST(Engine, NamesColumnTypes) {
  auto db = Database::in_memory({});
  auto c = db.connect();
  auto r = c.query(
      "select 1.5::decimal(10,2) as amount, [1]::integer[] as list, {'a': 'x'} as s, current_timestamp as t");
  EXPECT_EQ(r.columns()[0].engine_type, "DECIMAL(10,2)");
  EXPECT_EQ(r.columns()[1].engine_type, "INTEGER[]");
  EXPECT_EQ(r.columns()[2].engine_type, "STRUCT(\"a\" VARCHAR)");
  EXPECT_EQ(r.columns()[3].type, Type::timestamp);
}

TEST(Engine, BindsParametersAndStreams) {
  auto db = Database::in_memory({});
  auto c = db.connect();
  EXPECT_EQ(c.query("select $1 || '!', $2", {Value::text("it's"), Value::integer(4)}).rows().front().front(),
            Value::text("it's!"));
  std::int64_t sum = 0;
  std::size_t rows = 0;
  auto stream = c.stream("select i::bigint from range(100000) t(i)");
  while (auto chunk = stream.next())
    for (std::size_t r = 0; r < chunk->rows(); ++r, ++rows) sum += chunk->bigint(0, r);
  EXPECT_EQ(rows, 100000U);
  EXPECT_EQ(sum, 4999950000);
}

TEST(Engine, ErrorsCarryTheEnginesWords) {
  auto db = Database::in_memory({});
  auto c = db.connect();
  try {
    c.query("select nope from range(3) t(i)");
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "engine.query_failed");
    EXPECT_NE(e.message().find("nope"), std::string::npos);
  }
  // A failure in the middle of a stream is an error too, not an early end.
  EXPECT_THROW(
      {
        auto stream = c.stream(
            "select case when i > 50000 then error('late')::bigint else i end from range(100000) t(i)");
        while (stream.next()) {
        }
      },
      Error);
}

TEST(Engine, AppendsAndRollsBack) {
  auto db = Database::in_memory({});
  auto c = db.connect();
  c.execute("create table t(a bigint, b varchar)");
  {
    Transaction transaction(c);
    c.execute("insert into t values (0, 'gone')");
  }
  auto appender = c.appender("", "", "t");
  appender.append(Value::integer(1));
  appender.append(Value::text("x"));
  appender.end_row();
  appender.append(Value());
  appender.append(Value());
  appender.end_row();
  appender.close();
  EXPECT_EQ(one(c, "select count(*) from t"), Value::integer(2));
  EXPECT_EQ(one(c, "select count(*) from t where a is null"), Value::integer(1));
}

TEST(Engine, InterruptEndsAStatement) {
  auto db = Database::in_memory({});
  auto c = db.connect();
  std::atomic<bool> done = false;
  std::thread other([&] {
    while (!done) {
      c.interrupt();
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
  });
  try {
    c.query("select sum(sqrt(i * j)) from range(10000000) a(i), range(10000) b(j)");
    ADD_FAILURE() << "not interrupted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "engine.interrupted");
  }
  done = true;
  other.join();
}

TEST(Engine, NothingIsDownloaded) {
  auto db = Database::in_memory({});
  auto c = db.connect();
  EXPECT_THROW(c.query("select * from read_csv('https://127.0.0.1:1/x.csv')"), Error);
  EXPECT_EQ(one(c, "select current_setting('autoinstall_known_extensions')"), Value::boolean(false));
}

}  // namespace
}  // namespace eddy::engine
