#include "connectors/declarative/cells.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace eddy::connectors {
namespace {

using nlohmann::json;

std::string cell(const Value& value, const TransformSpec& transforms = {}) {
  const auto out = render_cell(value, transforms);
  if (!out) return "error: " + out.error();
  return *out ? (*out)->dump() : "left out";
}

TEST(Cell, JsonKeepsTypes) {
  EXPECT_EQ(cell(Value::boolean(true)), "true");
  EXPECT_EQ(cell(Value::integer(std::numeric_limits<std::int64_t>::max())), "9223372036854775807");
  EXPECT_EQ(cell(Value::real(0.1)), "0.1");
  EXPECT_EQ(cell(Value::text("a\"ü\n")), "\"a\\\"ü\\n\"");
  EXPECT_EQ(cell(Value::date("2026-01-31")), "\"2026-01-31\"");
  EXPECT_EQ(cell(Value::json("{\"a\":[1]}")), "{\"a\":[1]}");
  EXPECT_EQ(cell(Value()), "null");
}

TEST(Cell, DecimalsNeverLoseDigits) {
  EXPECT_EQ(cell(Value::decimal("12.50")), "12.5");
  EXPECT_EQ(cell(Value::decimal("7")), "7");
  EXPECT_EQ(cell(Value::decimal("18446744073709551616")), "\"18446744073709551616\"");
  EXPECT_EQ(cell(Value::decimal("1234567890123456.78")), "\"1234567890123456.78\"");
  TransformSpec text;
  text.all_text = true;
  EXPECT_EQ(cell(Value::decimal("12.50"), text), "\"12.50\"");
  EXPECT_EQ(cell(Value::decimal("18446744073709551616"), text), "\"18446744073709551616\"");
}

TEST(Cell, AsText) {
  TransformSpec text;
  text.all_text = true;
  text.null = TransformSpec::Null::empty_text;
  text.list_separator = ";";
  EXPECT_EQ(cell(Value::boolean(false), text), "\"false\"");
  EXPECT_EQ(cell(Value::integer(-3), text), "\"-3\"");
  EXPECT_EQ(cell(Value::real(2.5), text), "\"2.5\"");
  EXPECT_EQ(cell(Value(), text), "\"\"");
  EXPECT_EQ(cell(Value::json("[\"a\",\"b\",3]"), text), "\"a;b;3\"");
  EXPECT_EQ(cell(Value::json("{\"a\":1}"), text), "\"{\\\"a\\\":1}\"");
}

TEST(Cell, NullPolicies) {
  TransformSpec omit;
  omit.null = TransformSpec::Null::omit;
  EXPECT_EQ(cell(Value(), omit), "left out");
}

TEST(Cell, EpochMilliseconds) {
  TransformSpec epoch;
  epoch.date = epoch.timestamp = TransformSpec::Time::epoch_ms;
  EXPECT_EQ(cell(Value::date("1970-01-02"), epoch), "86400000");
  EXPECT_EQ(cell(Value::timestamp("2023-11-14T22:13:20.5Z"), epoch), "1700000000500");
  EXPECT_EQ(cell(Value::timestamp("infinity"), epoch), "error: `infinity` is not a time");
}

TEST(Cell, WhatCannotBeSentSaysSo) {
  EXPECT_EQ(cell(Value::real(std::nan(""))), "error: the number is not finite");
  EXPECT_EQ(cell(Value::real(std::numeric_limits<double>::infinity())), "error: the number is not finite");
  EXPECT_EQ(cell(Value::text("caf\xE9")), "error: the text is not valid UTF-8");
  EXPECT_EQ(cell(Value::json("{")), "error: the value is not valid JSON");
}

TEST(PutField, DotsNest) {
  json object = {{"user_fields", "not an object"}};
  put_field(object, "user_fields.a", 1);
  put_field(object, "user_fields.b", 2);
  put_field(object, "plain", 3);
  EXPECT_EQ(object, json({{"user_fields", {{"a", 1}, {"b", 2}}}, {"plain", 3}}));
}

Change change(Operation operation, Row key, Row fields, std::vector<bool> changed) {
  return {42, operation, std::move(key), std::move(fields), std::move(changed)};
}

const Schema key = {{"email", Type::text}};
const Schema fields = {{"a", Type::integer}, {"b", Type::text}};

TEST(Row, SendsWhatChanged) {
  const auto row = render_row(
      change(Operation::change, {Value::text("k")}, {Value::integer(1), Value::text("x")}, {false, true}),
      key, fields, {});
  EXPECT_EQ(row.fields, json({{"b", "x"}}));
  EXPECT_EQ(row.all, json({{"email", "k"}, {"b", "x"}}));
  EXPECT_EQ(row.trace, "42");
  EXPECT_EQ(row.key_text, "k");
  EXPECT_FALSE(row.unusable);
}

TEST(Row, WithoutAKeyItIsRejected) {
  for (const Value& none : {Value(), Value::text("")}) {
    const auto row =
        render_row(change(Operation::add, {none}, {Value(), Value()}, {true, true}), key, fields, {});
    ASSERT_TRUE(row.unusable);
    EXPECT_EQ(row.unusable->code, "null_key");
  }
}

TEST(Row, ABadCellRejectsTheRowAndNamesTheField) {
  const auto row = render_row(
      change(Operation::add, {Value::text("k")}, {Value::integer(1), Value::text("\xFF")}, {true, true}), key,
      fields, {});
  ASSERT_TRUE(row.unusable);
  EXPECT_EQ(row.unusable->outcome, Outcome::rejected);
  EXPECT_EQ(row.unusable->code, "unsendable_value");
  EXPECT_EQ(row.unusable->message, "b: the text is not valid UTF-8");
}

TEST(Row, AKeyOfSeveralFields) {
  const Schema pair = {{"to", Type::integer}, {"from", Type::text}};
  const Change link{3, Operation::add, {Value::integer(7), Value::text("a")}, {}, {}};
  const auto row = render_row(link, pair, {}, {});
  ASSERT_FALSE(row.unusable);
  EXPECT_EQ(row.key, json({{"from", "a"}, {"to", 7}}));
  EXPECT_EQ(row.all, row.key);
  EXPECT_EQ(row.key_text, text_of_keys({{"from", "a"}, {"to", "7"}}));
  EXPECT_NE(text_of_keys({{"a", "1"}, {"b", "11"}}), text_of_keys({{"a", "11"}, {"b", "1"}}));
  EXPECT_NE(text_of_keys({{"a", "1:"}, {"b", "1"}}), text_of_keys({{"a", "1"}, {"b", ":1"}}));

  const Change half{3, Operation::add, {Value::integer(7), Value()}, {}, {}};
  ASSERT_TRUE(render_row(half, pair, {}, {}).unusable);
  EXPECT_NE(render_row(half, pair, {}, {}).unusable->message.find("from"), std::string::npos);
}

}  // namespace
}  // namespace eddy::connectors
