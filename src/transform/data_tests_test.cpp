#include "transform/data_tests.h"

#include "transform/build_fixture.h"

namespace eddy::transform {
namespace {

class DataTests : public BuildTest {
 protected:
  std::vector<TestResult> run(const std::string& relation, const std::string& tests, const std::string& sql) {
    const std::string text = "/* eddy\ntests:\n" + tests + "*/\n" + sql;
    build(relation, text);
    std::vector<TestResult> out;
    for (const DataTest& test : declared_tests(model(relation, text)))
      out.push_back(run_test(*session, test, cancel));
    return out;
  }
};

TEST_F(DataTests, WhatHoldsPasses) {
  build("clean.parents", "select i as id from range(5) t(i)");
  const auto results = run(
      "clean.x",
      "  - not_null: [a, b]\n  - unique: [a]\n  - unique: [[a, b]]\n  - accepted_values: {a: [0, 1, 2], b: "
      "[x, y], c: [true], d: [1]}\n"
      "  - relationships: {a: clean.parents.id}\n",
      "select * from (values (0, 'x', true, 1.0), (1, 'y', true, null), (2, 'x', null, 1.0)) t(a, b, c, d)");
  ASSERT_EQ(results.size(), 9u);
  std::string names;
  for (const TestResult& result : results) {
    EXPECT_EQ(result.status, TestStatus::passed) << result.name << " " << result.sql;
    EXPECT_EQ(result.summary, "holds");
    names += result.name + "\n";
  }
  EXPECT_EQ(names,
            "clean.x.not_null.a\nclean.x.not_null.b\nclean.x.unique.a\nclean.x.unique.a_and_b\nclean.x."
            "accepted_values.a\nclean.x.accepted_values.b\n"
            "clean.x.accepted_values.c\nclean.x.accepted_values.d\nclean.x.relationships.a\n");
}

TEST_F(DataTests, WhatBreaksIsCountedAndShown) {
  build("clean.parents", "select 1 as id");
  const auto results = run(
      "clean.x",
      "  - not_null: b\n  - unique: a\n  - unique: [[a, b]]\n  - accepted_values: {b: [x]}\n  - "
      "relationships: {a: clean.parents.id}\n",
      "select * from (values (1, 'x'), (1, 'x'), (1, null), (2, null), (null, 'y'), (null, 'y')) t(a, b)");
  ASSERT_EQ(results.size(), 5u);
  EXPECT_EQ(results[0].failing, 2u);
  EXPECT_EQ(results[0].samples, (std::vector<std::string>{R"({"a":1,"b":null})", R"({"a":2,"b":null})"}));
  EXPECT_EQ(results[1].failing, 1u);
  EXPECT_EQ(results[1].samples, std::vector<std::string>{R"({"a":1,"occurrences":3})"});
  EXPECT_EQ(results[2].samples, std::vector<std::string>{R"({"a":1,"b":"x","occurrences":2})"});
  EXPECT_EQ(results[3].failing, 2u);
  EXPECT_EQ(results[4].failing, 1u);
  EXPECT_EQ(results[4].samples, std::vector<std::string>{R"({"a":2,"b":null})"});
  for (const TestResult& result : results) EXPECT_EQ(result.status, TestStatus::failed);
  EXPECT_EQ(results[0].summary, "2 rows break it");
  EXPECT_EQ(results[1].summary, "1 row breaks it");
  EXPECT_EQ(rows("select count(*) from (" + results[0].sql + ")"), "2");
}

TEST_F(DataTests, SamplesStopAtFiveAndCountingDoesNot) {
  const auto results =
      run("clean.x", "  - not_null: [a]\n    severity: warn\n", "select null as a from range(10000)");
  EXPECT_EQ(results.at(0).failing, 10000u);
  EXPECT_EQ(results.at(0).samples.size(), 5u);
  EXPECT_EQ(results.at(0).status, TestStatus::warned);
}

TEST_F(DataTests, NamesStayApart) {
  const ModelSpec spec = model("clean.x",
                               "/* eddy\ntests:\n  - accepted_values: {a: [1]}\n  - accepted_values: {a: [1, "
                               "2]}\n    severity: warn\n*/ select 1 as a");
  const auto tests = declared_tests(spec);
  EXPECT_EQ(tests.at(0).name, "clean.x.accepted_values.a");
  EXPECT_EQ(tests.at(1).name, "clean.x.accepted_values.a_2");
}

TEST_F(DataTests, ATestThatDoesNotRunPointsAtItsEntry) {
  const std::string text = "/* eddy\ntests:\n  - not_null: [a, emial]\n*/\nselect 1 as a, 2 as email";
  build("clean.x", text);
  try {
    run_test(*session, declared_tests(model("clean.x", text)).at(1), cancel);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "transform.sql");
    EXPECT_NE(e.message().find("clean.x.not_null.emial does not run: Referenced column \"emial\" not found"),
              std::string::npos)
        << e.message();
    EXPECT_NE(e.hint().find("email"), std::string::npos);
    EXPECT_EQ(e.diagnostics().front().position.line, 3);
    EXPECT_EQ(e.diagnostics().front().position.column, 19);
  }
}

TEST_F(DataTests, WrittenTestsAreFiles) {
  build("clean.orders", "select * from (values (1, -5), (2, 7)) t(id, amount)");
  Diagnostics diagnostics;
  const auto test = parse_test("no_negative", "tests/no_negative.sql",
                               "/* eddy\ndescription: no negative amounts\nseverity: warn\ntags: "
                               "[nightly]\n*/\nselect * from clean.orders where amount < 0;\n",
                               config::no_variables(), diagnostics);
  ASSERT_TRUE(test);
  EXPECT_EQ(test->name, "test.no_negative");
  EXPECT_EQ(test->description, "no negative amounts");
  EXPECT_EQ(test->tags, std::vector<std::string>{"nightly"});
  const TestResult result = run_test(*session, *test, cancel);
  EXPECT_EQ(result.status, TestStatus::warned);
  EXPECT_EQ(result.samples, std::vector<std::string>{R"({"id":1,"amount":-5})"});
  auto connection = session->connect();
  EXPECT_EQ(test_dependencies(connection, *test).at(0).relation, "clean.orders");
}

TEST_F(DataTests, AWrittenTestThatDoesNotRunHasItsPlace) {
  build("clean.orders", "select 1 as amount");
  Diagnostics diagnostics;
  const auto test =
      parse_test("x", "tests/x.sql", "/* eddy */\nselect *\nfrom clean.orders\nwhere amonut < 0",
                 config::no_variables(), diagnostics);
  try {
    run_test(*session, *test, cancel);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.diagnostics().front().position.file, "tests/x.sql");
    EXPECT_EQ(e.diagnostics().front().position.line, 4);
    EXPECT_EQ(e.diagnostics().front().position.column, 7);
  }
  EXPECT_FALSE(
      parse_test("y", "tests/y.sql", "/* eddy\nseverty: warn\n*/", config::no_variables(), diagnostics));
  ASSERT_EQ(diagnostics.list().size(), 2u);
  EXPECT_EQ(diagnostics.list()[0].hint, "did you mean `severity`?");
  EXPECT_EQ(diagnostics.list()[1].code, "transform.no_sql");
}

TEST_F(DataTests, RelationshipsReadTheirParent) {
  const auto tests = declared_tests(
      model("clean.x",
            "/* eddy\ntests:\n  - not_null: a\n  - relationships: {a: clean.parents.id}\n*/ select 1 as a"));
  auto connection = session->connect();
  EXPECT_TRUE(test_dependencies(connection, tests.at(0)).empty());
  const auto parents = test_dependencies(connection, tests.at(1));
  ASSERT_EQ(parents.size(), 1u);
  EXPECT_EQ(parents[0].relation, "clean.parents");
  EXPECT_EQ(parents[0].at.line, 4);
}

TEST_F(DataTests, CancelledBeforeItStarts) {
  build("clean.x", "select 1 as a");
  const auto tests = declared_tests(model("clean.x", "/* eddy\ntests:\n  - not_null: a\n*/ select 1 as a"));
  cancel.request();
  EXPECT_THROW(run_test(*session, tests.at(0), cancel), Error);
}

}  // namespace
}  // namespace eddy::transform
