#include "connectors/declarative/reply.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/secrets.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;

Predicate predicate(std::string_view text) {
  Diagnostics diagnostics;
  const auto node = config::parse(text, "p.yml", config::no_variables(), diagnostics);
  diagnostics.throw_if_any();
  return Predicate::parse(node);
}

bool holds(std::string_view text, const json& item, int status = 200) {
  return predicate(text).holds(status, &item);
}

TEST(ParseJson, IsStrict) {
  EXPECT_EQ(parse_json("{\"a\":[1]}"), json({{"a", {1}}}));
  EXPECT_EQ(parse_json("\xEF\xBB\xBF{}"), json::object());  // a byte order mark is common and harmless
  for (const std::string body : {"", " ", "{", "{\"a\":", "[1,2", "{}{}", "{} x", "<html>", "nul", "'a'",
                                 "{\"a\":\"\xFF\"}", "{\"a\":\"caf\xE9\"}", "\"\x01\""})
    EXPECT_EQ(parse_json(body), std::nullopt) << body;
  EXPECT_EQ(parse_json(std::string("{\"a\":1}\0", 8)), std::nullopt);
}

TEST(ParseJson, DeepNestingIsRefusedWithoutRecursion) {
  EXPECT_NE(parse_json(std::string(60, '[') + std::string(60, ']')), std::nullopt);
  EXPECT_EQ(parse_json(std::string(1'000'000, '[')), std::nullopt);
  EXPECT_EQ(parse_json(std::string(100'000, '[') + std::string(100'000, ']')), std::nullopt);
  EXPECT_NE(parse_json("\"" + std::string(1000, '[') + "\""), std::nullopt);  // brackets in text do not count
}

TEST(Pointer, FindsOrNot) {
  const json document = {{"a", {{"b/c", 1}, {"~", 2}}}, {"l", {10, 20}}};
  EXPECT_EQ(*at(document, "/a/b~1c"), 1);
  EXPECT_EQ(*at(document, "/a/~0"), 2);
  EXPECT_EQ(*at(document, "/l/1"), 20);
  EXPECT_EQ(*at(document, ""), document);
  for (const char* pointer : {"/x", "/l/2", "/l/-", "/l/x", "/a/b/c", "/l/01"})
    EXPECT_EQ(at(document, pointer), nullptr) << pointer;
}

TEST(Pointer, ValuesAreEscaped) {
  const auto lookup = [](std::string_view) { return std::optional<json>("a/b~c"); };
  EXPECT_EQ(render_pointer(Template::parse("/p/{x}"), lookup), "/p/a~1b~0c");
}

TEST(Predicate, Status) {
  EXPECT_TRUE(holds("status: 2xx", {}, 204));
  EXPECT_TRUE(holds("status: [404, 410]", {}, 410));
  EXPECT_FALSE(holds("status: 2xx", {}, 302));
  EXPECT_FALSE(holds("status: 20", {}, 200));
}

TEST(Predicate, Eq) {
  EXPECT_TRUE(holds("{pointer: /s, eq: true}", {{"s", true}}));
  EXPECT_TRUE(holds("{pointer: /c, eq: 601}", {{"c", "601"}}));  // a code is a code, however it is typed
  EXPECT_FALSE(holds("{pointer: /s, eq: true}", {{"s", false}}));
  EXPECT_FALSE(holds("{pointer: /s, eq: true}", json::object()));
  EXPECT_FALSE(holds("{pointer: /s, eq: ''}", {{"s", nullptr}}));
}

TEST(Predicate, In) {
  EXPECT_TRUE(holds("{pointer: /s, in: [created, updated]}", {{"s", "updated"}}));
  EXPECT_FALSE(holds("{pointer: /s, in: [created, updated]}", {{"s", "skipped"}}));
}

TEST(Predicate, Exists) {
  EXPECT_TRUE(holds("{pointer: /s, exists: true}", {{"s", 0}}));
  EXPECT_FALSE(holds("{pointer: /s, exists: true}", {{"s", nullptr}}));
  EXPECT_TRUE(holds("{pointer: /s, exists: false}", json::object()));
}

TEST(Predicate, Contains) {
  EXPECT_TRUE(holds("{pointer: /s, contains: already}", {{"s", "is already there"}}));
  EXPECT_TRUE(holds("{pointer: /s, contains: a}", {{"s", {"b", "a"}}}));
  EXPECT_FALSE(holds("{pointer: /s, contains: x}", {{"s", {"b", "a"}}}));
}

TEST(Predicate, Matches) {
  EXPECT_TRUE(holds("{pointer: /s, matches: '^[A-Z]+:[0-9]$'}", {{"s", "AB:7"}}));
  EXPECT_FALSE(holds("{pointer: /s, matches: '^[A-Z]+:[0-9]$'}", {{"s", "ab:7"}}));
  EXPECT_FALSE(holds("{pointer: /s, matches: '^(a|b)*$'}", {{"s", std::string(1'000'000, 'a')}}));
}

TEST(Predicate, Empty) {
  for (const json& value : {json(nullptr), json(""), json::array(), json::object()})
    EXPECT_TRUE(holds("{pointer: /s, empty: true}", {{"s", value}})) << value;
  for (const json& value : {json(0), json(false), json("x"), json({1})})
    EXPECT_TRUE(holds("{pointer: /s, empty: false}", {{"s", value}})) << value;
  EXPECT_TRUE(holds("{pointer: /s, empty: true}", json::object()));
}

TEST(Predicate, AllAnyNot) {
  EXPECT_TRUE(holds("all: [{pointer: /a, eq: 1}, {pointer: /b, eq: 2}]", {{"a", 1}, {"b", 2}}));
  EXPECT_FALSE(holds("all: [{pointer: /a, eq: 1}, {pointer: /b, eq: 2}]", {{"a", 1}}));
  EXPECT_TRUE(holds("any: [{pointer: /a, eq: 1}, {pointer: /b, eq: 2}]", {{"b", 2}}));
  EXPECT_TRUE(holds("not: {pointer: /a, eq: 1}", {{"a", 2}}));
  EXPECT_TRUE(holds("{status: 2xx, pointer: /a, eq: 1}", {{"a", 1}}, 200));
  EXPECT_FALSE(holds("{status: 2xx, pointer: /a, eq: 1}", {{"a", 1}}, 400));
}

TEST(Predicate, NoneHoldsAlwaysAndNoBodyNever) {
  EXPECT_TRUE(Predicate().holds(500, nullptr));
  EXPECT_FALSE(predicate("{pointer: /a, eq: 1}").holds(200, nullptr));
}

TEST(Predicate, MistakesAreNamed) {
  const std::vector<std::pair<const char*, const char*>> mistakes = {
      {"{ponter: /a, eq: 1}", "config.unknown_key"},
      {"{pointer: a, eq: 1}", "connector.pointer"},
      {"{eq: 1}", "connector.pointer"},
      {"{pointer: /a}", "connector.test"},
      {"{pointer: /a, matches: '('}", "connector.pattern"},
      {"{any: [{pontr: /a}]}", "config.unknown_key"}};
  for (const auto& [text, code] : mistakes) {
    try {
      predicate(text);
      ADD_FAILURE() << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), code) << text;
    }
  }
}

TEST(ForPeople, IsShortCleanAndWithoutSecrets) {
  register_secret("s3cr3t-value-x");
  EXPECT_EQ(for_people("a\nb \"c\" s3cr3t-value-x"), "a b \"c\" ***");
  EXPECT_EQ(for_people(std::string("\x01\xFFz")), "\\u0001\xEF\xBF\xBDz");
  const std::string cut = for_people(std::string(1000, 'a') + "ü");
  EXPECT_EQ(cut, std::string(300, 'a') + "…");
  std::string umlauts;
  for (int i = 0; i < 400; ++i) umlauts += "ü";
  EXPECT_TRUE(for_people("x" + umlauts).ends_with("ü…"));
}

}  // namespace
}  // namespace eddy::connectors
