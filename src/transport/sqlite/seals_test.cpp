#include "transport/sqlite/seals.h"

#include <gtest/gtest.h>

namespace eddy::sqlite {
namespace {

class Seals : public ::testing::Test {
 protected:
  Seals() : db(":memory:", Access::create) {
    define_seals(db);
    db.exec("create table t(a text, b, seal integer)");
  }
  std::int64_t seal(const std::string& values) {
    Statement s(db, "select eddy_seal('t', " + values + ")");
    s.step();
    return s.integer(0);
  }
  Database db;
};

TEST_F(Seals, DifferWithValuesAndTypesAndPlaces) {
  const std::vector<std::string> rows = {"'ab', 'c'", "'a', 'bc'", "'abc', ''", "'abc', null", "'1', 2",
                                         "1, '2'",    "1, 2",      "2, 1",      "1, 2.0",      "1, x'32'",
                                         "'', null",  "null, ''",  "null, null"};
  std::map<std::int64_t, std::string> seen;
  for (const std::string& row : rows) {
    const auto [other, fresh] = seen.emplace(seal(row), row);
    EXPECT_TRUE(fresh) << row << " and " << other->second;
  }
}

TEST_F(Seals, ARowThatWasChangedOtherwiseEndsTheStatement) {
  db.exec("insert into t values ('x', 7, eddy_seal('t', 'x', 7)), ('y', 8, eddy_seal('t', 'y', 8))");
  Statement whole(db, "select count(*) from t where eddy_intact('t', seal, a, b)");
  whole.step();
  EXPECT_EQ(whole.integer(0), 2);
  for (const std::string damage :
       {"a = 'z'", "b = 9", "b = '8'", "b = null", "seal = seal + 1", "seal = null"}) {
    Transaction rolled_back(db);
    db.exec("update t set " + damage + " where a = 'y'");
    Statement looks(db, "select a from t where eddy_intact('t', seal, a, b)");
    try {
      while (looks.step()) {
      }
      ADD_FAILURE() << damage << " is not noticed";
    } catch (const SqliteError& error) {
      EXPECT_TRUE(error.is_damaged());
      EXPECT_EQ(error.message(), "a row of t does not fit its checksum");
    }
  }
}

TEST_F(Seals, DamageIsSaidInTheWordsOfTheOwner) {
  db.on_damage([](const SqliteError& error) { throw Error("state.damaged", error.message()); });
  db.exec("insert into t values ('x', 7, 1)");
  try {
    db.exec("select * from t where eddy_intact('t', seal, a, b)");
    FAIL() << "not noticed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "state.damaged");
  }
  EXPECT_THROW(db.exec("no sql"), SqliteError);  // all else as ever
}

}  // namespace
}  // namespace eddy::sqlite
