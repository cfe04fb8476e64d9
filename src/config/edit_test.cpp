#include "config/edit.h"

#include <gtest/gtest.h>

#include "config/document.h"
#include "core/error.h"

namespace eddy::config {
namespace {

const std::vector<NewEntry> two = {{"c", "3"}, {"d", "four"}};

std::string with_two(const std::string& text) { return add_entries(text, "s.yml", "fields", two); }
std::string refusal(const std::string& text) {
  try {
    with_two(text);
  } catch (const Error& error) {
    return error.code() + " " + error.message();
  }
  return "";
}

TEST(Edit, LinesFollowThoseThatAreThere) {
  EXPECT_EQ(with_two("model: m\nfields:\n  a: 1  # one\n  b: 2\non: every 5m\n"),
            "model: m\nfields:\n  a: 1  # one\n  b: 2\n  c: 3\n  d: four\non: every 5m\n");
}

TEST(Edit, CommentsAndBlankLinesStayWhereTheyAre) {
  EXPECT_EQ(
      with_two("# head\nfields:   # these\n\n    # first\n    a: 1\n    # b: 2\n\n# guards of ours\nguards: "
               "{}\n# end\n"),
      "# head\nfields:   # these\n\n    # first\n    a: 1\n    # b: 2\n    c: 3\n    d: four\n\n# guards of "
      "ours\nguards: {}\n# end\n");
}

TEST(Edit, ValuesOverSeveralLinesAreNotCut) {
  EXPECT_EQ(with_two("fields:\n  a: |\n    case x\n    # no comment\n    end\n  b:\n    value: y\n    write: "
                     "if_empty\nkey: {}\n"),
            "fields:\n  a: |\n    case x\n    # no comment\n    end\n  b:\n    value: y\n    write: "
            "if_empty\n  c: 3\n "
            " d: four\nkey: {}\n");
  EXPECT_EQ(with_two("fields:\n  a: {value: x,\n      write: always}\n"),
            "fields:\n  a: {value: x,\n      write: always}\n  c: 3\n  d: four\n");
}

TEST(Edit, BetweenBraces) {
  EXPECT_EQ(with_two("fields: {a: 1}\n"), "fields: {a: 1, c: 3, d: four}\n");
  EXPECT_EQ(with_two("fields: {}   # none\nx: 1"), "fields: {c: 3, d: four}   # none\nx: 1");
  EXPECT_EQ(with_two("fields: { a: 1, }\n"), "fields: { a: 1, c: 3, d: four }\n");
  EXPECT_EQ(with_two("fields: {a: '}', \"b}\": {value: \"}\\\"\"}, e: it's}\n"),
            "fields: {a: '}', \"b}\": {value: \"}\\\"\"}, e: it's, c: 3, d: four}\n");
  EXPECT_EQ(with_two("fields: {\n  a: 1,  # one }\n  b: 2   # two\n}\n"),
            "fields: {\n  a: 1,  # one }\n  b: 2, c: 3, d: four   # two\n}\n");
}

TEST(Edit, MissingAndEmpty) {
  EXPECT_EQ(with_two("model: m\n"), "model: m\nfields:\n  c: 3\n  d: four\n");
  EXPECT_EQ(with_two("model: m\nfields:\nkey: {a: b}\n"),
            "model: m\nfields:\n  c: 3\n  d: four\nkey: {a: b}\n");
  EXPECT_EQ(with_two("fields:   # to come\n  # a: 1\nkey: {a: b}\n"),
            "fields:   # to come\n  c: 3\n  d: four\n  # a: 1\nkey: {a: b}\n");
  EXPECT_EQ(with_two(""), "fields:\n  c: 3\n  d: four\n");
  EXPECT_EQ(add_line("model: m\n# x", "s.yml", {"key", "{a: b}"}), "model: m\n# x\nkey: {a: b}");
}

TEST(Edit, LineEndsAreKept) {
  EXPECT_EQ(with_two("model: m\r\nfields:\r\n  a: 1\r\n"),
            "model: m\r\nfields:\r\n  a: 1\r\n  c: 3\r\n  d: four\r\n");
  EXPECT_EQ(with_two("model: m\r\n"), "model: m\r\nfields:\r\n  c: 3\r\n  d: four\r\n");
  EXPECT_EQ(with_two("fields:\n  a: 1"), "fields:\n  a: 1\n  c: 3\n  d: four");
  EXPECT_EQ(with_two("model: m\r\nfields: {a: 1}"), "model: m\r\nfields: {a: 1, c: 3, d: four}");
}

TEST(Edit, AnchorsMayBeThereAliasesNot) {
  EXPECT_EQ(with_two("fields: &f\n  a: 1\n"), "fields: &f\n  a: 1\n  c: 3\n  d: four\n");
  EXPECT_EQ(with_two("fields: &f {a: 1}\n"), "fields: &f {a: 1, c: 3, d: four}\n");
  EXPECT_EQ(refusal("key: &k {a: 1}\nfields: *k\n"),
            "config.cannot_edit `fields` is what stands elsewhere (an alias)");
  EXPECT_EQ(refusal("fields: &f\n  a: 1\nother: *f\n"),
            "config.cannot_edit something else would change with it");
}

TEST(Edit, WhatCannotBeDoneSafelyIsRefused) {
  EXPECT_EQ(refusal("fields: null\n"), "config.cannot_edit `fields` is null");
  EXPECT_EQ(refusal("fields: a\n"), "config.cannot_edit `fields` is no map");
  EXPECT_EQ(refusal("{fields: {a: 1}}\n"),
            "config.cannot_edit the file is not a map with a line for each key");
  EXPECT_EQ(refusal("model: m\n...\n"), "config.cannot_edit the file has more than one document");
  EXPECT_NE(refusal("fields:\n\ta: 1\n"), "") << "tabs";
  EXPECT_EQ(refusal("fields:\n  a: |+\n    x\n\n\n"),
            "config.cannot_edit something else would change with it");
}

TEST(Edit, VariablesAreNotReplaced) {
  EXPECT_EQ(with_two("model: ${NOT_SET}\nfields: {a: \"$${x}\"}\n"),
            "model: ${NOT_SET}\nfields: {a: \"$${x}\", c: 3, d: four}\n");
}

TEST(Edit, ScalarsReadBackAsTheyWere) {
  for (const std::string text :
       {"name", "External_Id__c", "a.b-c", "null", "Yes", "order id", "it's", "it's \"x\"", "a: b", "#x",
        "\"Order\"", "${X}", "{x}", "1st", "", "line\nbreak", "tab\t\\\"", "é", "- a"}) {
    Diagnostics diagnostics;
    const Node root = parse("k: " + yaml_scalar(text) + "\n", "s.yml", no_variables(), diagnostics);
    ASSERT_TRUE(diagnostics.empty()) << text;
    EXPECT_EQ(root["k"].text(), text);
    const Node key = parse("{" + yaml_scalar(text) + ": x}", "s.yml", no_variables(), diagnostics);
    EXPECT_EQ(key.entries().front().name, text);
  }
  EXPECT_EQ(yaml_scalar("name"), "name");
  EXPECT_EQ(yaml_scalar("no"), "'no'");
  EXPECT_EQ(yaml_scalar("a || ' ' || b"), "\"a || ' ' || b\"");
}

}  // namespace
}  // namespace eddy::config
