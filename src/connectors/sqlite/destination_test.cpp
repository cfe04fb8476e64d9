#include "connectors/sqlite/destination.h"

#include <gtest/gtest.h>

#include "connectors/sqlite/writer.h"
#include "connectors/tables/testing_tables.h"
#include "support/delivery.h"
#include "support/scratch.h"

namespace eddy::connectors {
namespace {
using sqlite::Affinity;
using testing::rows;
using testing::Scratch;

std::unique_ptr<sync::Destination> connect(const Scratch& scratch) {
  return testing::make(sqlite_destination(), "{path: data/crm.db, busy_timeout: 20ms}", scratch.path());
}

sync::Delivery delivery_to(const std::string& object, const std::string& options = "{}") {
  return testing::delivery_to(sqlite_destination(), object, {{"name", Type::text}}, sync::Mode::upsert,
                              options);
}

sqlite::Database database(const Scratch& scratch, const std::string& sql) {
  std::filesystem::create_directories(scratch / "data");
  sqlite::Database made(scratch / "data/crm.db", sqlite::Access::create);
  made.exec(sql);
  return sqlite::Database(scratch / "data/crm.db", sqlite::Access::read_write);
}

std::string cell(sqlite::Database& from, const std::string& sql) {
  sqlite::Statement query(from, sql);
  return query.step() ? query.text(0) : "(no row)";
}

TEST(SqliteDestination, MakesFileAndTableOnTheFirstBatchOnly) {
  const Scratch scratch;
  const auto destination = connect(scratch);
  EXPECT_NE(destination->check().find("not there yet"), std::string::npos);
  EXPECT_THROW(destination->open(delivery_to("people")), Error);
  const auto delivery = delivery_to("people", "{create_table: true}");
  const auto writer = destination->open(delivery);
  writer->preview(rows(1));
  EXPECT_FALSE(std::filesystem::exists(scratch / "data")) << "looking makes nothing";
  EXPECT_EQ(testing::count(testing::deliver(*writer, rows(3)).verdicts, Outcome::applied), 3U);
  sqlite::Database made(scratch / "data/crm.db", sqlite::Access::read_only);
  EXPECT_EQ(cell(made, "select count(*) from people"), "3");
  EXPECT_TRUE(destination->describe("people")->fields[0].key);
  EXPECT_NO_THROW(destination->open(delivery)) << "the table that was made fits its own delivery";
}

TEST(SqliteDestination, TheTableItMakesKeepsEveryType) {
  const Scratch scratch;
  auto delivery = delivery_to("people", "{create_table: true}");
  delivery.fields = {{"amount", Type::decimal},
                     {"doc", Type::json},
                     {"day", Type::date},
                     {"at", Type::timestamp},
                     {"flag", Type::boolean}};
  auto changes = rows(1);
  changes[0].fields = {Value::decimal("-123456789012345678901234567890.5"),
                       Value::json("12345678901234567890"), Value::date("2026-11-23"),
                       Value::timestamp("2026-11-23T10:53:42Z"), Value::boolean(true)};
  const auto destination = connect(scratch);
  EXPECT_EQ(
      testing::count(testing::deliver(*destination->open(delivery), changes).verdicts, Outcome::applied), 1U);
  sqlite::Database made(scratch / "data/crm.db", sqlite::Access::read_only);
  EXPECT_EQ(cell(made, "select amount || ' ' || doc || ' ' || day || ' ' || at || ' ' || flag from people"),
            "-123456789012345678901234567890.5 12345678901234567890 2026-11-23 2026-11-23T10:53:42Z 1");
  const auto schema = destination->describe("people");
  for (std::size_t i = 0; i < delivery.fields.size(); ++i)
    EXPECT_EQ(schema->fields[i + 1].type, delivery.fields[i].type);
}

TEST(SqliteDestination, PrintsTheIndexThatIsMissing) {
  const Scratch scratch;
  auto crm = database(scratch,
                      "create table people (id integer, name text); create unique index partial on people "
                      "(id) where name = 'x'");
  try {
    connect(scratch)->open(delivery_to("people"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "destination.key_not_unique");
    ASSERT_EQ(error.hint(), "run: create unique index \"people_id\" on \"people\" (\"id\");");
    crm.exec(error.hint().substr(5));
  }
  EXPECT_NO_THROW(connect(scratch)->open(delivery_to("people")));
}

TEST(SqliteDestination, BadRowsStandAloneInOneRequest) {
  const Scratch scratch;
  auto crm =
      database(scratch, "create table people (id integer primary key, name text check (name <> 'bad'))");
  auto changes = rows(10);
  changes[4].fields[0] = Value::text("bad");
  changes[6].key[0] = Value::text("no number");
  const auto delivered = testing::deliver(*connect(scratch)->open(delivery_to("people")), changes);
  EXPECT_EQ(delivered.requests, 1U);
  EXPECT_EQ(delivered.verdicts[4].code, "SQLITE_CONSTRAINT_CHECK");
  EXPECT_EQ(delivered.verdicts[6].code, "SQLITE_MISMATCH");
  EXPECT_EQ(cell(crm, "select count(*) from people"), "8");
}

TEST(SqliteDestination, AConstraintThatSpeaksAtCommitIsBroughtDownToItsRow) {
  const Scratch scratch;
  auto crm = database(scratch,
                      "create table teams (name text primary key); insert into teams values ('row'); create "
                      "table people (id integer "
                      "primary key, name text references teams deferrable initially deferred)");
  auto changes = rows(8);
  changes[5].fields[0] = Value::text("nobody");
  const auto verdicts = testing::deliver(*connect(scratch)->open(delivery_to("people")), changes).verdicts;
  EXPECT_EQ(testing::count(verdicts, Outcome::applied), 7U);
  EXPECT_EQ(verdicts[5].code, "SQLITE_CONSTRAINT_FOREIGNKEY");
  EXPECT_EQ(cell(crm, "select count(*) from people"), "7");
}

TEST(SqliteDestination, ATriggerThatRollsBackIsBroughtDownToItsRow) {
  const Scratch scratch;
  auto crm = database(scratch,
                      "create table people (id integer primary key, name text); create trigger t before "
                      "insert on people when "
                      "new.id = 3 begin select raise(rollback, 'not three'); end");
  const auto verdicts = testing::deliver(*connect(scratch)->open(delivery_to("people")), rows(6)).verdicts;
  EXPECT_EQ(testing::count(verdicts, Outcome::applied), 5U);
  EXPECT_EQ(verdicts[3].message, "not three");
  EXPECT_EQ(cell(crm, "select count(*) from people"), "5");
}

TEST(SqliteDestination, AFileHeldByAnotherIsRetriedAndThenWritten) {
  const Scratch scratch;
  auto crm = database(scratch, "create table people (id integer primary key, name text)");
  const auto writer = connect(scratch)->open(delivery_to("people"));
  crm.exec("begin immediate");
  const auto held = testing::deliver(*writer, rows(2)).verdicts;
  EXPECT_EQ(testing::count(held, Outcome::retry), 2U);
  EXPECT_EQ(held[0].code, "SQLITE_BUSY");
  crm.exec("rollback");
  EXPECT_EQ(testing::count(testing::deliver(*writer, rows(2)).verdicts, Outcome::applied), 2U);
}

TEST(SqliteDestination, AFileThatIsNoDatabaseIsSaid) {
  const Scratch scratch;
  scratch.write("data/crm.db", "this is a text file, and a long one, so that SQLite looks at it");
  EXPECT_THROW(connect(scratch)->check(), Error);
}

TEST(SqliteLoss, IsFoundBeforeItHappens) {
  EXPECT_EQ(loss_in(Affinity::text, Value::decimal("123456789012345678901234567890")), "");
  EXPECT_NE(loss_in(Affinity::numeric, Value::decimal("123456789012345678901234567890")), "");
  EXPECT_EQ(loss_in(Affinity::numeric, Value::decimal("9223372036854775807")), "");
  EXPECT_NE(loss_in(Affinity::numeric, Value::decimal("9223372036854775808")), "");
  EXPECT_EQ(loss_in(Affinity::numeric, Value::decimal("0.000123456789012345")), "");
  EXPECT_NE(loss_in(Affinity::real, Value::integer((std::int64_t{1} << 53) + 1)), "");
  EXPECT_NE(loss_in(Affinity::real, Value::real(std::numeric_limits<double>::quiet_NaN())), "");
  EXPECT_NE(loss_in(Affinity::text, Value::text("\xFF")), "");
}

}  // namespace
}  // namespace eddy::connectors
