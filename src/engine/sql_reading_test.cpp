#include "engine/sql_reading.h"

#include <gtest/gtest.h>

#include "core/text.h"

namespace eddy::engine {
namespace {

class SqlReading : public ::testing::Test {
 protected:
  Database database = Database::in_memory({.memory_limit = "200MB", .spill_folder = {}, .threads = 1});
  Connection connection = database.connect();

  std::string names(std::string_view sql) {
    std::string out;
    for (const TableReference& table : table_references(connection, sql))
      out += (out.empty() ? "" : " ") + (table.schema.empty() ? table.name : table.schema + "." + table.name);
    return out;
  }
  Error error_of(std::string_view sql) {
    try {
      table_references(connection, sql);
    } catch (const Error& e) {
      return e;
    }
    return Error("none", "no error");
  }
};

TEST_F(SqlReading, FindsTablesWhereverTheyStand) {
  EXPECT_EQ(names("select * from clean.a join raw.b using (i) left join c on true"), "clean.a raw.b c");
  EXPECT_EQ(names("select (select max(x) from clean.s) from clean.a where exists (select 1 from clean.e) "
                  "and i in (from clean.f) order by (select 1 from clean.o) limit (select 1 from clean.l)"),
            "clean.s clean.a clean.e clean.f clean.o clean.l");
  EXPECT_EQ(names("from clean.a select i union all select i from clean.b except (table clean.c)"),
            "clean.a clean.b clean.c");
  EXPECT_EQ(names("select * from clean.a, lateral (select * from clean.z where z.i = a.i)"),
            "clean.a clean.z");
  EXPECT_EQ(names("select * from clean.a semi join clean.b using (i) asof join clean.c on c.t >= a.t "
                  "positional join clean.d"),
            "clean.a clean.b clean.c clean.d");
  EXPECT_EQ(names("select * from (pivot clean.sales on year in (2020, 2021) using sum(amount))"),
            "clean.sales");
  EXPECT_EQ(names("select * from clean.sales unpivot (a for b in (c, d))"), "clean.sales");
  EXPECT_EQ(names("select * from (describe clean.x)"), "clean.x");
  EXPECT_EQ(names("select max(x) filter (where x in (select y from clean.y)) over (partition by (select 1 "
                  "from clean.p)) from clean.w"),
            "clean.y clean.p clean.w");
}

TEST_F(SqlReading, NothingIsReadFromValuesAndFunctions) {
  EXPECT_EQ(names("values (1), (2)"), "");
  EXPECT_EQ(names("select 1"), "");
  EXPECT_EQ(names("select * from range(3)"), "");
}

TEST_F(SqlReading, CteNamesAreLeftOutInsideTheirScopeOnly) {
  EXPECT_EQ(names("with c as (from clean.a) select * from c"), "clean.a");
  EXPECT_EQ(names("with c as (from clean.a), d as (from C) select * from d join c using (i)"), "clean.a");
  EXPECT_EQ(names("with customers as (from clean.customers) select * from customers"), "clean.customers");
  EXPECT_EQ(names("select * from (with c as (select 1) from c), c"), "c");
  EXPECT_EQ(names("with a as (with a as (from raw.k) from a) from a"), "raw.k");
  EXPECT_EQ(names("with c as (from c2), c2 as (select 1) from c"), "c2");
  EXPECT_EQ(names("with clean as (select 1) select * from clean, clean.clean"), "clean.clean");
  EXPECT_EQ(
      names("with c as (select 1) select (select max(i) from c), (with c as (from raw.q) select 1 from c)"),
      "raw.q");
}

TEST_F(SqlReading, ARecursiveCteKnowsItself) {
  EXPECT_EQ(names("with recursive r as (select id from clean.tree union all select t.id from clean.tree t "
                  "join r on t.parent = r.id) select * from r"),
            "clean.tree");
}

TEST_F(SqlReading, EachTableOnceWithItsFirstPlace) {
  const auto tables = table_references(connection,
                                       "select 'é',\n  x\nfrom clean.b -- clean.no\n  join CLEAN.B as c on "
                                       "true /* raw.no */\n  join clean.a on true;\n;\n");
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0], (TableReference{"clean", "b", 3, 6}));
  EXPECT_EQ(tables[1], (TableReference{"clean", "a", 5, 8}));
  const auto after_umlaut = table_references(connection, "select 'é' from clean.a");
  EXPECT_EQ(after_umlaut.at(0).column, 17);
}

TEST_F(SqlReading, SyntaxErrorsTellTheirPlace) {
  const Error wrong = error_of("select a,\n  from from x");
  EXPECT_EQ(wrong.code(), "sql.syntax");
  EXPECT_EQ(wrong.message(), "syntax error at or near \"from\"");
  EXPECT_EQ(wrong.diagnostics()[0].position.line, 2);
  EXPECT_EQ(wrong.diagnostics()[0].position.column, 8);
  const Error umlaut = error_of("select 'é' from from x");
  EXPECT_EQ(umlaut.diagnostics()[0].position.column, 17);
  EXPECT_EQ(error_of("select 'open").code(), "sql.syntax");
}

TEST_F(SqlReading, OtherStatementsAreSaidHonestly) {
  EXPECT_EQ(error_of("insert into t values (1)").code(), "sql.not_a_select");
  EXPECT_EQ(error_of("select 1; drop table t").code(), "sql.not_a_select");
  EXPECT_EQ(error_of("select 1; select 2").message(), "there are 2 statements here");
  EXPECT_EQ(error_of("").message(), "there is no SQL here");
  EXPECT_EQ(error_of("-- nothing\n;").message(), "there is no SQL here");
  EXPECT_EQ(error_of("describe clean.x").code(), "sql.not_a_select");
  EXPECT_EQ(error_of("summarize clean.x").code(), "sql.not_a_select");
  EXPECT_EQ(error_of("show tables").code(), "sql.not_a_select");
  const Error pivot = error_of("select * from (pivot clean.sales on year using sum(amount))");
  EXPECT_EQ(pivot.code(), "sql.not_a_select");
  EXPECT_NE(pivot.hint().find("IN (value"), std::string::npos);
}

std::string columns_text(const ColumnReferences& references) {
  std::vector<std::string> names;
  for (const auto& name : references.names) names.push_back(join(name, "."));
  std::sort(names.begin(), names.end());
  return join(names, " ") + (references.every_column ? " *" : "");
}

TEST_F(SqlReading, ColumnsOfAnExpression) {
  const auto columns = [&](std::string_view expression) {
    return columns_text(column_references(connection, expression));
  };
  EXPECT_EQ(columns("email"), "email");
  EXPECT_EQ(columns("lower(trim(c.email)) || coalesce(\"Last Name\", last) || last"),
            "Last Name c.email last");
  EXPECT_EQ(columns("address.city"), "address.city");
  EXPECT_EQ(columns("case when age > 18 then plan end -- adults"), "age plan");
  EXPECT_EQ(columns("(email, phone)"), "email phone");
  EXPECT_EQ(columns("list_transform(tags, lambda t: t || suffix)"), "suffix t tags");
  EXPECT_EQ(columns("'constant'"), "");
  EXPECT_EQ(columns("count(*)"), "");
  EXPECT_EQ(columns("max(a) filter (where b > 1) over (partition by c order by d)"), "a b c d");
  EXPECT_EQ(columns("[x for x in xs if x > limit_of]"), "elem limit_of x xs");
}

TEST_F(SqlReading, EveryColumnMayBeRead) {
  const auto every = [&](std::string_view expression) {
    return column_references(connection, expression).every_column;
  };
  EXPECT_TRUE(every("struct_pack(*columns('e.*'))"));
  EXPECT_TRUE(every("#2"));
  EXPECT_TRUE(every("(from clean.a limit 1)"));
  EXPECT_TRUE(every("(select max(y) from clean.a as t(x, y))"));
  EXPECT_TRUE(every("(select any_value(t) from clean.a as t)"));
  EXPECT_TRUE(every("(select any_value(A) from clean.a)"));
  EXPECT_FALSE(every("(select max(y) from clean.a as t)"));
}

TEST_F(SqlReading, TablesOfAnExpression) {
  const auto references =
      column_references(connection, "(select max(o.total)\n from clean.orders o where o.id = people.id)");
  ASSERT_EQ(references.tables.size(), 1u);
  EXPECT_EQ(references.tables[0], (TableReference{"clean", "orders", 2, 7}));
  EXPECT_EQ(columns_text(references), "o.id o.total people.id");
}

TEST_F(SqlReading, WhetherAnExpressionIsHashed) {
  const auto hashed = [&](std::string_view expression) {
    return column_references(connection, expression).hashed;
  };
  EXPECT_TRUE(hashed("eddy_email_sha256(email)"));
  EXPECT_TRUE(hashed("(EDDY_Hmac_SHA256(email, 'k'))::varchar"));
  EXPECT_TRUE(hashed("sha256(lower(email))"));
  EXPECT_FALSE(hashed("eddy_email(email)"));
  EXPECT_FALSE(hashed("eddy_sha256(email) || email"));
  EXPECT_FALSE(hashed("coalesce(eddy_sha256(email), email)"));
  EXPECT_FALSE(hashed("email"));
}

TEST_F(SqlReading, WhatIsNoExpression) {
  const auto error = [&](std::string_view expression) {
    try {
      column_references(connection, expression);
    } catch (const Error& e) {
      return e;
    }
    return Error("none", "no error");
  };
  EXPECT_EQ(error("a b c").code(), "sql.syntax");
  EXPECT_EQ(error("email +\n ) +").diagnostics()[0].position.line, 2);
  EXPECT_EQ(error("").code(), "sql.syntax");
  EXPECT_EQ(error("a) from (select 1").code(), "sql.not_an_expression");
  EXPECT_EQ(error("a), (b").code(), "sql.not_an_expression");
  EXPECT_EQ(error("a); select (b").code(), "sql.not_a_select");
}

TEST_F(SqlReading, DescribesColumnsWithoutRunning) {
  const auto columns = describe(
      connection, "select 1 as a, 'x' as b, 1.5::decimal(10,2) as c, [1] as d, error('never runs') as e");
  ASSERT_EQ(columns.size(), 5u);
  EXPECT_EQ(columns[0].engine_type, "INTEGER");
  EXPECT_EQ(columns[1].type, Type::text);
  EXPECT_EQ(columns[2].engine_type, "DECIMAL(10,2)");
  EXPECT_EQ(columns[3].type, Type::json);
  EXPECT_THROW(describe(connection, "select * from clean.nope"), Error);
}

}  // namespace
}  // namespace eddy::engine
