// The report as a person meets it: a file, opened in a browser. The page's own selftest
// (web/report/selftest.js) looks at the drawings.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "chromium.h"
#include "core/files.h"
#include "report_fixture.h"

namespace eddy::testing {
namespace {

using nlohmann::json;

json selftest(const std::filesystem::path& file, const std::string& theme) {
  const OpenedPage page = open_in_chromium(file, "?selftest&theme=" + theme);
  EXPECT_EQ(page.console, "");
  const std::string open = R"(<script type="application/json" id="eddy-selftest">)";
  const std::size_t start = page.document.find(open);
  if (start == std::string::npos) throw std::runtime_error("the page did not report what it drew");
  const std::size_t end = page.document.find("</script>", start);
  json seen = json::parse(page.document.substr(start + open.size(), end - start - open.size()));
  EXPECT_EQ(seen["errors"], json::array());
  return seen;
}

const json& tile_of(const json& page, const std::string& title) {
  for (const json& tile : page["tiles"])
    if (tile["title"] == title) return tile;
  throw std::runtime_error("no tile " + title);
}

const json& series_of(const json& tile, const std::string& name) {
  for (const json& series : tile["series"])
    if (series["name"] == name) return series;
  throw std::runtime_error("no series " + name);
}

void expect_drawn(const json& tile) {
  SCOPED_TRACE(tile["title"].get<std::string>());
  ASSERT_TRUE(tile.contains("drawn"));
  EXPECT_GT(tile["width"].get<int>(), 200);
  EXPECT_GT(tile["drawn"].get<int>(), 2000);
  EXPECT_GT(tile["marks"].get<int>(), 3);
  EXPECT_NE(tile["tip"], "");
  EXPECT_GT(tile["label"].get<std::string>().size(), 20u);
  EXPECT_GT(tile["tableRows"].get<int>(), 0);
}

class ReportInBrowser : public ::testing::TestWithParam<const char*> {};

TEST_P(ReportInBrowser, DrawsEveryTileWithoutAnError) {
  EDDY_NEEDS_CHROMIUM();
  ReportProject project;
  report::ReportResult result;
  const auto file = project.write(ReportProject::showcase(), &result);
  ASSERT_TRUE(result.failures.empty()) << render(result.failures.front().diagnostic);

  const json seen = selftest(file, GetParam());
  EXPECT_EQ(seen["theme"], GetParam());
  EXPECT_EQ(seen["background"], std::string(GetParam()) == "dark" ? "rgb(14, 17, 22)" : "rgb(246, 247, 249)");
  ASSERT_EQ(seen["dashboards"].size(), 2u);
  std::set<std::string> types;
  for (const json& page : seen["dashboards"]) {
    EXPECT_FALSE(page["overflow"]) << page["name"];
    for (const json& tile : page["tiles"]) {
      types.insert(tile["type"]);
      if (tile["type"] == "number" || tile["type"] == "table" || tile["type"] == "text")
        EXPECT_NE(tile["text"], "") << tile;
      else
        expect_drawn(tile);
    }
  }
  EXPECT_EQ(types,
            (std::set<std::string>{"area", "bar", "line", "number", "pie", "stacked_bar", "table", "text"}));

  const json& revenue = seen["dashboards"][0];
  EXPECT_EQ(revenue["title"], "Revenue · Harbour");
  EXPECT_EQ(tile_of(revenue, "Revenue by plan")["series"].size(), 4u);
  EXPECT_EQ(tile_of(seen["dashboards"][1], "Opened against solved")["series"].size(), 2u);
  // One plan, one colour, in whatever tile.
  for (const char* plan : {"Free", "Pro", "Team", "Enterprise"})
    EXPECT_EQ(series_of(tile_of(revenue, "Revenue by plan"), plan)["color"],
              series_of(tile_of(revenue, "Customers over time"), plan)["color"]);
}
INSTANTIATE_TEST_SUITE_P(Themes, ReportInBrowser, ::testing::Values("light", "dark"));

TEST(ReportFilters, ChangeWhatIsDrawnAndSayWhereTheyDoNotApply) {
  EDDY_NEEDS_CHROMIUM();
  ReportProject project;
  const std::string yaml = R"y(
title: Filters
filters:
  country: {options: "select distinct country from presentation.monthly_revenue order by 1"}
tiles:
  - {title: Total, type: number, value: revenue, sql: "select country, sum(revenue) as revenue from presentation.monthly_revenue group by 1"}
  - {title: Mean, type: number, value: revenue, aggregate: avg, format: integer, sql: "select country, sum(revenue)::bigint as revenue from presentation.monthly_revenue group by 1"}
  - {title: Elsewhere, type: number, sql: "select 42 as answer"}
  - {title: By plan, type: bar, x: plan, y: revenue, sort: revenue desc, limit: 2, model: presentation.monthly_revenue}
)y";
  const auto file = project.write({ReportProject::dashboard("filters", yaml)});
  const json seen = selftest(file, "light")["dashboards"][0];

  engine::Connection connection = project.session().connect();
  const auto ask = [&](const std::string& sql) { return connection.query(sql).scalar().as_real(); };
  ASSERT_EQ(seen["filtered"].size(), 1u);
  const json& filtered = seen["filtered"][0];
  EXPECT_EQ(filtered["options"],
            json({"all", "is:France", "is:Germany", "is:Netherlands", "is:Spain", "is:United Kingdom"}));
  EXPECT_EQ(filtered["value"], "is:France");
  EXPECT_EQ(filtered["hash"], "#filters?country=is%3AFrance");

  EXPECT_EQ(tile_of(seen, "Total")["rows"], 5);
  EXPECT_EQ(tile_of(filtered, "Total")["rows"], 1);
  EXPECT_NE(tile_of(seen, "Total")["text"], tile_of(filtered, "Total")["text"]);
  EXPECT_EQ(tile_of(filtered, "Total")["badge"], "");
  EXPECT_EQ(tile_of(filtered, "Elsewhere")["badge"], "Not filtered by country");
  EXPECT_EQ(tile_of(filtered, "Elsewhere")["text"], "42");

  const auto grouped = [](const json& tile) { return tile["series"][0]["values"]; };
  const std::string per_plan = "select sum(revenue)::double from presentation.monthly_revenue where plan = ";
  EXPECT_EQ(tile_of(seen, "By plan")["x"], json({"Enterprise", "Pro"}));
  EXPECT_NEAR(grouped(tile_of(seen, "By plan"))[0].get<double>(), ask(per_plan + "'Enterprise'"), 0.01);
  EXPECT_NEAR(grouped(tile_of(filtered, "By plan"))[0].get<double>(),
              ask(per_plan + "'Enterprise' and country = 'France'"), 0.01);
  EXPECT_NEAR(grouped(tile_of(filtered, "By plan"))[1].get<double>(),
              ask(per_plan + "'Pro' and country = 'France'"), 0.01);
}

TEST(ReportNumbers, AreWrittenInTheFormatAsked) {
  EDDY_NEEDS_CHROMIUM();
  ReportProject project;
  const std::string yaml = R"y(
title: Numbers
tiles:
  - {title: usd, type: number, format: usd, compare: b, sql: "select 1234567.4 as a, 1000000.0 as b"}
  - {title: cents, type: number, format: eur, sql: "select 12.5::decimal(8,2) as a"}
  - {title: percent, type: number, format: percent, compare: b, good: down, compare_label: last year, sql: "select 0.125 as a, 0.1 as b"}
  - {title: compact, type: number, format: compact, sql: "select 1530000 as a"}
  - {title: huge, type: number, sql: "select 9007199254740993::bigint as a"}
  - {title: same, type: number, compare: b, sql: "select 7 as a, 7 as b"}
  - {title: nothing, type: number, sql: "select 1 as a where false"}
  - {title: unknown, type: number, sql: "select null::integer as a"}
  - {title: newest, type: number, x: day, value: n, sql: "select * from (values (date '2026-01-03', 30), (date '2026-01-01', 10), (date '2026-01-02', 20)) t(day, n)"}
  - {title: cells, type: table, format: {share: percent}, sql: "select 1234 as n, 1234 as customer_id, 0.5 as share, date '2026-03-09' as day, null::integer as missing, true as yes"}
)y";
  const json seen =
      selftest(project.write({ReportProject::dashboard("numbers", yaml)}), "light")["dashboards"][0];
  // As words in a row: where a line breaks depends on the fonts of the machine.
  const auto text = [&](const char* title) {
    return std::regex_replace(tile_of(seen, title)["text"].get<std::string>(), std::regex("\\s+"), " ");
  };
  EXPECT_EQ(text("usd"), "$1,234,567 ▲ 23.5% vs $1,000,000 b");
  EXPECT_EQ(text("cents"), "€12.50");
  EXPECT_EQ(text("percent"), "12.5% ▲ 2.5 pp vs 10% last year");
  EXPECT_EQ(text("compact"), "1.5M");
  EXPECT_EQ(text("huge"), "9,007,199,254,740,993");
  EXPECT_EQ(text("same"), "7 No change vs 7 b");
  EXPECT_EQ(text("nothing"), "No rows");
  EXPECT_EQ(text("unknown"), "–");
  EXPECT_EQ(text("newest").substr(0, 2), "30");
  EXPECT_NE(text("newest").find("▲ 50.0%"), std::string::npos);
  EXPECT_NE(text("cells").find("1,234 1234 50% Mar 9, 2026 – Yes"), std::string::npos) << text("cells");
}

// Whatever a query returns stays text: in titles, cells, legends, tooltips, filter choices and markdown.
TEST(ReportHostileData, StaysText) {
  EDDY_NEEDS_CHROMIUM();
  ReportProject project;
  const std::string hostile =
      R"(</script><script>window.injected=1</script><img src=x onerror=window.injected=1>)";
  const std::string yaml = R"y(
title: "</title></script><script>window.injected=1</script>"
text: "<img src=x onerror=window.injected=1> [link](javascript:window.injected=1)"
filters: {name: {}}
tiles:
  - {title: "<b onclick=window.injected=1>x</b>", type: bar, x: name, y: n, sql: &q "select * from (values (')y" +
                           hostile +
                           R"y(', 1), ('<!-- <script>', 2), ('{{data}} %s {a|b}', 3)) t(name, n)"}
  - {title: Pie, type: pie, x: name, y: n, sql: *q}
  - {title: Lines, type: line, x: n, y: n, series: name, sql: *q}
  - {title: Cells, type: table, sql: *q}
  - {title: Separators, type: table, sql: "select 'a' || chr(8232) || 'b' || chr(8233) || 'c' as name, {'k': '</script>'} as nested"}
  - {title: Failed, type: table, sql: "select '</script><script>window.injected=1</script>' from nowhere"}
)y";
  report::ReportResult result;
  const auto file = project.write({ReportProject::dashboard("hostile", yaml)}, &result);
  EXPECT_EQ(result.failures.size(), 1u);
  const json seen = selftest(file, "light");
  EXPECT_EQ(seen["injected"], false);
  const json& page = seen["dashboards"][0];
  EXPECT_EQ(page["title"], "</title></script><script>window.injected=1</script> · Harbour");
  expect_drawn(tile_of(page, "<b onclick=window.injected=1>x</b>"));
  EXPECT_EQ(tile_of(page, "<b onclick=window.injected=1>x</b>")["x"],
            json({hostile, "<!-- <script>", "{{data}} %s {a|b}"}));
  EXPECT_NE(
      tile_of(page, "<b onclick=window.injected=1>x</b>")["tip"].get<std::string>().find("window.injected=1"),
      std::string::npos);
  EXPECT_EQ(series_of(tile_of(page, "Lines"), hostile)["values"].size(), 3u);
  EXPECT_NE(tile_of(page, "Cells")["text"].get<std::string>().find(hostile), std::string::npos);
  EXPECT_NE(tile_of(page, "Failed")["text"].get<std::string>().find("This tile could not be computed"),
            std::string::npos);
  EXPECT_EQ(page["filtered"][0]["filter"], "name");
}

TEST(ReportOddResults, DrawWithoutAnError) {
  EDDY_NEEDS_CHROMIUM();
  ReportProject project;
  const std::string yaml = R"y(
title: Odd
tiles:
  - {title: one point, type: line, x: t, y: v, sql: "select timestamp '2026-01-02 03:04:05.678' as t, 1 as v"}
  - {title: minutes, type: line, x: t, y: v, sql: "select timestamp '2026-01-02 03:04:05' + to_seconds(i * 30) as t, i as v from range(60) r(i)"}
  - {title: centuries, type: area, x: t, y: v, sql: "select (date '1000-01-01' + to_years(i::int * 9))::date as t, i as v from range(100) r(i)"}
  - {title: no x, type: line, x: t, y: v, sql: "select null::date as t, 1 as v"}
  - {title: some x, type: stacked_bar, x: t, y: v, series: s, sql: "select * from (values (null, 1, 'a'), ('p', 2, null), ('q', null, 'b')) r(t, v, s)"}
  - {title: no y, type: bar, x: t, y: v, sql: "select 'a' as t, null::integer as v"}
  - {title: negative, type: pie, x: t, y: v, sql: "select * from (values ('a', -1), ('b', 0)) r(t, v)"}
  - {title: names, type: bar, x: constructor, y: __proto__, sql: "select 'toString' as constructor, 3 as __proto__"}
  - {title: twice, type: table, sql: "select 1 as a, 2 as a, [1, 2] as list, {'k': 1} as struct, 'x'::blob as bytes, 1e300 as big, '2026-01-01 10:00:00+02'::timestamptz as at"}
  - {title: many, type: stacked_bar, x: i, y: v, series: s, sql: "select i % 100 as i, 's' || i % 30 as s, i as v from range(3000) r(i)"}
)y";
  const json seen = selftest(project.write({ReportProject::dashboard("odd", yaml)}), "dark")["dashboards"][0];
  for (const char* title : {"one point", "minutes", "centuries", "names", "many"})
    expect_drawn(tile_of(seen, title));
  EXPECT_EQ(tile_of(seen, "some x")["series"].size(), 3u);
  EXPECT_EQ(tile_of(seen, "some x")["x"], json({"(none)", "p", "q"}));
  EXPECT_EQ(tile_of(seen, "many")["series"].size(), 30u);
  EXPECT_NE(tile_of(seen, "twice")["text"].get<std::string>().find("{\"k\":1}"), std::string::npos);
  EXPECT_FALSE(seen["overflow"]);
}

TEST(ReportPicture, IsWrittenForDesksAndTelephones) {
  EDDY_NEEDS_CHROMIUM();
  ReportProject project;
  const auto file = project.write(ReportProject::showcase());
  const auto picture = [&](int width, const std::string& query) {
    const auto path = project.scratch() / ("picture" + std::to_string(width) + ".png");
    open_in_chromium(file, query, path, width, 900);
    return read_file(path);
  };
  const std::string desk = picture(1280, "?theme=light");
  const std::string telephone = picture(500, "?theme=dark#support");
  // A page that draws nothing compresses to a few kilobytes.
  EXPECT_GT(desk.size(), 40'000u);
  EXPECT_GT(telephone.size(), 15'000u);
}

}  // namespace
}  // namespace eddy::testing
