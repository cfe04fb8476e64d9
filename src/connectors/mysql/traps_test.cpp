// What MySQL and MariaDB do in silence, and this connector must not let happen.
#include <limits>

#include "connectors/mysql/testing_mysql.h"

namespace eddy::connectors {
namespace {
using testing::count;
using testing::deliver;
using testing::MariadbServer;

// One lax server for all: what holds here holds on a strict one.
class MysqlTraps : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (MariadbServer::installed())
      server_ = std::make_unique<MariadbServer>(
          MariadbServer::Durability::off,
          std::vector<std::string>{"--sql-mode=", "--explicit-defaults-for-timestamp=0",
                                   "--character-set-server=latin1"});
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    EDDY_NEEDS_MARIADB();
    sql("drop table if exists t");
  }

  static std::string sql(const std::string& statements) { return server_->sql(statements); }
  static std::unique_ptr<sync::Writer> open(const sync::Delivery& delivery) {
    return connect(*server_)->open(delivery);
  }

  // The column `v` of a table with this type: each value in a row of its own. What is kept comes back as the
  // server's text; what is not, as "-".
  static std::vector<std::string> keep(const std::string& type, const std::vector<Value>& values,
                                       const std::string& shown = "v") {
    sql("drop table if exists t; create table t (id bigint primary key, v " + type + ")");
    const auto writer = open(delivery_to("t", {{"v", values.front().type()}}));
    std::vector<Change> changes;
    for (std::size_t i = 0; i < values.size(); ++i)
      changes.push_back(change_of(Value::integer(static_cast<std::int64_t>(i)), {values[i]}));
    const auto verdicts = deliver(*writer, changes).verdicts;
    std::vector<std::string> found;
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::string text = sql(fmt::format("select {} from t where id = {}", shown, i));
      EXPECT_EQ(verdicts[i].outcome, text.empty() ? Outcome::rejected : Outcome::applied)
          << values[i].to_text() << " " << verdicts[i].code << " " << verdicts[i].message;
      EXPECT_TRUE(!text.empty() || !verdicts[i].message.empty());
      found.push_back(text.empty() ? "-" : text.substr(0, text.size() - 1));
    }
    return found;
  }
  using Texts = std::vector<std::string>;

  static std::unique_ptr<MariadbServer> server_;
};
std::unique_ptr<MariadbServer> MysqlTraps::server_;

TEST_F(MysqlTraps, AnotherUniqueIndexIsNeverTakenForTheKey) {
  sql("create table t (id int primary key, email varchar(50) unique, name text);"
      "insert into t values (1, 'a@x', 'somebody else')");
  const auto writer = open(delivery_to("t", {{"email", Type::text}, {"name", Type::text}}));
  const std::vector<Change> changes = {
      change_of(Value::integer(2), {Value::text("a@x"), Value::text("thief")}),
      change_of(Value::integer(3), {Value::text("b@x"), Value::text("first of b")}),
      change_of(Value::integer(4), {Value::text("b@x"), Value::text("second of b")}),
      change_of(Value::integer(5), {Value::text("c@x"), Value::text("fine")})};
  const auto verdicts = deliver(*writer, changes).verdicts;
  EXPECT_EQ(verdicts[0].code, "ER_DUP_ENTRY");
  EXPECT_EQ(count(verdicts, Outcome::applied), 2U);
  EXPECT_EQ(verdicts[3].outcome, Outcome::applied);
  EXPECT_EQ(sql("select id, name from t order by id"), "1\tsomebody else\n3\tfirst of b\n5\tfine\n");
  const std::vector<Change> again = {
      change_of(Value::integer(3), {Value::text("c@x"), Value::text("moved")}),
      change_of(Value::integer(5), {Value::text("c@x"), Value::text("stays")})};
  EXPECT_EQ(deliver(*writer, again).verdicts[0].code, "ER_DUP_ENTRY") << "an update meets it as well";
  EXPECT_EQ(sql("select id, name from t order by id"), "1\tsomebody else\n3\tfirst of b\n5\tstays\n");
}

TEST_F(MysqlTraps, KeysThatTheCollationCallsEqualDoNotMerge) {
  sql("create table t (id varchar(20) collate utf8mb4_general_ci primary key, name text);"
      "insert into t values ('Bob', 'was there')");
  sync::Delivery delivery = delivery_to("t");
  delivery.key = {{"id", Type::text}};
  const auto writer = open(delivery);
  std::vector<Change> changes;
  for (const char* key : {"a", "A", "á", "a ", "b", "bob"})
    changes.push_back(change_of(Value::text(key), {Value::text(key)}));
  const auto verdicts = deliver(*writer, changes).verdicts;
  for (const std::size_t i : {1U, 2U, 3U, 5U}) EXPECT_EQ(verdicts[i].code, "key_meets_another") << i;
  EXPECT_NE(verdicts[5].message.find("`Bob`"), std::string::npos) << verdicts[5].message;
  EXPECT_EQ(count(verdicts, Outcome::applied), 2U);
  EXPECT_EQ(sql("select concat(id, '=', name) from t order by 1"), "a=a\nb=b\nBob=was there\n");

  const std::vector<Change> later = {change_of(Value::text("A"), {Value::text("another batch")})};
  EXPECT_EQ(deliver(*writer, later).verdicts[0].code, "key_meets_another");
  Change gone = change_of(Value::text("B"), {});
  gone.operation = Operation::remove;
  EXPECT_EQ(deliver(*writer, std::vector{gone}).verdicts[0].outcome, Outcome::applied);
  EXPECT_EQ(sql("select count(*) from t where id = 'b'"), "1\n") << "B was never delivered: b stays";
}

TEST_F(MysqlTraps, KeysMatchAsTheCollationSaysWhenTheSyncAsksForIt) {
  sql("create table t (id varchar(20) collate utf8mb4_general_ci primary key, name text);"
      "insert into t values ('Bob', 'was there')");
  sync::Delivery delivery = delivery_to("t", {{"name", Type::text}}, sync::Mode::update, "{keys: collation}");
  delivery.key = {{"id", Type::text}};
  const std::vector<Change> changes = {change_of(Value::text("bob"), {Value::text("new")}),
                                       change_of(Value::text("BOB"), {Value::text("newer")})};
  const auto verdicts = deliver(*open(delivery), changes).verdicts;
  EXPECT_EQ(verdicts[0].outcome, Outcome::applied);
  EXPECT_EQ(verdicts[1].code, "key_meets_another") << "two rows of a batch are still two rows";
  EXPECT_EQ(sql("select * from t"), "Bob\tnew\n");
}

TEST_F(MysqlTraps, NumbersWrittenInTwoWaysAreOneKey) {
  sql("create table t (id int primary key, name text)");
  sync::Delivery delivery = delivery_to("t");
  delivery.key = {{"id", Type::text}};
  const std::vector<Change> changes = {change_of(Value::text("7"), {Value::text("first")}),
                                       change_of(Value::text("07"), {Value::text("second")}),
                                       change_of(Value::text("x"), {Value::text("no number")})};
  const auto verdicts = deliver(*open(delivery), changes).verdicts;
  EXPECT_EQ(verdicts[1].code, "key_meets_another");
  EXPECT_EQ(verdicts[2].code, "value_not_kept");
  EXPECT_EQ(sql("select * from t"), "7\tfirst\n");
}

TEST_F(MysqlTraps, TheKeyZeroIsNotTheNextNumber) {
  sql("create table t (id int auto_increment primary key, name text); insert into t (name) values ('one')");
  EXPECT_EQ(count(deliver(*open(delivery_to("t")), rows(2)).verdicts, Outcome::applied), 2U);
  EXPECT_EQ(sql("select * from t order by id"), "0\trow\n1\trow\n");
}

TEST_F(MysqlTraps, RecordsThatAreThereNeedNoColumnThatIsNotMapped) {
  sql("create table t (id int primary key, name text, born date not null);"
      "insert into t values (1, 'old', '2000-01-01')");
  const std::vector<Change> changes = {change_of(Value::integer(1), {Value::text("new")}),
                                       change_of(Value::integer(2), {Value::text("nobody")})};
  const auto verdicts = deliver(*open(delivery_to("t")), changes).verdicts;
  EXPECT_EQ(verdicts[0].outcome, Outcome::applied);
  EXPECT_EQ(verdicts[1].code, "ER_NO_DEFAULT_FOR_FIELD") << "a lax server would have made up a date";
  EXPECT_EQ(sql("select * from t"), "1\tnew\t2000-01-01\n");
}

TEST_F(MysqlTraps, ANewRecordWithoutAColumnThatItNeedsIsRefused) {
  sql("create table t (id int primary key, name text, born date not null)");
  const auto writer = open(delivery_to("t"));
  EXPECT_EQ(deliver(*writer, rows(1)).verdicts[0].code, "ER_NO_DEFAULT_FOR_FIELD");
  EXPECT_EQ(sql("select count(*) from t"), "0\n");
}

TEST_F(MysqlTraps, NullIsNotReplacedByADefault) {
  sql("create table t (id int primary key, name varchar(9) not null default 'x', at timestamp not null)");
  const auto writer = open(delivery_to("t", {{"name", Type::text}, {"at", Type::timestamp}}));
  const Value at = Value::timestamp("2026-11-23T10:53:42Z");
  const std::vector<Change> changes = {change_of(Value::integer(1), {Value(), at}),
                                       change_of(Value::integer(2), {Value::text("y"), Value()}),
                                       change_of(Value::integer(3), {Value::text("z"), at})};
  const auto verdicts = deliver(*writer, changes).verdicts;
  EXPECT_EQ(verdicts[0].code, "ER_BAD_NULL_ERROR");
  EXPECT_EQ(verdicts[1].code, "ER_BAD_NULL_ERROR");
  EXPECT_EQ(sql("set time_zone = '+00:00'; select * from t"), "3\tz\t2026-11-23 10:53:42\n");
}

TEST_F(MysqlTraps, TextIsNotCutBentOrTranslatedAway) {
  EXPECT_EQ(keep("varchar(5)", {Value::text("abcde"), Value::text("abcdef"), Value::text("abcde ")}),
            (Texts{"abcde", "-", "-"}));
  EXPECT_EQ(keep("char(5)", {Value::text("abc"), Value::text("abc "), Value::text("abcdef")}),
            (Texts{"abc", "-", "-"}));
  EXPECT_EQ(keep("varchar(20) character set utf8mb3", {Value::text("Größe 東京"), Value::text("🚀")}),
            (Texts{"Größe 東京", "-"}));
  EXPECT_EQ(
      keep("varchar(20) character set latin1", {Value::text("Größe"), Value::text("東京")}, "v, hex(v)"),
      (Texts{"Größe\t4772F6DF65", "-"}));
  EXPECT_EQ(keep("enum('gold','it''s','2')", {Value::text("gold"), Value::text("GOLD"), Value::text("1"),
                                              Value::text("it's"), Value::text(""), Value::text("2")}),
            (Texts{"gold", "-", "-", "it's", "-", "2"}));
  EXPECT_EQ(keep("set('a','b')", {Value::text("a,b"), Value::text(""), Value::text("a,c"), Value::text("1")}),
            (Texts{"a,b", "", "-", "-"}));
  EXPECT_EQ(keep("json", {Value::text("{\"a\": 1}"), Value::text("{")}), (Texts{"{\"a\": 1}", "-"}));
}

TEST_F(MysqlTraps, NumbersAreNotRoundedOrClamped) {
  EXPECT_EQ(keep("int", {Value::decimal("12"), Value::decimal("12.5"), Value::decimal("99999999999")}),
            (Texts{"12", "-", "-"}));
  EXPECT_EQ(keep("int", {Value::text("12"), Value::text("12abc"), Value::text(""), Value::text("1e3")}),
            (Texts{"12", "-", "-", "-"}));
  EXPECT_EQ(keep("tinyint unsigned", {Value::integer(255), Value::integer(256), Value::integer(-1)}),
            (Texts{"255", "-", "-"}));
  EXPECT_EQ(keep("bigint unsigned", {Value::decimal("18446744073709551615"),
                                     Value::decimal("18446744073709551616"), Value::decimal("-1")}),
            (Texts{"18446744073709551615", "-", "-"}));
  EXPECT_EQ(
      keep("decimal(6,2)", {Value::decimal("12.50"), Value::decimal("12.505"), Value::decimal("12345.6")}),
      (Texts{"12.50", "-", "-"}));
  EXPECT_EQ(keep("decimal(6,2)", {Value::real(0.5), Value::real(0.125), Value::real(1e30)}),
            (Texts{"0.50", "-", "-"}));
  EXPECT_EQ(keep("double", {Value::decimal("0.1"), Value::decimal("0.1234567890123456789")}),
            (Texts{"0.1", "-"}));
  EXPECT_EQ(keep("float", {Value::integer(1234567), Value::integer(123456), Value::integer(16777217)}),
            (Texts{"-", "123456", "-"}));
  EXPECT_EQ(keep("double", {Value::integer(9007199254740993), Value::integer(1 << 30)}),
            (Texts{"-", "1073741824"}));
  EXPECT_EQ(keep("bit(4)", {Value::integer(9), Value::integer(16)}, "v + 0"), (Texts{"9", "-"}));
  EXPECT_EQ(keep("bit(1)", {Value::boolean(true), Value::boolean(false)}, "v + 0"), (Texts{"1", "0"}));
  EXPECT_EQ(keep("year", {Value::integer(2026), Value::integer(70), Value::integer(2200)}),
            (Texts{"2026", "-", "-"}));
}

TEST_F(MysqlTraps, TimesKeepTheirFractionsAndZones) {
  EXPECT_EQ(
      keep("datetime", {Value::timestamp("2026-11-23T10:53:42Z"), Value::timestamp("2026-11-23T10:53:42.5Z"),
                        Value::timestamp("2026-11-23T10:53:42.000000Z")}),
      (Texts{"2026-11-23 10:53:42", "-", "2026-11-23 10:53:42"}));
  EXPECT_EQ(keep("datetime(3)", {Value::timestamp("2026-11-23T10:53:42.125Z"),
                                 Value::timestamp("2026-11-23T10:53:42.1251Z")}),
            (Texts{"2026-11-23 10:53:42.125", "-"}));
  EXPECT_EQ(keep("timestamp null",
                 {Value::timestamp("2026-03-29T02:30:00Z"), Value::timestamp("2039-01-01T00:00:00Z"),
                  Value::timestamp("1969-12-31T23:59:59Z")},
                 "unix_timestamp(v)"),
            (Texts{"1774751400", "-", "-"}));
  EXPECT_EQ(
      keep("date", {Value::timestamp("2026-11-23T00:00:00Z"), Value::timestamp("2026-11-23T00:00:01Z")}),
      (Texts{"2026-11-23", "-"}));
  EXPECT_EQ(keep("date", {Value::text("2026-02-30"), Value::text("0000-00-00"), Value::text("2026-02-28")}),
            (Texts{"-", "-", "2026-02-28"}));
}

TEST_F(MysqlTraps, BytesAreNotFilledUp) {
  EXPECT_EQ(
      keep("binary(3)", {Value::blob(std::string("\x00\xff\t", 3)), Value::blob("ab"), Value::blob("abcd")},
           "hex(v)"),
      (Texts{"00FF09", "-", "-"}));
  EXPECT_EQ(keep("varbinary(3)", {Value::blob("ab"), Value::blob("abcd")}, "hex(v)"), (Texts{"6162", "-"}));
}

TEST_F(MysqlTraps, WhatTheDatabaseComputesIsReadOnly) {
  sql("create table t (id int primary key, a int, b int as (a * 2) stored, c int as (a * 3) virtual)");
  const auto destination = connect(*server_);
  const auto schema = destination->describe("t");
  EXPECT_TRUE(schema->fields[1].writable);
  EXPECT_FALSE(schema->fields[2].writable);
  EXPECT_FALSE(schema->fields[3].writable);
  EXPECT_EQ(error_of([&] {
              destination->open(delivery_to("t", {{"b", Type::integer}}));
            }).code(),
            "destination.read_only_field");
}

TEST_F(MysqlTraps, ATableThatCannotUndoTakesNoInserts) {
  sql("create table t (id int primary key, name text) engine = MyISAM");
  EXPECT_EQ(error_of([&] {
              open(delivery_to("t", {{"name", Type::text}}, sync::Mode::insert));
            }).code(),
            "destination.unsupported");
  EXPECT_EQ(count(deliver(*open(delivery_to("t")), rows(3)).verdicts, Outcome::applied), 3U);
}

TEST_F(MysqlTraps, ZeroDatesAreReadAsNothingAndStayWhereTheyAre) {
  sql("create table t (id int primary key, name text, day date, at datetime);"
      "insert into t values (1, 'old', '0000-00-00', '0000-00-00 00:00:00')");
  const auto destination = connect(*server_);
  EXPECT_EQ(count(deliver(*destination->open(delivery_to("t")),
                          std::vector{change_of(Value::integer(1), {Value::text("new")})})
                      .verdicts,
                  Outcome::applied),
            1U);
  EXPECT_EQ(sql("select * from t"), "1\tnew\t0000-00-00\t0000-00-00 00:00:00\n");
  const auto records = destination
                           ->reader({.object = "t",
                                     .key = {{"id", Type::integer}},
                                     .fields = {{"day", Type::date}, {"at", Type::timestamp}},
                                     .options = {}})
                           ->read(std::vector<Row>{{Value::integer(1)}});
  EXPECT_EQ(records[0].fields, (Row{Value(), Value()}));
}

TEST_F(MysqlTraps, RecordsAreFoundByExactKeysOfAnyType) {
  sql("create table t (id bigint primary key, word varchar(20) character set latin1, amount decimal(10,2), "
      "at "
      "datetime(3), raw varbinary(9), flag bit(1), big bigint unsigned);"
      "insert into t values (9007199254740993, 'Gr\303\266\303\237e', 12.50, '2026-11-23 10:53:42.125', "
      "x'00ff', 1, "
      "18446744073709551615), (9007199254740992, 'x', 1, '2026-01-01', 'y', 0, 1)");
  const auto destination = connect(*server_);
  const auto matches = [&](const std::string& column, const Value& value) {
    const auto reader =
        destination->reader({.object = "t", .key = {{column, value.type()}}, .fields = {}, .options = {}});
    return reader->read(std::vector<Row>{{value}})[0].matches;
  };
  EXPECT_EQ(matches("id", Value::integer(9007199254740993)), 1U);
  EXPECT_EQ(matches("word", Value::text("Größe")), 1U);
  EXPECT_EQ(matches("word", Value::text("größe")), 0U);
  EXPECT_EQ(matches("word", Value::text("東京")), 0U);
  EXPECT_EQ(matches("amount", Value::decimal("12.5")), 1U);
  EXPECT_EQ(matches("at", Value::timestamp("2026-11-23T10:53:42.125Z")), 1U);
  EXPECT_EQ(matches("at", Value::timestamp("2026-11-23T10:53:42.1251Z")), 0U);
  EXPECT_EQ(matches("raw", Value::blob(std::string("\x00\xff", 2))), 1U);
  EXPECT_EQ(matches("flag", Value::boolean(true)), 1U);
  EXPECT_EQ(matches("big", Value::decimal("18446744073709551615")), 1U);
  EXPECT_EQ(matches("id", Value::text("1 or 1=1")), 0U);
}

// LOCAL INFILE is off by MySQL's own default, and at many hosts.
TEST(MysqlSmallPackets, RowsGoAsStatementsWhereNothingCanBeLoaded) {
  EDDY_NEEDS_MARIADB();
  for (const char* setting : {"--local-infile=0", "--local-infile=1"}) {
    const MariadbServer server(MariadbServer::Durability::off,
                               {setting, "--max-allowed-packet=64K", "--sql-mode="});
    server.sql("create table people (id int primary key, name mediumtext, bytes mediumblob, flag bit(1))");
    const auto writer = connect(server)->open(
        delivery_to("people", {{"name", Type::text}, {"bytes", Type::blob}, {"flag", Type::boolean}}));
    std::vector<Change> changes;
    for (int i = 0; i < 3000; ++i)
      changes.push_back(
          change_of(Value::integer(i), {Value::text(fmt::format("it's \\ row\t{}\n", i)),
                                        Value::blob(std::string("\x00'\\", 3)), Value::boolean(true)}));
    changes[1000].key[0] = Value::decimal("99999999999");
    changes[2000].fields[1] = Value::blob(std::string(70'000, 'x'));
    const auto delivered = deliver(*writer, changes);
    EXPECT_EQ(delivered.verdicts[1000].code, "ER_WARN_DATA_OUT_OF_RANGE");
    EXPECT_EQ(delivered.verdicts[2000].outcome, Outcome::rejected) << "longer than the server takes";
    EXPECT_EQ(count(delivered.verdicts, Outcome::applied), 2998U) << setting;
    EXPECT_EQ(
        server.sql("select count(*), count(distinct name), hex(min(bytes)), hex(max(bytes)), min(flag + 0) "
                   "from people"),
        "2998\t2998\t00275C\t00275C\t1\n");
  }
}

}  // namespace
}  // namespace eddy::connectors
