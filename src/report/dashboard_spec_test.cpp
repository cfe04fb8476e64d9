#include "report/dashboard_spec.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace eddy::report {
namespace {

struct Parsed {
  std::optional<DashboardSpec> spec;
  std::vector<Diagnostic> complaints;
};

Parsed parse(const std::string& yaml) {
  Diagnostics diagnostics;
  const config::Node node = config::parse(yaml, "dashboards/d.yml", config::no_variables(), diagnostics);
  Parsed parsed{parse_dashboard("d", node, diagnostics), {}};
  parsed.complaints = diagnostics.list();
  return parsed;
}

// The one complaint about a tile on line 3.
Diagnostic complaint_about(const std::string& tile) {
  const Parsed parsed = parse("title: T\ntiles:\n  - " + tile + "\n");
  EXPECT_FALSE(parsed.spec.has_value());
  EXPECT_EQ(parsed.complaints.size(), 1u) << tile;
  if (parsed.complaints.empty()) return {};
  EXPECT_EQ(parsed.complaints.front().position.file, "dashboards/d.yml");
  EXPECT_EQ(parsed.complaints.front().position.line, 3);
  EXPECT_FALSE(parsed.complaints.front().excerpt.empty());
  return parsed.complaints.front();
}

TEST(DashboardSpec, ReadsEveryKey) {
  const Parsed parsed = parse(R"(
title: Customers
text: "**Hello**"
description: for lists
tags: [growth, weekly]
filters:
  country: {label: Land, column: country_code, options: "select 1", default: DE}
  plan: {options: [free, pro]}
  year: {}
tiles:
  - {title: Revenue, type: number, model: presentation.kpi, value: revenue, compare: before, compare_label: last month, good: down, format: usd}
  - {type: bar, sql: "select 1", x: month, y: [a, b], sort: a DESC, limit: 5, horizontal: true, width: 12, height: 400, aggregate: max}
  - {type: line, sql: "select 2", x: month, y: a, series: plan}
  - {type: table, sql: "select 3", columns: [a, b], format: {a: percent, b: eur}}
  - {type: text, text: hi}
)");
  ASSERT_TRUE(parsed.spec.has_value()) << render(parsed.complaints.front());
  const DashboardSpec& spec = *parsed.spec;
  EXPECT_EQ(spec.name, "d");
  EXPECT_EQ(spec.title, "Customers");
  EXPECT_EQ(spec.tags, (std::vector<std::string>{"growth", "weekly"}));
  ASSERT_EQ(spec.filters.size(), 3u);
  EXPECT_EQ(spec.filters[0].column, "country_code");
  EXPECT_EQ(spec.filters[0].options_sql, "select 1");
  EXPECT_EQ(spec.filters[0].initial, "DE");
  EXPECT_EQ(spec.filters[1].options, (std::vector<std::string>{"free", "pro"}));
  EXPECT_EQ(spec.filters[1].initial, "");
  EXPECT_EQ(spec.filters[2].column, "year");

  ASSERT_EQ(spec.tiles.size(), 5u);
  EXPECT_EQ(spec.tiles[0].sql, "select * from presentation.\"kpi\"");
  EXPECT_EQ(spec.tiles[0].width, 3);
  EXPECT_FALSE(spec.tiles[0].good_is_up);
  EXPECT_EQ(spec.tiles[0].format, Format::usd);
  EXPECT_EQ(spec.tiles[1].y, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(spec.tiles[1].sort, "a");
  EXPECT_TRUE(spec.tiles[1].sort_descending);
  EXPECT_EQ(spec.tiles[1].limit, 5u);
  EXPECT_EQ(spec.tiles[1].aggregate, Aggregate::max);
  EXPECT_EQ(spec.tiles[2].series, "plan");
  EXPECT_EQ(spec.tiles[2].width, 6);
  ASSERT_EQ(spec.tiles[3].formats.size(), 2u);
  EXPECT_EQ(spec.tiles[3].formats[1].format, Format::eur);
  EXPECT_EQ(spec.tiles[4].width, 12);

  std::vector<std::string> queries;
  for (const DashboardSpec::Query& query : spec.queries()) queries.push_back(query.sql);
  EXPECT_EQ(queries, (std::vector<std::string>{"select 1", "select * from presentation.\"kpi\"", "select 1",
                                               "select 2", "select 3"}));
  EXPECT_EQ(spec.queries()[1].node.position().line, 11);
}

TEST(DashboardSpec, AKeyWithoutAValueIsAsGoodAsAbsent) {
  const Parsed parsed = parse(
      "title: T\ntext:\nfilters:\ntiles:\n  - type: table\n    sql: select 1\n    title:\n    columns:\n    "
      "limit:\n");
  ASSERT_TRUE(parsed.spec.has_value()) << render(parsed.complaints.front());
  EXPECT_EQ(parsed.spec->tiles[0].title, "");
  EXPECT_EQ(complaint_about("{type: line, sql: select 1, x: , y: a}").code, "dashboard.missing_key");
}

TEST(DashboardSpec, UnknownWordsGetADidYouMean) {
  const Diagnostic type = complaint_about("{type: stacked_bars, sql: select 1, x: a, y: b}");
  EXPECT_EQ(type.code, "config.not_allowed");
  EXPECT_EQ(type.hint, "did you mean `stacked_bar`?");
  EXPECT_EQ(type.position.column, 12);
  const Diagnostic key = complaint_about("{type: table, slq: select 1}");
  EXPECT_EQ(key.code, "config.unknown_key");
  EXPECT_EQ(key.hint, "did you mean `sql`?");
  EXPECT_EQ(complaint_about("{type: number, sql: select 1, format: dollars}").code, "config.not_allowed");
  EXPECT_EQ(complaint_about("{type: table, sql: select 1, format: {a: usdd}}").hint, "did you mean `usd`?");
}

TEST(DashboardSpec, EachTileTypeHasItsOwnKeys) {
  const Diagnostic compare = complaint_about("{type: line, sql: select 1, x: a, y: b, compare: c}");
  EXPECT_EQ(compare.code, "dashboard.key_not_used");
  EXPECT_EQ(compare.message, "a line tile does not use `compare`");
  EXPECT_EQ(complaint_about("{type: text, text: hi, sql: select 1}").code, "dashboard.key_not_used");
  EXPECT_EQ(complaint_about("{type: table, sql: select 1, x: a}").code, "dashboard.key_not_used");
  EXPECT_EQ(complaint_about("{type: pie, sql: select 1, x: a, y: b, series: c}").code,
            "dashboard.key_not_used");

  EXPECT_EQ(complaint_about("{type: table, title: x}").message, "a table tile needs `sql`");
  EXPECT_EQ(complaint_about("{type: area, sql: select 1, x: a}").message, "an area tile needs `y`");
  EXPECT_EQ(complaint_about("{type: area, sql: select 1, y: a}").message, "an area tile needs `x`");
  EXPECT_EQ(complaint_about("{type: bar, sql: select 1, x: a, y: []}").code, "dashboard.missing_key");
  EXPECT_EQ(complaint_about("{type: text}").code, "dashboard.missing_key");
}

TEST(DashboardSpec, RefusesWhatContradictsItself) {
  EXPECT_EQ(complaint_about("{type: table, sql: select 1, model: clean.a}").code, "dashboard.conflict");
  EXPECT_EQ(complaint_about("{type: line, sql: select 1, x: a, y: [b, c], series: d}").code,
            "dashboard.conflict");
  EXPECT_EQ(complaint_about("{type: pie, sql: select 1, x: a, y: [b, c]}").code, "dashboard.conflict");
  EXPECT_EQ(complaint_about("{type: table, model: presentaton.kpi}").hint, "did you mean `presentation`?");
  EXPECT_EQ(complaint_about("{type: table, model: kpi}").code, "dashboard.bad_model");
  EXPECT_EQ(complaint_about("{type: table, sql: select 1, width: 13}").code, "dashboard.bad_value");
  EXPECT_EQ(complaint_about("{type: table, sql: select 1, limit: 0}").code, "dashboard.bad_value");
  EXPECT_EQ(complaint_about("{type: table, sql: select 1, width: wide}").code, "config.wrong_type");
}

TEST(DashboardSpec, TellsAllMistakesAtOnce) {
  const Parsed parsed =
      parse("title: T\ntiles:\n  - {type: line, sql: select 1}\n  - {type: table, width: 99}\n");
  EXPECT_FALSE(parsed.spec.has_value());
  EXPECT_EQ(parsed.complaints.size(), 4u);
  EXPECT_FALSE(parse("tiles: []\n").spec.has_value());
  EXPECT_EQ(parse("title: T\ntiles: []\n").complaints.at(0).code, "dashboard.no_tiles");
}

TEST(DashboardSpec, HasAJsonSchema) {
  const nlohmann::json schema = config::json_schema(dashboard_shape(), "Dashboard", "dashboards/*.yml");
  EXPECT_EQ(schema["required"], nlohmann::json({"title", "tiles"}));
  EXPECT_FALSE(schema["additionalProperties"]);
}

}  // namespace
}  // namespace eddy::report
