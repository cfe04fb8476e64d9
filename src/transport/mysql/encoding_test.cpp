#include "transport/mysql/encoding.h"

#include <gtest/gtest.h>

namespace eddy::mysql {
namespace {

std::string cell(std::string_view text) {
  std::string out;
  append_cell(out, text);
  return out;
}

TEST(LoadCell, EscapesOnlyWhatTheFormatNeeds) {
  EXPECT_EQ(cell(""), "");
  EXPECT_EQ(cell("\\N"), "\\\\N");
  EXPECT_EQ(cell("a\tb\nc\rd\\e"), "a\\tb\\nc\rd\\\\e");
  EXPECT_EQ(cell(std::string_view("a\0b", 3)), "a\\0b");
  EXPECT_EQ(cell("plain 'quotes' \"too\", Größe 東京 🚀"), "plain 'quotes' \"too\", Größe 東京 🚀");
}

TEST(LoadCell, FindsSpecialCharactersAtEveryOffset) {
  for (std::size_t before = 0; before < 20; ++before)
    for (std::size_t after = 0; after < 20; ++after)
      for (const char special : {'\\', '\t', '\n', '\r', '\0', '\x1f', '\x7f', '\xff'}) {
        const std::string expected = special == '\\'   ? "\\\\"
                                     : special == '\t' ? "\\t"
                                     : special == '\n' ? "\\n"
                                     : special == '\0' ? "\\0"
                                                       : std::string(1, special);
        const std::string head(before, 'x'), tail(after, '~');
        ASSERT_EQ(cell(head + special + tail), head + expected + tail);
      }
}

TEST(Quote, EscapesQuotesAndBackslashes) {
  EXPECT_EQ(quote_identifier("a`b"), "`a``b`");
  EXPECT_EQ(quote_literal("it's \\ \"x\""), "'it\\'s \\\\ \"x\"'");
  EXPECT_EQ(quote_literal(std::string_view("\0", 1)), "'\\0'");
}

TEST(Hex, IsTwoDigitsAByte) {
  std::string out = "x";
  append_hex(out, std::string_view("\x00\xff\x5c", 3));
  EXPECT_EQ(out, "x00ff5c");
}

}  // namespace
}  // namespace eddy::mysql
