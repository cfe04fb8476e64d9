#include "transport/sqlite/database.h"

#include <gtest/gtest.h>

#include "support/scratch.h"
#include "transport/sqlite/table.h"

namespace eddy::sqlite {
namespace {
using testing::Scratch;

SqliteError error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const SqliteError& error) {
    return error;
  }
  throw std::runtime_error("nothing was refused");
}

TEST(SqliteDatabase, KeepsWhatIsBound) {
  const Scratch scratch;
  Database database(scratch / "a.db", Access::create);
  database.exec("create table t (a, b, c, d, e)");
  Statement write(database, "insert into t values (?, ?, ?, ?, ?)");
  const Value bytes = Value::blob(std::string("\0x", 2)), amount = Value::decimal("0.10");
  write.bind(1, std::string_view())
      .bind(2, std::int64_t{-7})
      .bind(3, bytes)
      .bind(4, amount)
      .bind(5, Value())
      .run();
  EXPECT_EQ(database.changes(), 1U);

  Statement read(database, "select * from t");
  ASSERT_TRUE(read.step());
  EXPECT_EQ(read.value(0), Value::text("")) << "an empty view is empty text, not null";
  EXPECT_EQ(read.integer(1), -7);
  EXPECT_EQ(read.value(2), bytes);
  EXPECT_EQ(read.value(3), Value::text("0.10"));
  EXPECT_TRUE(read.is_null(4));
  EXPECT_FALSE(read.is_null(0));
  EXPECT_EQ(read.column_name(4), "e");
  EXPECT_FALSE(read.step());
}

TEST(SqliteDatabase, AccessIsKept) {
  const Scratch scratch;
  EXPECT_EQ(error_of([&] { Database(scratch / "a.db", Access::read_write); }).code(), "sqlite.unopenable");
  Database(scratch / "a.db", Access::create).exec("create table t (a)");
  Database reader(scratch / "a.db", Access::read_only);
  EXPECT_EQ(error_of([&] { reader.exec("insert into t values (1)"); }).name(), "SQLITE_READONLY");
  Database(scratch / "a.db", Access::read_write).exec("insert into t values (1)");
  Statement count(reader, "select count(*) from t");
  ASSERT_TRUE(count.step());
  EXPECT_EQ(count.integer(0), 1);
}

TEST(SqliteDatabase, ATransactionThatIsNotCommittedLeavesNothing) {
  const Scratch scratch;
  Database database(scratch / "a.db", Access::create);
  database.exec("create table t (a)");
  {
    Transaction transaction(database);
    EXPECT_TRUE(database.in_transaction());
    database.exec("insert into t values (1)");
  }
  EXPECT_FALSE(database.in_transaction());
  Transaction transaction(database);
  database.exec("insert into t values (2)");
  transaction.commit();
  Statement all(database, "select group_concat(a) from t");
  ASSERT_TRUE(all.step());
  EXPECT_EQ(all.text(0), "2");
}

TEST(SqliteError, SaysWhatItMeans) {
  const Scratch scratch;
  Database database(scratch / "a.db", Access::create);
  database.exec("create table t (a integer primary key, b text not null)");
  const SqliteError missing = error_of([&] { database.exec("insert into t values (1, null)"); });
  EXPECT_EQ(missing.name(), "SQLITE_CONSTRAINT_NOTNULL");
  EXPECT_TRUE(missing.is_constraint() && missing.is_data_error());
  EXPECT_FALSE(missing.is_transient() || missing.is_damaged() || missing.is_full());

  const SqliteError typed = error_of([&] { database.exec("insert into t values ('x', 'y')"); });
  EXPECT_TRUE(typed.is_data_error());
  EXPECT_FALSE(typed.is_constraint());

  Database other(scratch / "a.db", Access::read_write, std::chrono::milliseconds{0});
  const Transaction held(database);
  const SqliteError busy = error_of([&] { other.exec("insert into t values (1, 'y')"); });
  EXPECT_TRUE(busy.is_transient());
  EXPECT_FALSE(busy.is_data_error() || busy.is_damaged());
  EXPECT_NE(busy.hint(), "");
}

TEST(SqliteError, KnowsAFullDatabase) {
  const Scratch scratch;
  Database database(scratch / "a.db", Access::create);
  database.exec("create table t (a)");
  database.exec("pragma max_page_count = 2");
  const SqliteError full = error_of([&] { database.exec("insert into t values (zeroblob(100000))"); });
  EXPECT_TRUE(full.is_full()) << full.name();
  EXPECT_FALSE(full.is_data_error() || full.is_transient() || full.is_damaged());
  EXPECT_NE(full.hint(), "");
}

TEST(SqliteError, KnowsADamagedFile) {
  const Scratch scratch;
  Database foreign(scratch.write("no.db", std::string(4096, 'x')), Access::read_write);
  EXPECT_TRUE(error_of([&] { foreign.exec("select * from sqlite_master"); }).is_damaged());

  // One page of a real database overwritten.
  {
    Database database(scratch / "a.db", Access::create);
    database.exec("create table t (a); insert into t values (1)");
  }
  std::string bytes = scratch.read("a.db");
  ASSERT_GE(bytes.size(), 8192U);
  scratch.write("a.db", bytes.replace(4096, 4096, std::string(4096, '\x5A')));
  Database cut(scratch / "a.db", Access::read_write);
  EXPECT_TRUE(error_of([&] { cut.exec("select * from t"); }).is_damaged());
}

TEST(SqliteTable, DescribesColumnsAndUniqueKeys) {
  const Scratch scratch;
  Database database(scratch / "a.db", Access::create);
  database.exec(
      "create table People (id integer primary key, email text not null, amount decimal(10, 2) default 0, "
      "loud text generated always as (upper(email)));"
      "create unique index by_mail on People (email);"
      "create unique index partial_one on People (amount) where amount > 0;"
      "create view names as select email from People");
  const auto table = describe_table(database, "People");
  ASSERT_TRUE(table.has_value());
  EXPECT_FALSE(table->is_view);
  ASSERT_EQ(table->columns.size(), 4U);
  EXPECT_TRUE(table->find("id")->has_default);
  EXPECT_TRUE(table->find("email")->not_null);
  EXPECT_EQ(table->find("amount")->type, Type::decimal);
  EXPECT_EQ(table->find("amount")->affinity, Affinity::numeric);
  EXPECT_TRUE(table->find("loud")->generated);
  EXPECT_TRUE(table->has_unique_key({"id"}));
  EXPECT_TRUE(table->has_unique_key({"email"}));
  EXPECT_FALSE(table->has_unique_key({"amount"})) << "a partial index is none";
  EXPECT_TRUE(describe_table(database, "names")->is_view);
  EXPECT_FALSE(describe_table(database, "nobody").has_value());
  EXPECT_EQ(list_tables(database), (std::vector<std::string>{"People", "names"}));
  EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
}

}  // namespace
}  // namespace eddy::sqlite
