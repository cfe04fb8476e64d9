#include "connectors/declarative/template.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;

config::Node yaml(std::string_view text) {
  Diagnostics diagnostics;
  auto node = config::parse(text, "t.yml", config::no_variables(), diagnostics);
  diagnostics.throw_if_any();
  return node;
}

Lookup values(const json& map) {
  return [map](std::string_view name) -> std::optional<json> {
    const auto found = map.find(std::string(name));
    return found == map.end() ? std::nullopt : std::optional<json>(*found);
  };
}

TEST(Template, ReplacesPlaceholders) {
  const auto t = Template::parse("v{version}/{object}?x={n}");
  EXPECT_EQ(t.text(values({{"version", "3"}, {"object", "a b"}, {"n", 7}})), "v3/a b?x=7");
  EXPECT_EQ(t.names(), (std::vector<std::string>{"version", "object", "n"}));
}

TEST(Template, EncodesByName) {
  const auto encode = [](std::string_view name, const std::string& value) {
    return name == "key" ? percent_encode(value) : value;
  };
  EXPECT_EQ(Template::parse("{base}/{key}").text(values({{"base", "/a/b"}, {"key", "x/ü"}}), encode),
            "/a/b/x%2F%C3%BC");
}

TEST(Template, BracesAreDoubled) { EXPECT_EQ(Template::parse("{{{a}}}").text(values({{"a", 1}})), "{1}"); }

TEST(Template, AloneItKeepsTheType) {
  EXPECT_EQ(Template::parse("{a}").value(values({{"a", {1, 2}}})), json({1, 2}));
  EXPECT_EQ(Template::parse("{a}").value(values({{"a", nullptr}})), json(nullptr));
  EXPECT_EQ(Template::parse("x{a}").value(values({{"a", true}})), json("xtrue"));
}

TEST(Template, WithoutAValueThereIsNoText) {
  EXPECT_EQ(Template::parse("x{a}").text(values(json::object())), std::nullopt);
  EXPECT_EQ(Template::parse("{a}").value(values(json::object())), std::nullopt);
}

TEST(Template, AValueIsNeverReadAsATemplate) {
  EXPECT_EQ(Template::parse("{a}").text(values({{"a", "{token}"}, {"token", "hidden"}})), "{token}");
}

TEST(Template, BrokenBraces) {
  for (const char* text : {"{a", "a}", "{}", "{a}{", "}{"}) {
    try {
      Template::parse(text);
      ADD_FAILURE() << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), "connector.placeholder") << text;
    }
  }
}

TEST(Template, AComplaintHasAPosition) {
  try {
    Template::parse(yaml("a: 'x{'")["a"]);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.diagnostics().front().position.file, "t.yml");
    EXPECT_EQ(e.diagnostics().front().position.column, 4);
  }
}

json render(std::string_view text, const json& outer, const std::vector<json>& rows) {
  return Tree::parse(yaml(text)).render(values(outer), rows.size(), [&](std::size_t i) {
    return values(rows[i]);
  });
}

TEST(Tree, ConstantsListsAndMaps) {
  EXPECT_EQ(render("{a: 1, b: 'true', c: true, d: null, e: [x, '{v}']}", {{"v", 2.5}}, {}),
            json({{"a", 1}, {"b", "true"}, {"c", true}, {"d", nullptr}, {"e", {"x", 2.5}}}));
}

TEST(Tree, EachRepeatsForEveryRow) {
  EXPECT_EQ(render("{n: '{o}', rows: {each: {id: '{k}'}}}", {{"o", "x"}}, {{{"k", 1}}, {{"k", "2"}}}),
            json({{"n", "x"}, {"rows", {{{"id", 1}}, {{"id", "2"}}}}}));
  EXPECT_EQ(render("{rows: {each: {id: '{k}'}}}", json::object(), {}), json({{"rows", json::array()}}));
}

TEST(Tree, AStarSpreadsAnObject) {
  EXPECT_EQ(render("{a: 1, '*': '{all}', b: 2}", {{"all", {{"a", 9}, {"c", 3}}}}, {}),
            json({{"a", 9}, {"b", 2}, {"c", 3}}));
}

TEST(Tree, MembersWithoutAValueAreLeftOut) {
  EXPECT_EQ(render("{a: '{none}', b: ['{none}', 1], '{none}': 2}", json::object(), {}), json({{"b", {1}}}));
}

TEST(Tree, NamesCanBePlaceholders) {
  EXPECT_EQ(render("{'{item}': {x: 1}}", {{"item", "user"}}, {}), json({{"user", {{"x", 1}}}}));
}

TEST(Template, ANumberIsOneWhereTheTextIsOne) {
  const Lookup lookup = [](std::string_view name) -> std::optional<nlohmann::json> {
    return nlohmann::json(std::string(name));
  };
  EXPECT_EQ(Template::parse("{36:number}").value(lookup), nlohmann::json(36));
  EXPECT_EQ(Template::parse("{-4:number}").value(lookup), nlohmann::json(-4));
  EXPECT_EQ(Template::parse("{36:number}").names(), std::vector<std::string>{"36"});
  for (const std::string text : {"", "3x", "1e3", "99999999999999999999"})
    EXPECT_EQ(Template::parse("{n:number}").value([&](std::string_view) { return nlohmann::json(text); }),
              text);
  EXPECT_EQ(Template::parse("id {7:number}").text(lookup), "id 7");
}

}  // namespace
}  // namespace eddy::connectors
