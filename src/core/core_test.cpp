#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "core/change.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/secrets.h"
#include "core/text.h"
#include "support/scratch.h"

namespace eddy {
namespace {

TEST(Text, Globs) {
  EXPECT_TRUE(glob_match("orders/*.csv", "orders/2024.csv"));
  EXPECT_FALSE(glob_match("orders/*.csv", "orders/a/b.csv"));
  EXPECT_TRUE(glob_match("**/*.csv", "a/b/c.csv"));
  EXPECT_TRUE(glob_match("**/*.csv", "c.csv"));
  EXPECT_TRUE(glob_match("o[a-c]?", "obx"));
  EXPECT_FALSE(glob_match("o[!a-c]?", "obx"));
  EXPECT_FALSE(glob_match("a", "ab"));
}

TEST(Text, DidYouMean) {
  const std::vector<std::string> words = {"customers", "orders", "usage"};
  EXPECT_EQ(did_you_mean("custmers", words), "customers");
  EXPECT_EQ(did_you_mean("zzzzzz", words), std::nullopt);
}

TEST(Text, HashesAndEncodings) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(base64("ab"), "YWI=");
  EXPECT_EQ(percent_encode("a b/ü"), "a%20b%2F%C3%BC");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(new_id());
  EXPECT_EQ(ids.size(), 1000U);
  EXPECT_EQ(ids.begin()->size(), 26U);
}

TEST(Clock, FormatsParsesAndMoves) {
  const auto time = parse_utc("2024-02-29T23:59:59.5Z");
  EXPECT_EQ(format_utc(time), "2024-02-29T23:59:59.500000Z");
  EXPECT_EQ(format_utc(parse_utc("2024-02-29")), "2024-02-29T00:00:00Z");
  EXPECT_THROW(parse_utc("2023-02-29"), Error);
  EXPECT_EQ(parse_duration("1h30m"), std::chrono::minutes{90});
  EXPECT_EQ(parse_duration("250ms"), std::chrono::milliseconds{250});
  EXPECT_THROW(parse_duration("soon"), Error);
  ManualClock clock;
  const auto before = clock.monotonic();
  clock.sleep_for(std::chrono::minutes{10});
  EXPECT_EQ(clock.monotonic() - before, std::chrono::minutes{10});
}

TEST(Value, JsonAndText) {
  EXPECT_EQ(Value::decimal("12.50").to_json(), nlohmann::json(12.5));
  EXPECT_EQ(Value::real(0.1).to_text(), "0.1");
  EXPECT_EQ(Value::json("[1]").to_json(), nlohmann::json::parse("[1]"));
  EXPECT_EQ(Value().to_json(), nullptr);
  EXPECT_EQ(Value::real(-0.0), Value::real(0.0));
  EXPECT_EQ(Value::real(std::nan("")), Value::real(std::nan("")));
  EXPECT_FALSE(Value::text("1") == Value::integer(1));
}

TEST(Secrets, AreHiddenInEveryForm) {
  register_secret("p@ss word");
  EXPECT_EQ(redact("x p@ss word y"), "x *** y");
  EXPECT_EQ(redact("u=p%40ss%20word"), "u=***");
  EXPECT_EQ(redact(base64("p@ss word")), "***");
}

TEST(Files, AreWrittenWhole) {
  const testing::Scratch scratch;
  write_file_atomically(scratch / "a/b.txt", "one");
  write_file_atomically(scratch / "a/b.txt", "two");
  EXPECT_EQ(read_file(scratch / "a/b.txt"), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch / "a"), {}), 1);
  EXPECT_THROW(read_file(scratch / "nope"), Error);
}

TEST(Names, GoBothWays) {
  Outcome outcome{};
  EXPECT_TRUE(parse_outcome("in_doubt", outcome));
  EXPECT_EQ(outcome, Outcome::in_doubt);
  EXPECT_FALSE(parse_outcome("maybe", outcome));
  Type type{};
  EXPECT_TRUE(parse_type("timestamp", type));
  EXPECT_EQ(name_of(type), "timestamp");
}

TEST(Utf8, AcceptsExactlyTheValidForms) {
  EXPECT_TRUE(is_utf8("plain, Größe, 東京, 🚀"));
  EXPECT_TRUE(is_utf8(""));
  for (const char* bad : {"\xFF", "abc\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80"})
    EXPECT_FALSE(is_utf8(bad));
}

}  // namespace
}  // namespace eddy
