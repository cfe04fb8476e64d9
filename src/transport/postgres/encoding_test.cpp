#include "transport/postgres/encoding.h"

#include <gtest/gtest.h>

#include <limits>

namespace eddy::postgres {
namespace {

std::string cell(const Value& value) {
  std::string out;
  EXPECT_EQ(append_copy_cell(out, value), Encoded::ok);
  return out;
}

Encoded judge(std::string text) {
  std::string out;
  return append_copy_cell(out, Value::text(std::move(text)));
}

TEST(CopyCell, EscapesOnlyWhatTheTextFormatNeeds) {
  EXPECT_EQ(cell(Value()), "\\N");
  EXPECT_EQ(cell(Value::text("")), "");
  EXPECT_EQ(cell(Value::text("\\N")), "\\\\N");
  EXPECT_EQ(cell(Value::text("a\tb\nc\rd\\e")), "a\\tb\\nc\\rd\\\\e");
  EXPECT_EQ(cell(Value::text("plain 'quotes' \"too\", no escapes")), "plain 'quotes' \"too\", no escapes");
}

TEST(CopyCell, FindsSpecialCharactersAtEveryOffset) {
  for (std::size_t before = 0; before < 20; ++before)
    for (std::size_t after = 0; after < 20; ++after)
      for (const char special : {'\\', '\t', '\n', '\r', '\b', '\x1f', '\x7f'}) {
        const std::string text = std::string(before, 'x') + special + std::string(after, '~');
        std::string expected;
        for (const char c : text)
          expected += c == '\\'   ? "\\\\"
                      : c == '\t' ? "\\t"
                      : c == '\n' ? "\\n"
                      : c == '\r' ? "\\r"
                                  : std::string(1, c);
        ASSERT_EQ(cell(Value::text(text)), expected);
      }
}

TEST(CopyCell, WritesNumbersExactly) {
  EXPECT_EQ(cell(Value::integer(std::numeric_limits<std::int64_t>::min())), "-9223372036854775808");
  EXPECT_EQ(cell(Value::integer(std::numeric_limits<std::int64_t>::max())), "9223372036854775807");
  EXPECT_EQ(cell(Value::real(0.1)), "0.1");
  EXPECT_EQ(cell(Value::real(std::numeric_limits<double>::quiet_NaN())), "NaN");
  EXPECT_EQ(cell(Value::real(-std::numeric_limits<double>::infinity())), "-Infinity");
  EXPECT_EQ(cell(Value::decimal("-123456789012345678901234567890.12")), "-123456789012345678901234567890.12");
  EXPECT_EQ(cell(Value::boolean(true)), "true");
  EXPECT_EQ(cell(Value::blob(std::string("\x00\xff\x5c", 3))), "\\\\x00ff5c");
}

TEST(CopyCell, TurnsYearsBeforeOneIntoPostgresForm) {
  EXPECT_EQ(cell(Value::date("2026-11-23")), "2026-11-23");
  EXPECT_EQ(cell(Value::date("0044-03-15 (BC)")), "0044-03-15 BC");
  EXPECT_EQ(cell(Value::date("-0043-03-15")), "0044-03-15 BC");
  EXPECT_EQ(cell(Value::date("0000-01-01")), "0000-01-01");  // PostgreSQL itself refuses it
  EXPECT_EQ(cell(Value::timestamp("9999-12-31T23:59:59.999999Z")), "9999-12-31T23:59:59.999999Z");
}

TEST(CopyCell, AcceptsAllOfUtf8AndNothingElse) {
  EXPECT_EQ(cell(Value::text("Größe 東京 🚀 \xF4\x8F\xBF\xBF")), "Größe 東京 🚀 \xF4\x8F\xBF\xBF");
  EXPECT_EQ(judge(std::string("a\0b", 3)), Encoded::nul_byte);
  EXPECT_EQ(judge(std::string("12345678\0", 9)), Encoded::nul_byte);
  for (const char* bad : {"\xFF", "\x80", "abc\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xF0\x9F\x9A", "12345678\xC1\xBF", "\xE2\x82"})
    EXPECT_EQ(judge(bad), Encoded::invalid_utf8) << bad;
}

TEST(Quote, DoublesTheQuote) {
  EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
}

}  // namespace
}  // namespace eddy::postgres
