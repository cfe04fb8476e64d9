// The example shop as its README promises it: files in, four services and a database out, every number
// counted.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <thread>

#include "chromium.h"
#include "core/files.h"
#include "core/text.h"
#include "loop_fixture.h"
#include "transport/sqlite/database.h"

namespace eddy::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What a sync of the example says, in this test's own words: where its records lie, and the query that gives
// their values.
struct Route {
  std::string sync, service, object, key;
  std::vector<std::string> fields;
  std::string sql;
};

const std::vector<Route>& routes() {
  static const std::vector<Route> all = {
      {"hubspot_contacts",
       "hubspot",
       "contacts",
       "email",
       {"firstname", "lastname", "lifecyclestage", "ltv", "lead_score", "propensity", "customer_health",
        "at_risk"},
       "select email, first_name as firstname, last_name as lastname, stage as lifecyclestage, "
       "lifetime_value as ltv, lead_score,"
       " round(propensity * 100) as propensity, customer_health, at_risk from presentation.contacts"},
      {"salesforce_contacts",
       "salesforce",
       "Contact",
       "External_Id__c",
       {"FirstName", "LastName", "Email", "Lifetime_Value__c", "Lead_Score__c", "Propensity__c", "Health__c",
        "At_Risk__c"},
       "select customer_id as External_Id__c, first_name as FirstName, last_name as LastName, email as Email,"
       " lifetime_value as Lifetime_Value__c, lead_score as Lead_Score__c, propensity as Propensity__c,"
       " customer_health as Health__c, at_risk as At_Risk__c from presentation.contacts"},
      {"marketo_leads",
       "marketo",
       "leads",
       "email",
       {"firstName", "lastName", "leadScore", "propensity"},
       "select email, first_name as firstName, last_name as lastName, lead_score as leadScore, propensity "
       "from presentation.leads"},
      {"zendesk_users",
       "zendesk",
       "users",
       "external_id",
       {"name", "email", "user_fields.customer_health", "user_fields.at_risk"},
       "select customer_id as external_id, first_name || ' ' || last_name as name, email,"
       " {'customer_health': customer_health, 'at_risk': at_risk} as user_fields from "
       "presentation.support_contacts"},
      {"propensity_table",
       "",
       "propensity",
       "customer_id",
       {"email", "lead_score", "propensity", "customer_health", "at_risk"},
       "select customer_id, email, lead_score, propensity, customer_health, cast(at_risk as integer) as "
       "at_risk"
       " from presentation.customer_360"},
  };
  return all;
}

const Route& route(const std::string& sync) {
  for (const Route& one : routes())
    if (one.sync == sync) return one;
  throw std::runtime_error("no route " + sync);
}

// What changes between two states of a model, found by comparing them here.
struct Changes {
  int added = 0, changed = 0, removed = 0;
  bool operator==(const Changes&) const = default;
};

Changes changes_between(const Records& before, const Records& after) {
  Changes changes;
  for (const auto& [key, record] : after) {
    const auto found = before.find(key);
    if (found == before.end())
      ++changes.added;
    else if (found->second != record)
      ++changes.changed;
  }
  for (const auto& [key, record] : before) changes.removed += after.contains(key) ? 0 : 1;
  return changes;
}

class Shop : public ::testing::Test {
 protected:
  // Copies the example, makes the data of day 1 and the empty table, and starts the services.
  void open(const std::vector<std::string>& sandbox_flags = {}) {
    const fs::path example = fs::path(EDDY_SOURCE_DIR) / "examples/shop";
    const fs::path folder = scratch_ / "shop";
    fs::create_directories(folder);
    for (const auto& entry : fs::directory_iterator(example))
      if (entry.path().filename() != "generator")
        fs::copy(entry, folder / entry.path().filename(), fs::copy_options::recursive);
    sandbox_ = std::make_unique<SandboxServices>(scratch_, sandbox_flags);
    project_ = std::make_unique<ProjectFolder>(folder, sandbox_->environment());
    generate({});
    sqlite::Database database(folder / "crm.db", sqlite::Access::create);
    database.exec(read_file(folder / "crm.sql"));
  }

  void generate(const std::vector<std::string>& more) {
    Command command{.argv = {program("shop-data").string(), "--seed", "7", "--out", "data"},
                    .directory = project_->path()};
    command.argv.insert(command.argv.end(), more.begin(), more.end());
    const Finished finished = run(command);
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
  }

  void run_whole_loop() {
    const Finished finished = project_->eddy({"run"});
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
  }

  Records model(const Route& one) { return records_by(one.key, one.fields, project_->query(one.sql)); }

  Records at_destination(const Route& one) {
    return records_by(one.key, one.fields,
                      one.service.empty()
                          ? table_rows()
                          : sandbox_->records(one.service, one.object).get<std::vector<json>>());
  }

  std::vector<json> table_rows() {
    sqlite::Database database(project_->path() / "crm.db", sqlite::Access::read_only);
    sqlite::Statement statement(database, "select * from propensity");
    std::vector<json> rows;
    while (statement.step()) {
      json& row = rows.emplace_back(json::object());
      for (int column = 0; column < statement.columns(); ++column)
        row[statement.column_name(column)] = statement.value(column).to_json();
    }
    return rows;
  }

  // Every record once, with the model's values, at all five destinations.
  void expect_delivered() {
    for (const Route& one : routes()) EXPECT_EQ(difference(model(one), at_destination(one)), "") << one.sync;
  }

  void expect_a_run_sends_nothing() {
    const auto received = sandbox_->rows_received();
    const Finished finished = project_->eddy({"run"});
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(sandbox_->rows_received(), received);
    for (const Route& one : routes())
      EXPECT_NE(line_of(finished.err, "sync." + one.sync).find("+0 ~0 -0"), std::string::npos)
          << finished.err;
  }

  static std::string line_of(const std::string& text, const std::string& word) {
    for (const std::string& line : split(text, '\n'))
      if (line.find(word) != std::string::npos) return line;
    return {};
  }

  Scratch scratch_;
  std::unique_ptr<SandboxServices> sandbox_;
  std::unique_ptr<ProjectFolder> project_;
};

TEST_F(Shop, EveryRowIsAccountedForFromFilesToServices) {
  open();
  run_whole_loop();
  const std::map<std::string, std::int64_t> rows = {
      {"clean.customers", 3017},       {"clean.orders", 13923},
      {"clean.usage", 74161},          {"clean.tickets", 2391},
      {"warehouse.fact_order", 13923}, {"presentation.contacts", 2944},
      {"presentation.leads", 696},     {"presentation.support_contacts", 650}};
  for (const auto& [relation, count] : rows) EXPECT_EQ(project_->count(relation), count) << relation;
  EXPECT_EQ(project_->count("warehouse.fact_order where customer_key = 0"), 12);
  EXPECT_EQ(project_->count("warehouse.fact_order where customer_key is null"), 0);

  std::map<std::string, int> quarantined;
  const Finished rejects = project_->eddy({"rejects", "--limit", "1000", "--json"});
  for (const std::string& line : split(rejects.out, '\n'))
    if (!line.empty()) ++quarantined[json::parse(line).at("stream").get<std::string>()];
  EXPECT_EQ(quarantined, (std::map<std::string, int>{{"raw.shop_customers", 6}, {"raw.shop_usage", 21}}));

  expect_delivered();
  EXPECT_EQ(at_destination(route("propensity_table")).size(), 3017u);
  EXPECT_EQ(sandbox_->rows_received(),
            (std::map<std::string, std::int64_t>{
                {"hubspot", 2944}, {"salesforce", 2944}, {"marketo", 696}, {"zendesk", 650}}));
  for (const char* service : {"hubspot", "salesforce", "marketo", "zendesk"})
    EXPECT_EQ(sandbox_->stat(service, "rejected"), 0);

  const json totals = project_->query("select sum(lifetime_value) as ltv from presentation.contacts").at(0);
  const double lifetime_value = std::stod(plain(totals["ltv"]));
  EXPECT_GT(lifetime_value, 0);
  EXPECT_NEAR(sum(at_destination(route("hubspot_contacts")), "ltv"), lifetime_value, 0.005);
  EXPECT_NEAR(sum(at_destination(route("salesforce_contacts")), "Lifetime_Value__c"), lifetime_value, 0.005);

  expect_a_run_sends_nothing();
}

TEST_F(Shop, APlanIsWhatApplyDoesAndThenIsStale) {
  open();
  run_whole_loop();
  std::map<std::string, Records> before, held;
  for (const Route& one : routes()) {
    before[one.sync] = model(one);
    held[one.sync] = at_destination(one);
  }
  const auto received = sandbox_->rows_received();

  generate({"--day", "2"});
  const Finished loaded = project_->eddy({"run", "--exclude", "sync.*"});
  ASSERT_EQ(loaded.exit_code, 0) << loaded.err;
  EXPECT_EQ(sandbox_->rows_received(), received);

  std::map<std::string, Changes> expected;
  Changes all;
  for (const Route& one : routes()) {
    Changes changes = changes_between(before[one.sync], model(one));
    if (one.sync != "propensity_table") changes.removed = 0;  // the others have `removed: ignore`
    expected[one.sync] = changes;
    all.added += changes.added;
    all.changed += changes.changed;
    all.removed += changes.removed;
  }
  EXPECT_EQ(all, (Changes{50, 1503, 1}));

  const std::string plan = (scratch_ / "day2.plan").string();
  const Finished planned = project_->eddy({"plan", "--out", plan});
  ASSERT_EQ(planned.exit_code, 0) << planned.err;
  EXPECT_NE(planned.out.find("Plan: 50 to add, 1,503 to change, 1 to remove."), std::string::npos)
      << planned.out;
  EXPECT_EQ(sandbox_->rows_received(), received);

  const Finished applied = project_->eddy({"apply", plan});
  ASSERT_EQ(applied.exit_code, 0) << applied.err;
  for (const Route& one : routes()) {
    SCOPED_TRACE(one.sync);
    const Changes& changes = expected[one.sync];
    EXPECT_NE(line_of(applied.err, "sync." + one.sync)
                  .find(fmt::format("+{} ~{} -{}", changes.added, changes.changed, changes.removed)),
              std::string::npos)
        << applied.err;
    if (!one.service.empty()) {
      EXPECT_EQ(sandbox_->rows_received(one.service),
                received.at(one.service) + changes.added + changes.changed);
    }
    // Who has left the model stays where removal is ignored, with what was delivered last.
    Records should = model(one);
    if (one.sync != "propensity_table") should.insert(held[one.sync].begin(), held[one.sync].end());
    EXPECT_EQ(difference(should, at_destination(one)), "");
  }

  const auto after = sandbox_->rows_received();
  const Finished again = project_->eddy({"apply", plan});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_NE(again.err.find("error[sync.plan_stale]"), std::string::npos) << again.err;
  EXPECT_EQ(sandbox_->rows_received(), after);
}

TEST_F(Shop, KilledInTheMiddleOfDeliveryLosesAndRepeatsNoRow) {
  // Four requests of a hundred rows at a time: the third wave starts when two have been answered.
  open({"--latency", "hubspot=400"});
  {
    Background killed(project_->command({"run"}), scratch_ / "killed.log");
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (sandbox_->rows_received("hubspot") < 1000) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << killed.log();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ::kill(killed.pid(), SIGKILL);
  }
  const std::size_t there = sandbox_->records("hubspot", "contacts").size();
  ASSERT_GT(there, 0u);
  ASSERT_LT(there, 2944u) << "the delivery was over before the kill";

  const std::int64_t received = sandbox_->rows_received("hubspot");
  run_whole_loop();
  const std::int64_t sent_again = sandbox_->rows_received("hubspot") - received;
  EXPECT_GE(sent_again, 2944 - received);
  EXPECT_LT(sent_again, 2944) << "what was acknowledged before the kill was sent again";
  expect_delivered();
  expect_a_run_sends_nothing();
}

TEST_F(Shop, ConvergesUnderFaults) {
  // Only faults whose answers ask for a short wait.
  std::vector<std::string> flags = {"--seed", "5"};
  for (const char* fault :
       {"hubspot.shuffle", "hubspot.http_503=0.2x3", "hubspot.drop_after_apply=0.5x2",
        "hubspot.malformed_json=0.3x1", "salesforce.http_500=0.5x1", "salesforce.drop_after_apply=0.5x1",
        "salesforce.row_locked=0.01x5", "salesforce.expire_token=0.5x1", "zendesk.http_503=0.05x2",
        "zendesk.drop_before=0.05x2", "zendesk.truncated=0.05x1", "marketo.invalid_token=0.5x1",
        "marketo.drop_after_apply=0.5x1"}) {
    flags.push_back("--fault");
    flags.push_back(fault);
  }
  open(flags);
  // A run may end with rows it gave up: they go out again with the next.
  int runs = 0;
  Finished finished;
  do finished = project_->eddy({"run"});
  while (finished.exit_code != 0 && ++runs < 6);
  ASSERT_EQ(finished.exit_code, 0) << finished.err;

  std::set<std::string> services_hit;
  const json faults = sandbox_->get("/faults");
  for (const auto& [name, fault] : faults.items())
    if (fault.is_object() && fault.value("hits", 0) > 0) services_hit.insert(name.substr(0, name.find('.')));
  EXPECT_EQ(services_hit, (std::set<std::string>{"hubspot", "marketo", "salesforce", "zendesk"}));
  expect_delivered();
  expect_a_run_sends_nothing();
}

TEST_F(Shop, DashboardDrawsInABrowser) {
  EDDY_NEEDS_CHROMIUM();
  open();
  const Finished built = project_->eddy({"run", "--exclude", "sync.*"});
  ASSERT_EQ(built.exit_code, 0) << built.err;
  const fs::path file = scratch_ / "customers.html";
  const Finished report = project_->eddy({"report", "--out", file.string()});
  ASSERT_EQ(report.exit_code, 0) << report.err;

  const OpenedPage page = open_in_chromium(file, "?selftest&theme=light");
  EXPECT_EQ(page.console, "");
  const std::string open_tag = R"(<script type="application/json" id="eddy-selftest">)";
  const std::size_t start = page.document.find(open_tag);
  ASSERT_NE(start, std::string::npos) << "the page did not report what it drew";
  const std::size_t end = page.document.find("</script>", start);
  const json seen = json::parse(page.document.substr(start + open_tag.size(), end - start - open_tag.size()));
  EXPECT_EQ(seen["errors"], json::array());
  ASSERT_EQ(seen["dashboards"].size(), 1u);
  ASSERT_EQ(seen["dashboards"][0]["tiles"].size(), 9u);
  int charts = 0;
  for (const json& tile : seen["dashboards"][0]["tiles"]) {
    SCOPED_TRACE(tile["title"].get<std::string>());
    if (tile["type"] == "number" || tile["type"] == "table" || tile["type"] == "text") {
      EXPECT_NE(tile["text"], "");
      EXPECT_EQ(tile["text"].get<std::string>().find("No rows"), std::string::npos);
      continue;
    }
    ++charts;
    ASSERT_TRUE(tile.contains("drawn"));
    EXPECT_GT(tile["width"].get<int>(), 200);
    EXPECT_GT(tile["drawn"].get<int>(), 2000);
    EXPECT_GT(tile["tableRows"].get<int>(), 0);
  }
  EXPECT_GT(charts, 0);
}

}  // namespace
}  // namespace eddy::testing
