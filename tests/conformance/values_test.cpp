// What every destination does with values: it keeps them exactly, or rejects the row; never anything between.
#include <cmath>
#include <limits>

#include "conformance/suite.h"
#include "core/error.h"

namespace eddy::conformance {
namespace {
using testing::count;
using testing::deliver;
using testing::Delivered;

class Values : public Conformance {
 protected:
  // Delivers each value as one record of its own, all in one batch.
  void expect_kept_or_rejected(const std::vector<Value>& values, bool must_be_kept) {
    const Target target = subject_->make_object();
    const std::size_t field = field_of(target, values.front().type());
    ASSERT_NE(field, none) << "no field of type " << name_of(values.front().type())
                           << ": add one to the target, or waive this test with the reason";
    const auto writer = open(target);
    auto changes = writes(target, static_cast<int>(values.size()), "row");
    for (std::size_t i = 0; i < values.size(); ++i) changes[i].fields[field] = values[i];
    const Delivered delivered = deliver(*writer, changes);
    ASSERT_EQ(delivered.verdicts.size(), values.size());

    std::map<std::string, nlohmann::json> cells;
    for (const auto& row : subject_->rows(target))
      cells[row.at(target.key[0].name)] = row.at(target.fields[field].name);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string what = canonical_or_bytes(values[i]).substr(0, 100);
      const std::string key = key_text(target, static_cast<int>(i));
      if (delivered.verdicts[i].outcome == Outcome::applied) {
        ASSERT_TRUE(cells.contains(key)) << "applied, but not there: " << what;
        EXPECT_TRUE(same(cells[key], values[i]))
            << "wanted " << what << ", found " << cells[key].dump().substr(0, 100);
      } else {
        EXPECT_EQ(delivered.verdicts[i].outcome, Outcome::rejected) << what;
        EXPECT_FALSE(must_be_kept) << what << " was rejected: " << delivered.verdicts[i].message;
        EXPECT_FALSE(cells.contains(key)) << "rejected, but there: " << what;
        EXPECT_NE(delivered.verdicts[i].message, "") << what;
      }
    }
  }

 private:
  static std::string canonical_or_bytes(const Value& value) {
    return value.type() == Type::json && !nlohmann::json::accept(value.as_string()) ? value.as_string()
                                                                                    : canonical(value);
  }
  static bool same(const nlohmann::json& cell, const Value& value) {
    if (cell.is_null()) return false;
    const auto text = cell.get<std::string>();
    if (value.type() == Type::real && std::isfinite(value.as_real()))
      return std::strtod(text.c_str(), nullptr) == value.as_real();
    if (value.type() == Type::json)
      return nlohmann::json::parse(text) == nlohmann::json::parse(value.as_string());
    return text == canonical(value);
  }
};

TEST_P(Values, TextIsKeptWhateverItLooksLike) {
  std::vector<Value> values;
  for (const char* text : {"plain",
                           "",
                           " ",
                           "\\N",
                           "\\",
                           "\\\\",
                           "\\.",
                           "a\tb",
                           "a\nb",
                           "a\r\nb",
                           "it's",
                           "\"quoted\"",
                           "$1",
                           "%s",
                           "NULL",
                           "null",
                           "Größe",
                           "東京",
                           "🚀👩‍👩‍👧",
                           "e\u0301 and é",
                           "\u200Bzero width",
                           "trailing space ",
                           "'; drop table x; --",
                           "007",
                           "1e5",
                           "{\"a\":1}",
                           "line\x7f\x01\x1f",
                           "\xF4\x8F\xBF\xBD"})
    values.push_back(Value::text(text));
  expect_kept_or_rejected(values, true);
}

TEST_P(Values, WordsOfEveryScriptAreKept) {
  std::vector<Value> values;
  for (const char* text : {"Größe", "東京", "🚀👩‍👩‍👧", "e\u0301 and é", "العربية",
                           "it's \"quoted\"", "a\\b", "007", "a\tb\nc", "{\"a\":1}", "\xF4\x8F\xBF\xBD"})
    values.push_back(Value::text(text));
  expect_kept_or_rejected(values, true);
}

TEST_P(Values, EmptyTextIsNotNull) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  std::vector<Change> changes = {write(target, 0, ""), write(target, 1, "")};
  changes[1].fields[field_of(target, Type::text)] = Value();
  EXPECT_EQ(count(deliver(*writer, changes).verdicts, Outcome::applied), 2U);
  EXPECT_EQ(words(target),
            (std::map<std::string, std::string>{{key_text(target, 0), ""}, {key_text(target, 1), "(null)"}}));
}

TEST_P(Values, AMegabyteOfTextIsKeptOrRejected) {
  std::string text;
  while (text.size() < 1'000'000) text += "a tab\t, a backslash \\, an emoji 🚀, a newline\n";
  expect_kept_or_rejected({Value::text(text), Value::text("short")}, false);
}

TEST_P(Values, BrokenTextDoesNotTakeOthersWithIt) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  auto changes = writes(target, 6, "row");
  const std::size_t field = field_of(target, Type::text);
  changes[1].fields[field] = Value::text(std::string("a\0b", 3));
  changes[3].fields[field] = Value::text("\xFF\xFE");
  changes[4].fields[field] = Value::text("cut off \xE2\x82");
  const Delivered delivered = deliver(*writer, changes);
  const std::size_t batches = writer->limits().batch_rows_max == 1 ? 6 : 1;
  EXPECT_EQ(delivered.requests, batches) << "such rows are found before they are sent";
  for (const std::size_t i : {3U, 4U}) EXPECT_EQ(delivered.verdicts[i].outcome, Outcome::rejected) << i;
  for (const std::size_t i : {0U, 2U, 5U}) EXPECT_EQ(delivered.verdicts[i].outcome, Outcome::applied) << i;
  // A zero byte is a character: some systems keep it.
  const bool kept = delivered.verdicts[1].outcome == Outcome::applied;
  EXPECT_TRUE(kept || delivered.verdicts[1].outcome == Outcome::rejected);
  auto expected = std::map<std::string, std::string>{
      {key_text(target, 0), "row 0"}, {key_text(target, 2), "row 2"}, {key_text(target, 5), "row 5"}};
  if (kept) expected[key_text(target, 1)] = std::string("a\0b", 3);
  EXPECT_EQ(words(target), expected);
}

TEST_P(Values, OrdinaryIntegersAreKept) {
  expect_kept_or_rejected({Value::integer(0), Value::integer(-1), Value::integer(42),
                           Value::integer(2'000'000'000), Value::integer(-2'000'000'000)},
                          true);
}

TEST_P(Values, IntegersOf64BitsAreKept) {
  expect_kept_or_rejected(
      {Value::integer(0), Value::integer(-1), Value::integer(std::numeric_limits<std::int64_t>::max()),
       Value::integer(std::numeric_limits<std::int64_t>::min()), Value::integer((std::int64_t{1} << 53) + 1)},
      true);
}

TEST_P(Values, OrdinaryDecimalsAreKept) {
  expect_kept_or_rejected({Value::decimal("12.5"), Value::decimal("-0.25"), Value::decimal("0"),
                           Value::decimal("100"), Value::decimal("99999.99")},
                          true);
}

TEST_P(Values, DecimalsKeepTheirDigitsOrAreRejected) {
  expect_kept_or_rejected(
      {Value::decimal("12.5"), Value::decimal("-123456789012345678901234567890"),
       Value::decimal("-0.123456789012345678901234567891"), Value::decimal("9223372036854775808"),
       Value::decimal("123456789012345678901234567890.123456789")},
      false);
}

TEST_P(Values, RealsAreKeptOrRejected) {
  expect_kept_or_rejected(
      {Value::real(0.1), Value::real(-1.5e300), Value::real(5e-324), Value::real(1.0 / 3.0),
       Value::real(1e20), Value::real(std::numeric_limits<double>::infinity()),
       Value::real(-std::numeric_limits<double>::infinity()),
       Value::real(std::numeric_limits<double>::quiet_NaN())},
      false);
}

TEST_P(Values, BooleansAreKept) {
  expect_kept_or_rejected({Value::boolean(true), Value::boolean(false)}, true);
}

TEST_P(Values, OrdinaryDatesAreKept) {
  expect_kept_or_rejected({Value::date("2026-11-23"), Value::date("2024-02-29"), Value::date("1900-01-01")},
                          true);
}

TEST_P(Values, OrdinaryTimesAreKept) {
  expect_kept_or_rejected(
      {Value::timestamp("2026-11-23T10:53:42Z"), Value::timestamp("2026-03-29T01:30:00.123456Z")}, true);
}

TEST_P(Values, FarDatesAreKeptOrRejected) {
  expect_kept_or_rejected(
      {Value::date("0044-03-15 (BC)"), Value::date("0001-01-01"), Value::date("9999-12-31")}, false);
}

TEST_P(Values, FarTimesAreKeptOrRejected) {
  expect_kept_or_rejected(
      {Value::timestamp("9999-12-31T23:59:59.999999Z"), Value::timestamp("0001-01-01T00:00:00Z")}, false);
}

TEST_P(Values, JsonIsKept) {
  expect_kept_or_rejected(
      {Value::json("{\"a\":[1,2.5,null,true,\"x\\\\y\\n\"],\"b\":{\"ü\":\"🚀\"}}"), Value::json("[]"),
       Value::json("\"text\""), Value::json("12"), Value::json("null")},
      true);
}

TEST_P(Values, BytesAreKept) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  expect_kept_or_rejected(
      {Value::blob(all.substr(0, 40)), Value::blob(std::string(3, '\0')), Value::blob("\\x41")}, true);
}

INSTANTIATE_TEST_SUITE_P(Destinations, Values, ::testing::ValuesIn(all_subjects()), subject_name);

}  // namespace
}  // namespace eddy::conformance
