#include "report/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/secrets.h"
#include "support/scratch.h"

namespace eddy::report {
namespace {

using nlohmann::json;

class Report : public ::testing::Test {
 protected:
  Report() {
    places_.project = scratch_.path();
    places_.dot_eddy = scratch_ / ".eddy";
    places_.lake = scratch_ / "lake";
    places_.warehouse = scratch_ / "warehouse.duckdb";
    std::filesystem::create_directories(places_.dot_eddy);
    std::filesystem::create_directories(places_.lake);
    store_ = state::Store::open(places_.dot_eddy / "state.db");
    session_ =
        std::make_unique<warehouse::Session>(places_, *store_, engine::Options{}, warehouse::Access::read);
    session_->connect().execute(
        "create schema if not exists presentation; create table presentation.t as select 'DE' as country, 5 "
        "as n");
  }

  static DashboardSpec dashboard(const std::string& tiles, const std::string& filters = "{}") {
    Diagnostics diagnostics;
    const std::string yaml = "title: T\nfilters: " + filters + "\ntiles:\n" + tiles;
    const config::Node node = config::parse(yaml, "dashboards/d.yml", config::no_variables(), diagnostics);
    std::optional<DashboardSpec> spec = parse_dashboard("d", node, diagnostics);
    diagnostics.throw_if_any();
    return *spec;
  }

  DashboardRun run(const DashboardSpec& spec, const Limits& limits = {}) {
    return run_dashboard(*session_, spec, cancel_, limits);
  }

  ReportResult write(const std::vector<DashboardSpec>& specs, const std::filesystem::path& file) {
    return write_report(*session_, specs, file, clock_, silent_progress(), cancel_,
                        {.project = "shop", .version = "0.1.0", .limits = {}});
  }

  testing::Scratch scratch_;
  warehouse::Places places_;
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<warehouse::Session> session_;
  ManualClock clock_;
  Cancel cancel_;
};

TEST_F(Report, ATileHoldsColumnsAndRows) {
  const DashboardRun done =
      run(dashboard("  - {type: table, sql: \"select 1 as i, 2.5::double as r, 1.25::decimal(5,2) as d, 'x' "
                    "as t, date '2026-01-02' as day, null as nothing, true as yes\"}\n"));
  ASSERT_TRUE(done.failures.empty());
  const json& result = done.data["tiles"][0]["result"];
  EXPECT_EQ(result["rows"], json::parse(R"([[1, 2.5, 1.25, "x", "2026-01-02", null, true]])"));
  EXPECT_EQ(result["columns"][2], json({{"name", "d"}, {"type", "decimal"}}));
  EXPECT_EQ(result["truncated"], false);
  EXPECT_EQ(done.rows, 1u);
}

TEST(CellJson, KeepsNumbersThatADoubleCannotHold) {
  EXPECT_EQ(cell_json(Value::integer(9007199254740992)), json(9007199254740992));
  EXPECT_EQ(cell_json(Value::integer(9007199254740993)), json("9007199254740993"));
  EXPECT_EQ(cell_json(Value::integer(INT64_MIN)), json("-9223372036854775808"));
  EXPECT_EQ(cell_json(Value::decimal("-12.50")), json(-12.5));
  EXPECT_EQ(cell_json(Value::decimal("123456789012345678.90")), json("123456789012345678.90"));
  EXPECT_EQ(cell_json(Value()), json(nullptr));
}

TEST_F(Report, RowsBeyondTheLimitAreLeftOutAndSaid) {
  const DashboardSpec spec = dashboard(
      "  - {type: table, sql: select * from range(5000)}\n  - {type: table, sql: select * from "
      "range(4999)}\n");
  const DashboardRun done = run(spec, {.rows_max = 4999, .choices_max = 10});
  EXPECT_EQ(done.data["tiles"][0]["result"]["rows"].size(), 4999u);
  EXPECT_EQ(done.data["tiles"][0]["result"]["truncated"], true);
  EXPECT_EQ(done.data["tiles"][1]["result"]["truncated"], false);
}

TEST_F(Report, AFailedTileLeavesTheOthers) {
  const DashboardRun done =
      run(dashboard("  - {title: Bad, type: table, sql: select * from nowhere}\n  - {type: number, model: "
                    "presentation.t}\n"));
  ASSERT_EQ(done.failures.size(), 1u);
  EXPECT_EQ(done.failures[0].place, "tile 1 (Bad)");
  EXPECT_EQ(done.failures[0].diagnostic.position.line, 4);
  EXPECT_NE(done.failures[0].diagnostic.message.find("nowhere"), std::string::npos);
  EXPECT_FALSE(done.data["tiles"][0].contains("result"));
  EXPECT_EQ(done.data["tiles"][0]["error"]["code"], done.failures[0].diagnostic.code);
  EXPECT_EQ(done.data["tiles"][1]["value"], "n");
  EXPECT_EQ(done.data["tiles"][1]["result"]["rows"], json::parse(R"([["DE", 5]])"));
}

TEST_F(Report, OnlyOneSelectIsRun) {
  const DashboardRun done = run(dashboard(
      "  - {type: table, sql: drop table presentation.t}\n  - {type: table, sql: select 1; select 2}\n"));
  ASSERT_EQ(done.failures.size(), 2u);
  EXPECT_EQ(done.failures[0].diagnostic.code, "sql.not_a_select");
  EXPECT_EQ(done.failures[1].diagnostic.code, "sql.not_a_select");
  EXPECT_EQ(session_->connect().query("select count(*) from presentation.t").scalar().as_integer(), 1);
}

TEST_F(Report, ColumnsAreLookedUpAsSqlDoes) {
  const DashboardRun done = run(dashboard("  - {type: bar, x: COUNTRY, y: N, model: presentation.t}\n"));
  ASSERT_TRUE(done.failures.empty());
  EXPECT_EQ(done.data["tiles"][0]["x"], "country");
  EXPECT_EQ(done.data["tiles"][0]["y"], json({"n"}));

  const DashboardRun wrong =
      run(dashboard("  - {type: bar, x: contry, y: n, model: presentation.t}\n  - {type: bar, x: n, y: "
                    "country, model: presentation.t}\n"
                    "  - {type: number, sql: select 'a' as a}\n"));
  ASSERT_EQ(wrong.failures.size(), 3u);
  EXPECT_EQ(wrong.failures[0].diagnostic.code, "dashboard.unknown_column");
  EXPECT_EQ(wrong.failures[0].diagnostic.hint, "did you mean `country`?");
  EXPECT_EQ(wrong.failures[0].diagnostic.position.column, 20);
  EXPECT_EQ(wrong.failures[1].diagnostic.code, "dashboard.not_a_number");
  EXPECT_EQ(wrong.failures[2].diagnostic.code, "dashboard.not_a_number");
}

TEST_F(Report, FiltersGetTheirChoices) {
  const std::string tile = "  - {type: table, model: presentation.t}\n";
  const DashboardRun done = run(dashboard(tile,
                                          "{a: {column: Country, options: \"select * from range(3)\"}, b: "
                                          "{column: n, options: [x, y], default: x}, country: {}}"));
  ASSERT_TRUE(done.failures.empty()) << render(done.failures[0].diagnostic);
  const json& filters = done.data["filters"];
  EXPECT_EQ(filters[0]["column"], "country");
  EXPECT_EQ(filters[0]["options"], json({0, 1, 2}));
  EXPECT_EQ(filters[0]["initial"], nullptr);
  EXPECT_EQ(filters[1]["options"], json({"x", "y"}));
  EXPECT_EQ(filters[1]["initial"], "x");
  EXPECT_EQ(filters[2]["options"], nullptr);

  const DashboardRun unused = run(dashboard(tile, "{contry: {}}"));
  ASSERT_EQ(unused.failures.size(), 1u);
  EXPECT_EQ(unused.failures[0].diagnostic.code, "dashboard.unused_filter");
  EXPECT_EQ(unused.failures[0].diagnostic.hint, "did you mean `country`?");
  EXPECT_EQ(run(dashboard(tile, "{country: {options: select x from nowhere}}")).failures.size(), 1u);
}

TEST_F(Report, SecretsDoNotReachAFailure) {
  register_secret("tide-secret-77");
  const DashboardRun done =
      run(dashboard("  - {type: table, sql: \"select 'tide-secret-77' from nowhere\"}\n"));
  ASSERT_EQ(done.failures.size(), 1u);
  EXPECT_EQ(done.data.dump().find("tide-secret-77"), std::string::npos);
  EXPECT_EQ(render(done.failures[0].diagnostic).find("tide-secret-77"), std::string::npos);
}

TEST_F(Report, WritesOneFileAndCountsWhatIsInIt) {
  const auto file = scratch_ / "new/folder/report.html";
  const ReportResult result =
      write({dashboard(
                "  - {type: table, model: presentation.t}\n  - {type: table, sql: select * from nowhere}\n")},
            file);
  ASSERT_EQ(result.dashboards.size(), 1u);
  EXPECT_EQ(result.dashboards[0].tiles, 2u);
  EXPECT_EQ(result.dashboards[0].rows, 1u);
  EXPECT_EQ(result.dashboards[0].failures, 1u);
  EXPECT_EQ(result.failures.size(), 1u);
  const std::string page = read_file(file);
  EXPECT_EQ(page.size(), result.bytes);
  EXPECT_NE(page.find(R"("generated_at":"2023-11-14T22:13:20Z")"), std::string::npos);
  EXPECT_NE(page.find(R"("data_as_of":null)"), std::string::npos);
  EXPECT_TRUE(write({}, file).failures.empty());
}

TEST_F(Report, DataAreAsOfTheNewestModel) {
  // A model without a view needs no file: only the catalog is asked.
  store_->commit_model({.model = "clean.a",
                        .version = "1",
                        .path = "a",
                        .rows = 0,
                        .built_at = "2026-11-20T08:00:00Z",
                        .fingerprint = "",
                        .run_id = ""});
  store_->commit_model({.model = "clean.b",
                        .version = "2",
                        .path = "b",
                        .rows = 0,
                        .built_at = "2026-11-21T08:00:00Z",
                        .fingerprint = "",
                        .run_id = ""});
  write({dashboard("  - {type: text, text: hi}\n")}, scratch_ / "r.html");
  EXPECT_NE(scratch_.read("r.html").find(R"("data_as_of":"2026-11-21T08:00:00Z")"), std::string::npos);
}

TEST_F(Report, AnInterruptedReportWritesNothing) {
  cancel_.request();
  try {
    write({dashboard("  - {type: table, model: presentation.t}\n")}, scratch_ / "r.html");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "report.interrupted");
  }
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "r.html"));
}

}  // namespace
}  // namespace eddy::report
