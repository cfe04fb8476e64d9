#include "config/shape.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/secrets.h"
#include "support/scratch.h"

namespace eddy::config {
namespace {

Shape person() {
  return Shape::object(
      {required("name", Shape::string(), "Who"), field("age", Shape::integer(), "Years"),
       field("share", Shape::share(), "Part"), field("kind", Shape::enumeration({"cat", "dog"}), "What"),
       field("tags", Shape::list(Shape::string()), "Words"), field("every", Shape::duration(), "How often"),
       secret("token", "Key", false),
       field("more", Shape::one_of({Shape::string(), Shape::object({field("x", Shape::integer(), "X")})}),
             "Either")});
}

std::vector<Diagnostic> problems_of(const std::string& yaml) {
  Diagnostics diagnostics;
  const Node node = parse(yaml, "p.yml", no_variables(), diagnostics);
  if (diagnostics.empty()) person().check(node, diagnostics);
  return diagnostics.list();
}

TEST(Shape, AcceptsWhatFits) {
  EXPECT_TRUE(problems_of("name: Ann\nage: 5\nshare: 5%\nkind: cat\ntags: one\nevery: 1h30m\nmore: {x: 1}\n")
                  .empty());
  EXPECT_TRUE(problems_of("name: Ann\ntags: [a, b]\nmore: text\n").empty());
}

TEST(Shape, UnknownKeyHasPositionAndGuess) {
  const auto problems = problems_of("name: Ann\nagee: 5\n");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].code, "config.unknown_key");
  EXPECT_EQ(problems[0].hint, "did you mean `age`?");
  EXPECT_EQ(problems[0].position.line, 2);
  EXPECT_EQ(problems[0].position.column, 1);
  EXPECT_EQ(problems[0].excerpt, "agee: 5");
  EXPECT_EQ(render(problems[0]),
            "error[config.unknown_key]: unknown key `agee`\n  --> p.yml:2:1\n 2 | agee: 5\n   | ^\n  hint: "
            "did you mean `age`?\n");
}

TEST(Shape, ReportsEveryProblemAtOnce) {
  const auto problems =
      problems_of("age: old\nshare: 120%\nkind: bird\nevery: soon\ntags: {a: b}\nmore: [1]\n");
  std::vector<std::string> codes;
  for (const auto& p : problems) codes.push_back(p.code);
  EXPECT_EQ(codes, (std::vector<std::string>{"config.wrong_type", "config.wrong_type", "config.not_allowed",
                                             "config.wrong_type", "config.wrong_type", "config.wrong_type",
                                             "config.missing_key"}));
}

TEST(Shape, RegistersSecrets) {
  EXPECT_TRUE(problems_of("name: Ann\ntoken: very-secret-token\n").empty());
  EXPECT_EQ(redact("Bearer very-secret-token!"), "Bearer ***!");
}

TEST(Document, VariablesComeFromTheEnvironmentOrHaveDefaults) {
  const testing::Scratch scratch;
  const auto env = scratch.write(".env", "# comment\nFROM_FILE=\"abc\"\nexport OTHER=x\n");
  ::setenv("EDDY_TEST_VARIABLE", "from process", 1);
  Diagnostics diagnostics;
  const Node node = parse(
      "a: ${FROM_FILE}/${EDDY_TEST_VARIABLE}\nb: ${NOPE:-fallback}\nc: $${plain}\nd: ${NOT_SET_AT_ALL}\n",
      "p.yml", environment_with_file(env), diagnostics);
  EXPECT_EQ(node["a"].text(), "abc/from process");
  EXPECT_EQ(node["b"].text(), "fallback");
  EXPECT_EQ(node["c"].text(), "${plain}");
  ASSERT_EQ(diagnostics.list().size(), 1U);
  EXPECT_EQ(diagnostics.list()[0].code, "config.unset_variable");
  EXPECT_EQ(diagnostics.list()[0].position.line, 4);
}

TEST(Document, SyntaxErrorsDuplicatesAndBombs) {
  Diagnostics diagnostics;
  parse("a: [1, 2\nb: 3\n", "p.yml", no_variables(), diagnostics);
  ASSERT_EQ(diagnostics.list().size(), 1U);
  EXPECT_EQ(diagnostics.list()[0].code, "config.syntax");
  Diagnostics duplicates;
  parse("a: 1\nb: 2\na: 3\n", "p.yml", no_variables(), duplicates);
  ASSERT_EQ(duplicates.list().size(), 1U);
  EXPECT_EQ(duplicates.list()[0].code, "config.duplicate_key");
  EXPECT_EQ(duplicates.list()[0].position.line, 3);
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 8; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  Diagnostics large;
  parse(bomb, "p.yml", no_variables(), large);
  ASSERT_FALSE(large.empty());
  EXPECT_EQ(large.list()[0].code, "config.too_large");
}

TEST(Document, ScalarsBecomeJsonAsYamlMeansThem) {
  Diagnostics diagnostics;
  const Node node = parse("{a: 1, b: \"1\", c: true, d: null, e: 1.5, f: [x], g: 007}", "p.yml",
                          no_variables(), diagnostics);
  EXPECT_EQ(node.as_json(),
            nlohmann::json::parse(R"({"a":1,"b":"1","c":true,"d":null,"e":1.5,"f":["x"],"g":"007"})"));
}

TEST(Schema, IsDraft07WithEveryField) {
  const auto schema = json_schema(person(), "person", "A person");
  EXPECT_EQ(schema["$schema"], "http://json-schema.org/draft-07/schema#");
  EXPECT_EQ(schema["required"], nlohmann::json::array({"name"}));
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["properties"]["age"]["description"], "Years");
  EXPECT_EQ(schema["properties"].size(), 8U);
}

}  // namespace
}  // namespace eddy::config
