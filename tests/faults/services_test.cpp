// The four deep services with all their traps on: the real program against eddy-sandbox, killed at a random
// instant of every day, in every mode. When the traps are off again the program runs until nothing is left to
// do, and what the service holds is compared with the model and with the snapshot.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>
#include <random>

#include "core/text.h"
#include "small_project.h"
#include "support/scratch.h"
#include "transport/http/client.h"

namespace eddy::testing {
namespace {

using nlohmann::json;

struct Service {
  std::string name;      // in test names
  std::string type;      // of the connection, and the sandbox's word for the service
  std::string settings;  // of the connection, besides its address
  std::string object;
  std::string key, key_column;  // field of the key, and its column in the model: ext | email | site
  std::string label, score;     // fields of the name and the score; dots lead into nested ones
  std::string removal;          // of a mirror; empty: there is none by this key
  bool updates = true;          // by this key
  int rows = 0;                 // of the model: enough for several requests
  std::map<std::string, json> traps = {};  // its own, and how often; those of every service come on top
};

const std::vector<Service>& services() {
  static const std::vector<Service> all = {
      {.name = "HubSpot",
       .type = "hubspot",
       .settings = "token: pat-sandbox-token",
       .object = "contacts",
       .key = "email",
       .key_column = "email",
       .label = "jobtitle",
       .score = "ltv",
       .removal = "archive",
       .rows = 450,
       .traps = {{"empty_results", 0.03},
                 {"errors_under_200", 0.3},
                 {"throttle_legacy", 0.03},
                 {"locked", 0.03},
                 {"atomic_validation", 0.2}}},
      // Found by a search that lags: longer than a run takes here, not as long as the connector reckons with.
      {.name = "HubSpotCompanies",
       .type = "hubspot",
       .settings = "token: pat-sandbox-token",
       .object = "companies",
       .key = "domain",
       .key_column = "site",
       .label = "name",
       .score = "annualrevenue",
       .removal = "",
       .rows = 80,
       .traps = {{"search_lag", {{"rate", 1}, {"ms", 2000}}}, {"empty_results", 0.03}, {"locked", 0.03}}},
      {.name = "Salesforce",
       .type = "salesforce",
       .settings = "client_id: sandbox-client, client_secret: sandbox-secret, daily_share: 100%",
       .object = "Contact",
       .key = "External_Id__c",
       .key_column = "ext",
       .label = "LastName",
       .score = "Lifetime_Value__c",
       .removal = "delete",
       .rows = 420,
       .traps = {{"row_locked", 0.03},
                 {"refresh_in_progress", 0.1},
                 {"ambiguous_key", 0.002},
                 {"duplicates_detected", 0.002}}},
      {.name = "SalesforceBulk",
       .type = "salesforce",
       .settings =
           "client_id: sandbox-client, client_secret: sandbox-secret, daily_share: 100%, write_by: bulk",
       .object = "Contact",
       .key = "External_Id__c",
       .key_column = "ext",
       .label = "LastName",
       .score = "Lifetime_Value__c",
       .removal = "delete",
       .updates = false,
       .rows = 420,
       .traps = {{"bulk_missing_row", 0.2},
                 {"bulk_failed_partial", 0.2},
                 {"bulk_session_expiry", 0.1},
                 {"row_locked", 0.01}}},
      {.name = "Marketo",
       .type = "marketo",
       .settings = "client_id: sandbox-client, client_secret: sandbox-secret",
       .object = "leads",
       .key = "externalId",
       .key_column = "ext",
       .label = "notes",
       .score = "leadScore",
       .removal = "delete",
       .rows = 900,
       .traps = {{"invalid_token", 0.03},
                 {"early_zero", 0.1},
                 {"concurrency", 0.03},
                 {"system_error", 0.03},
                 {"timed_out", 0.03},
                 {"skip_row", 0.002}}},
      {.name = "MarketoBulk",
       .type = "marketo",
       .settings = "client_id: sandbox-client, client_secret: sandbox-secret, write_by: bulk",
       .object = "leads",
       .key = "externalId",
       .key_column = "ext",
       .label = "notes",
       .score = "leadScore",
       .removal = "",
       .updates = false,
       .rows = 500,
       .traps =
           {{"bulk_failed", 0.2}, {"bulk_warning", 0.1}, {"invalid_token", 0.03}, {"system_error", 0.03}}},
      {.name = "Zendesk",
       .type = "zendesk",
       .settings = "email: agent@example.com, api_token: sandbox-api-token, requests_per_minute: 2500",
       .object = "users",
       .key = "external_id",
       .key_column = "ext",
       .label = "name",
       .score = "user_fields.lead_score",
       .removal = "archive",
       .rows = 60},
  };
  return all;
}

const std::map<std::string, json> traps_of_all = {
    {"drop_before", 0.06}, {"drop_after_apply", 0.08}, {"http_500", 0.05},
    {"http_503", 0.05},    {"throttle", 0.04},         {"malformed_json", 0.04},
    {"empty_2xx", 0.03},   {"truncated", 0.05},        {"wrong_content_type", 0.03},
    {"slow", 0.02},        {"expire_token", 0.03}};

class Services : public ::testing::TestWithParam<std::tuple<std::size_t, std::string>> {
 protected:
  static constexpr std::uint64_t haste = 20;
  static int days() { return full_harness() ? 8 : 2; }

  const Service& service() const { return services()[std::get<0>(GetParam())]; }
  const std::string& mode() const { return std::get<1>(GetParam()); }
  Records people_of(int day) const {
    const bool row_by_row = mode() == "update" && service().name == "Salesforce";
    return people(day, row_by_row ? 60 : service().rows);
  }

  // Limits are the business of other tests: here the program's clock runs twenty times as fast as the
  // sandbox's.
  void start() {
    random_.seed(harness_seed() * 1'000 + std::hash<std::string>{}(service().name + mode()) % 1'000);
    sandbox_ = std::make_unique<Background>(
        Command{.argv = {program("eddy-sandbox").string(), "--port-base", "0", "--seed",
                         std::to_string(random_() % 10'000), "--rate", service().type + "=1000000/1"},
                .directory = scratch_.path()},
        scratch_ / "sandbox.log");
    sandbox_->wait_for("ready\n");
    for (const std::string& line : split(sandbox_->log(), '\n'))
      if (line.starts_with(service().type + " ")) url_ = line.substr(service().type.size() + 1);
    const std::string removed = mode() == "mirror" ? service().removal : "ignore";
    project_ = std::make_unique<SmallProject>(
        scratch_ / "project",
        fmt::format("there: {{type: {}, base_url: '{}', {}}}\n", service().type, url_, service().settings),
        "");
    project_->write("models/presentation/people.sql",
                    "select *, 'p' || id as ext, 'p' || id || '@example.com' as email, 'p' || id || "
                    "'.example.com' as site from raw.shop_people\n");
    project_->write(
        "syncs/people.yml",
        fmt::format("model: presentation.people\ndestination: there\nobject: {}\nkey: {{{}: {}}}\nmode: {}\n"
                    "removed: {}\nguards: {{removed: 100%, changed: 100%, rows: 100%, first_run: 0}}\n"
                    "fields:\n  {}: name\n  {}: score\n",
                    service().object, service().key, service().key_column,
                    mode() == "mirror" ? "upsert" : mode(), removed, service().label, service().score));
  }

  json ask(const std::string& method, const std::string& path, const json& body = {}) {
    http::Request request;
    request.method = method;
    request.url = url_ + "/_sandbox/" + path;
    if (!body.is_null()) request.body = body.dump();
    const http::Result result = client_.send(request);
    if (!result) throw std::runtime_error(result.error().message);
    if (result->status / 100 != 2) throw std::runtime_error(path + ": " + result->body.substr(0, 500));
    return json::parse(result->body);
  }

  void set_traps(bool on) {
    json faults;
    for (const auto* traps : {&traps_of_all, &service().traps})
      for (const auto& [name, rate] : *traps) faults[service().type + "." + name] = on ? rate : json(0);
    // One is sprung for certain.
    if (on) faults[service().type + ".http_500"] = {{"rate", 1}, {"times", 1}};
    ask("POST", "faults", faults);
  }

  std::string key_of(const std::string& id) const {
    return "p" + id +
           (service().key_column == "email"  ? "@example.com"
            : service().key_column == "site" ? ".example.com"
                                             : "");
  }
  Records keyed(const Records& records) const {
    Records out;
    for (const auto& [id, fields] : records) out[key_of(id)] = fields;
    return out;
  }

  static void put(json& record, const std::string& path, const json& value) {
    json* at = &record;
    for (const std::string& part : split(path, '.')) at = &(*at)[part];
    *at = value;
  }
  static std::string text(const json& record, const std::string& path) {
    const json* at = &record;
    for (const std::string& part : split(path, '.')) {
      if (!at->is_object() || !at->contains(part)) return "";
      at = &(*at)[part];
    }
    if (at->is_string()) return at->get<std::string>();
    return at->is_number() ? fmt::format("{:.12g}", at->get<double>()) : at->dump();
  }

  // What the service holds; `created` counts the records of each key.
  Book book() {
    Book book;
    const json answer = ask("GET", fmt::format("{}/{}?limit=100000", service().type, service().object));
    for (const json& record : answer.at("records")) {
      const std::string key = text(record, service().key);
      ++book.created[key];
      book.records[key] = text(record, service().label) + "|" + text(record, service().score);
    }
    return book;
  }

  // Update makes nothing, so everybody is there already.
  void seed_records() {
    json records = json::array();
    Records everybody;
    for (int day = 1; day <= days(); ++day) everybody.merge(people_of(day));
    for (const auto& [id, fields] : everybody) {
      json record;
      put(record, service().key, key_of(id));
      put(record, service().label, "nobody");
      records.push_back(std::move(record));
    }
    ask("POST", fmt::format("{}/{}", service().type, service().object), records);
  }

  std::int64_t requests() {
    return ask("GET", "stats").at(service().type).at("requests").get<std::int64_t>();
  }

  // Killed a while after its start, or after some request of this run has come.
  void run_and_kill() {
    const Fault fault{.haste = haste};
    const std::int64_t before = requests(),
                       some = deaths_ == 0 ? 0 : static_cast<std::int64_t>(random_() % 6);
    const bool by_request = random_() % 4 != 0;
    const auto pause = std::chrono::microseconds(random_() % (by_request ? 30'000 : 300'000));
    Background dying(project_->command({"run"}, &fault), scratch_ / "dying.log");
    siginfo_t info{};
    const auto alive = [&] {
      info = {};
      return ::waitid(P_PID, static_cast<id_t>(dying.pid()), &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
             info.si_pid == 0;
    };
    while (by_request && alive() && requests() - before <= some)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    std::this_thread::sleep_for(pause);
    ::kill(dying.pid(), SIGKILL);
    while (::waitid(P_PID, static_cast<id_t>(dying.pid()), &info, WEXITED | WNOWAIT) != 0) {
    }
    deaths_ += info.si_code == CLD_KILLED && info.si_status == SIGKILL;
  }

  void run_to_the_end() {
    // A second run in the middle of trouble, whatever comes of it; then the traps are put away.
    Finished finished = project_->eddy({"run"}, {.haste = haste});
    ASSERT_TRUE(finished.exit_code == 0 || finished.exit_code == 1) << finished.err;
    set_traps(false);
    for (int i = 0; i < 2; ++i) finished = project_->eddy({"run"}, {.haste = haste});
    // Rows that a trap has had refused are sent again when a person says so.
    if (!project_->open_rejects()["rejected"].empty()) {
      project_->eddy({"replay", "people"}, {.haste = haste});
      for (int i = 0; i < 2; ++i) finished = project_->eddy({"run"}, {.haste = haste});
    }
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
  }

  void audit(int day) {
    const Records model = keyed(people_of(day));
    const Book there = book();
    auto open = project_->open_rejects();
    std::set<std::string> doubtful;
    for (const std::string& key : open["in_doubt"]) doubtful.insert(json::parse(key).get<std::string>());
    EXPECT_TRUE(open["retry"].empty());
    EXPECT_TRUE(open["rejected"].empty()) << *open["rejected"].begin();
    const Records snapshot = project_->snapshot();
    for (const auto& [key, times] : there.created) EXPECT_EQ(times, 1) << key << " has several records";
    for (const auto& [key, fields] : model) {
      if (mode() == "insert") {  // is over with its delivery; what is in doubt may be there or not
        EXPECT_TRUE(there.records.contains(key) || doubtful.contains(key)) << key << " is lost";
        continue;
      }
      EXPECT_EQ(there.records.contains(key) ? there.records.at(key) : "nothing", fields) << key;
      EXPECT_EQ(snapshot.contains(key) ? snapshot.at(key) : "nothing", fields) << key;
    }
    for (const auto& [key, fields] : snapshot)
      EXPECT_TRUE(there.records.contains(key)) << key << " is said to be delivered";
    EXPECT_TRUE(mode() == "insert" || doubtful.empty());
    if (mode() == "mirror") {
      EXPECT_EQ(difference(model, there.records), "");
      EXPECT_EQ(difference(model, snapshot), "");
    }
    auto counts = project_->counts();
    EXPECT_EQ(counts["source"], static_cast<std::int64_t>(model.size()));
    EXPECT_EQ(counts["sent"], 0) << "the last run had nothing left to send";
    EXPECT_EQ(counts["planned"], counts["sent"] + counts["not_sent"]);
  }

  Scratch scratch_;
  std::mt19937_64 random_;
  std::unique_ptr<Background> sandbox_;
  std::string url_;
  http::Client client_;
  std::unique_ptr<SmallProject> project_;
  int deaths_ = 0;
};

TEST_P(Services, WhateverTheServiceDoesTheBooksAgree) {  // F2, F4, F5, F6, F7, F8, F9
  start();
  if (mode() == "update") seed_records();
  for (int day = 1; day <= days() && !HasFailure(); ++day) {
    SCOPED_TRACE(fmt::format("EDDY_FAULTS_SEED={} day {}", harness_seed(), day));
    project_->set_model(people_of(day));
    set_traps(true);
    run_and_kill();
    run_to_the_end();
    if (HasFailure()) break;
    audit(day);
  }
  const json faults = ask("GET", "faults");
  std::int64_t hits = 0;
  for (const auto& [name, fault] : faults.items())
    if (fault.is_object()) hits += fault.value("hits", 0);
  EXPECT_GT(hits, 0) << "no trap was sprung: " << faults.dump();
  // A kill that comes when the run is over kills nobody; eight days have one that did not.
  if (full_harness()) {
    EXPECT_GT(deaths_, 0);
  }
}

// Every service in every mode it has.
std::vector<std::tuple<std::size_t, std::string>> cells() {
  std::vector<std::tuple<std::size_t, std::string>> out;
  for (std::size_t i = 0; i < services().size(); ++i)
    for (const char* mode : {"upsert", "update", "insert", "mirror"})
      if ((mode != std::string("update") || services()[i].updates) &&
          (mode != std::string("mirror") || !services()[i].removal.empty()))
        out.emplace_back(i, mode);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Deep, Services, ::testing::ValuesIn(cells()), [](const auto& one) {
  return services()[std::get<0>(one.param)].name + "_" + std::get<1>(one.param);
});

}  // namespace
}  // namespace eddy::testing
