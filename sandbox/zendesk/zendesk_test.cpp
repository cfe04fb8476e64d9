#include "sandbox/zendesk/zendesk.h"

#include "sandbox/test_client.h"

namespace eddy::sandbox::zendesk {
namespace {

class ZendeskTest : public testing::SandboxTest {
 protected:
  ZendeskTest() { service_ = "zendesk"; }
  std::string authorization() override {
    return "Authorization: Basic " + base64("agent@example.com/token:sandbox-api-token") + "\r\n";
  }
  void start_with_bulk() {
    Options with = options();
    with.zendesk.bulk_import = true;
    start(with);
  }
  testing::Answer upsert(const Json& user) {
    return call("POST", "/api/v2/users/create_or_update.json", {{"user", user}});
  }
  // Polls a job to its end.
  Json finished(const testing::Answer& started) {
    const std::string url =
        "/api/v2/job_statuses/" + started.json()["job_status"]["id"].get<std::string>() + ".json";
    EXPECT_EQ(call("GET", url).json()["job_status"]["status"], "working");
    return call("GET", url).json()["job_status"];
  }
};

TEST_F(ZendeskTest, CreateOrUpdateMatchesExternalIdInAnyCaseThenEmail) {
  const auto created = upsert({{"name", "Ann"},
                               {"external_id", "Ab"},
                               {"email", "Ann@X.de"},
                               {"user_fields", {{"ltv", "12.5"}, {"no_such", 1}}}});
  EXPECT_EQ(created.status, 201);
  const Json user = created.json()["user"];
  EXPECT_EQ(created.header("Location"), user["url"]);
  EXPECT_EQ(user["email"], "ann@x.de");
  EXPECT_EQ(user["role"], "end-user");
  EXPECT_EQ(user["user_fields"]["ltv"], 12.5);
  EXPECT_FALSE(user["user_fields"].contains("no_such"));
  const auto updated =
      upsert({{"name", "Ann B"}, {"external_id", "aB"}, {"user_fields", {{"lead_score", 3}}}});
  EXPECT_EQ(updated.status, 200);
  EXPECT_EQ(updated.json()["user"]["id"], user["id"]);
  EXPECT_EQ(updated.json()["user"]["external_id"], "aB");  // stored in the case sent last
  EXPECT_EQ(updated.json()["user"]["user_fields"]["ltv"], 12.5);
  EXPECT_EQ(upsert({{"name", "Ann C"}, {"email", "ANN@x.de"}}).json()["user"]["id"], user["id"]);
  EXPECT_EQ(records("users")["count"], 1);
  EXPECT_EQ(records("users")["records"][0]["_writes"], 3);
}

TEST_F(ZendeskTest, InvalidRecordsAre422WithDetails) {
  upsert({{"name", "Ann"}, {"external_id", "a"}, {"email", "a@x.de"}});
  const auto answer = upsert({{"external_id", "b"},
                              {"email", "nope"},
                              {"user_fields", {{"customer_health", "great"}, {"lead_score", 1.5}}}});
  EXPECT_EQ(answer.status, 422);
  const Json body = answer.json();
  EXPECT_EQ(body["error"], "RecordInvalid");
  EXPECT_EQ(body["description"], "Record validation errors");
  EXPECT_EQ(body["details"]["name"][0]["error"], "BlankValue");
  EXPECT_EQ(body["details"]["email"][0]["description"], "Email: nope is not properly formatted");
  EXPECT_TRUE(body["details"].contains("customer_health"));
  EXPECT_TRUE(body["details"].contains("lead_score"));
  const auto taken = call("POST", "/api/v2/users", {{"user", {{"name", "B"}, {"email", "a@x.de"}}}});
  EXPECT_EQ(taken.json()["details"]["email"][0]["error"], "DuplicateValue");
  EXPECT_EQ(raw("POST", "/api/v2/users", "{oops", "application/json").status, 400);
  EXPECT_EQ(last_request()["applied"], false);
}

TEST_F(ZendeskTest, BulkImportsAreForbiddenUntilEnabled) {
  const auto answer =
      call("POST", "/api/v2/users/create_or_update_many.json", {{"users", {{{"name", "A"}}}}});
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.json()["error"], "Forbidden");
  EXPECT_EQ(call("POST", "/api/v2/users/create_many.json", {{"users", {{{"name", "A"}}}}}).status, 403);
  EXPECT_EQ(
      call("POST", "/api/v2/organizations/create_many.json", {{"organizations", {{{"name", "A"}}}}}).status,
      200);
}

TEST_F(ZendeskTest, AJobCompletesThoughRowsFail) {
  start_with_bulk();
  upsert({{"name", "Old"}, {"external_id", "0"}});
  Json users = Json::array();
  for (int i = 0; i < 20; ++i) users.push_back({{"name", "N"}, {"external_id", fmt::format("{}", i)}});
  users.push_back({{"external_id", "nameless"}});
  const auto started = call("POST", "/api/v2/users/create_or_update_many.json", {{"users", users}});
  EXPECT_EQ(started.status, 200);
  EXPECT_EQ(started.json()["job_status"]["status"], "queued");
  EXPECT_EQ(started.json()["job_status"]["results"], nullptr);
  const Json job = finished(started);
  EXPECT_EQ(job["status"], "completed");
  EXPECT_EQ(job["total"], 21);
  std::map<std::string, Json> by_key;
  std::vector<std::string> order;
  for (const Json& row : job["results"]) {
    by_key[row["external_id"]] = row;
    order.push_back(row["external_id"]);
    EXPECT_FALSE(row.contains("index"));
  }
  EXPECT_EQ(by_key.size(), 21);
  EXPECT_NE(order.back(), "nameless");  // shuffled, with this seed
  EXPECT_EQ(by_key["0"]["status"], "Updated");
  EXPECT_EQ(by_key["7"]["status"], "Created");
  EXPECT_EQ(by_key["nameless"]["status"], "Failed");
  EXPECT_EQ(by_key["nameless"]["details"], "Name: cannot be blank");
  EXPECT_FALSE(by_key["nameless"].contains("id"));
  for (int i = 20; i < 101; ++i) users.push_back({{"name", "N"}});
  const auto many = call("POST", "/api/v2/users/create_or_update_many.json", {{"users", users}});
  EXPECT_EQ(many.status, 400);
  EXPECT_EQ(many.json()["error"], "TooManyValues");
}

TEST_F(ZendeskTest, UpdateAndDestroyMany) {
  seed("users", {{{"id", 1}, {"name", "A"}, {"external_id", "a"}}, {{"id", 2}, {"name", "B"}}});
  const Json updated =
      finished(call("PUT", "/api/v2/users/update_many.json?ids=1,2,9", {{"user", {{"notes", "n"}}}}));
  std::map<int, bool> success;
  for (const Json& row : updated["results"]) success[row["id"]] = row["success"];
  EXPECT_EQ(success, (std::map<int, bool>{{1, true}, {2, true}, {9, false}}));
  const Json listed = finished(
      call("PUT", "/api/v2/users/update_many", {{"users", {{{"external_id", "A"}, {"name", "A2"}}}}}));
  EXPECT_EQ(listed["results"][0]["action"], "update");
  EXPECT_EQ(records("users", "?key=_id:1")["records"][0]["name"], "A2");
  finished(call("DELETE", "/api/v2/users/destroy_many.json?external_ids=a"));
  EXPECT_EQ(records("users")["count"], 1);
}

TEST_F(ZendeskTest, ResultsOfTicketsHaveAnIndexAndOfOrganizationsNothing) {
  const Json tickets =
      finished(call("POST", "/api/v2/tickets/create_many",
                    {{"tickets", {{{"subject", "A"}, {"comment", {{"body", "x"}}}}, {{"subject", "B"}}}}}));
  std::map<int, Json> by_index;
  for (const Json& row : tickets["results"]) by_index[row["index"]] = row;
  EXPECT_TRUE(by_index[0].contains("id"));
  EXPECT_EQ(by_index[1]["success"], false);
  const Json organizations = finished(call("POST", "/api/v2/organizations/create_many",
                                           {{"organizations", {{{"name", "A"}}, {{"name", "a"}}}}}));
  EXPECT_EQ(organizations["results"][0]["status"], "Created");
  EXPECT_FALSE(organizations["results"][0].contains("index"));
  EXPECT_EQ(organizations["results"][1]["status"], "Failed");
  fault("results_without_index");
  const Json bare =
      finished(call("POST", "/api/v2/tickets/create_many", {{"tickets", {{{"description", "x"}}}}}));
  EXPECT_FALSE(bare["results"][0].contains("index"));
}

TEST_F(ZendeskTest, OrganizationsAreNeverMatchedByName) {
  const auto created = call("POST", "/api/v2/organizations/create_or_update.json",
                            {{"organization", {{"name", "Acme"}, {"external_id", "o1"}}}});
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(call("POST", "/api/v2/organizations/create_or_update",
                 {{"organization", {{"name", "Acme 2"}, {"external_id", "O1"}}}})
                .status,
            200);
  EXPECT_EQ(
      call("POST", "/api/v2/organizations/create_or_update", {{"organization", {{"name", "Acme 2"}}}}).status,
      422);
  EXPECT_EQ(call("GET", "/api/v2/organizations/show_many.json?external_ids=o1,zz").json()["count"], 1);
  const Json user =
      upsert({{"name", "A"}, {"organization_id", created.json()["organization"]["id"]}}).json()["user"];
  EXPECT_EQ(user["organization_id"], created.json()["organization"]["id"]);
  EXPECT_EQ(upsert({{"name", "B"}, {"organization_id", 5}}).status, 422);
}

TEST_F(ZendeskTest, UsersAreFoundListedAndDeleted) {
  Json users = Json::array();
  for (int i = 1; i <= 5; ++i)
    users.push_back({{"id", i},
                     {"name", "N"},
                     {"email", fmt::format("e{}@x.de", i)},
                     {"external_id", fmt::format("x{}", i)}});
  seed("users", users);
  EXPECT_EQ(call("GET", "/api/v2/users/search.json?query=E2@x.de").json()["users"][0]["id"], 2);
  EXPECT_EQ(call("GET", "/api/v2/users/search.json?external_id=X3").json()["users"][0]["id"], 3);
  EXPECT_EQ(call("GET", "/api/v2/users/search.json?query=external_id:none").json()["count"], 0);
  EXPECT_EQ(call("GET", "/api/v2/users/show_many.json?ids=1,5,9").json()["users"].size(), 2);
  const Json page = call("GET", "/api/v2/users.json?per_page=2&page=2").json();
  EXPECT_EQ(page["users"][0]["id"], 3);
  EXPECT_EQ(page["next_page"], sandbox().url("zendesk") + "/api/v2/users.json?page=3&per_page=2");
  EXPECT_EQ(call("GET", "/api/v2/users/count.json").json()["count"]["value"], 5);
  EXPECT_EQ(call("DELETE", "/api/v2/users/1.json").json()["user"]["active"], false);
  const auto gone = call("GET", "/api/v2/users/1.json");
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.json(), Json({{"error", "RecordNotFound"}, {"description", "Not found"}}));
  EXPECT_EQ(call("PUT", "/api/v2/users/2.json", {{"user", {{"user_fields", {{"at_risk", "true"}}}}}})
                .json()["user"]["user_fields"]["at_risk"],
            true);
}

TEST_F(ZendeskTest, Tickets) {
  const auto made =
      call("POST", "/api/v2/tickets.json",
           {{"ticket", {{"subject", "S"}, {"comment", {{"body", "B"}}}, {"external_id", "t1"}}}});
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.json()["ticket"]["description"], "B");
  EXPECT_TRUE(made.json().contains("audit"));
  const std::string url = "/api/v2/tickets/" + std::to_string(made.json()["ticket"]["id"].get<int>());
  EXPECT_EQ(call("PUT", url, {{"ticket", {{"status", "closed"}}}}).json()["ticket"]["status"], "closed");
  EXPECT_EQ(call("PUT", url, {{"ticket", {{"status", "open"}}}}).status, 422);
  EXPECT_EQ(call("POST", "/api/v2/tickets.json", {{"ticket", {{"subject", "S"}}}}).status, 422);
}

TEST_F(ZendeskTest, FieldsAreDescribed) {
  const Json fields = call("GET", "/api/v2/user_fields.json").json()["user_fields"];
  const Json health =
      *std::ranges::find_if(fields, [](const Json& field) { return field["key"] == "customer_health"; });
  EXPECT_EQ(health["type"], "dropdown");
  EXPECT_EQ(health["custom_field_options"][0]["value"], "healthy");
  EXPECT_EQ(call("GET", "/api/v2/organization_fields.json").json()["count"], fields.size());
  EXPECT_EQ(call("GET", "/api/v2/users/me.json").json()["user"]["email"], "agent@example.com");
}

TEST_F(ZendeskTest, SomeRefusalsArePlainText) {
  const auto unknown =
      testing::send(sandbox().port(service_), "GET", "/api/v2/users.json", "Authorization: Bearer x\r\n");
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(unknown.header("Content-Type"), "text/plain");
  EXPECT_EQ(testing::send(sandbox().port(service_), "GET", "/api/v2/users.json",
                          "Authorization: Bearer sandbox-oauth-token\r\n")
                .status,
            200);
  fault("throttle", {{"times", 1}});
  const auto throttled = call("GET", "/api/v2/users.json");
  EXPECT_EQ(throttled.status, 429);
  EXPECT_EQ(throttled.header("Content-Type"), "text/plain");
  EXPECT_EQ(throttled.header("Retry-After"), "1");
  EXPECT_EQ(call("GET", "/api/v2/users.json").header("ratelimit-limit"), "700");
  fault("expire_token", {{"times", 1}});
  EXPECT_EQ(call("GET", "/api/v2/users.json").status, 401);
  EXPECT_EQ(call("GET", "/api/v2/users.json").status, 200);
}

TEST_F(ZendeskTest, JobFaults) {
  start_with_bulk();
  const auto start_job = [&] {
    return call("POST", "/api/v2/users/create_or_update_many",
                {{"users", {{{"name", "A"}, {"external_id", "a"}}}}});
  };
  fault("job_failed_rows", {{"times", 1}});
  EXPECT_EQ(finished(start_job())["results"][0]["status"], "Failed");
  fault("job_failed", {{"times", 1}});
  const Json failed = finished(start_job());
  EXPECT_EQ(failed["status"], "failed");
  EXPECT_EQ(failed["results"]["success"], false);
  EXPECT_EQ(records("users")["count"], 0);
  const auto forgotten = start_job();
  fault("job_gone");
  EXPECT_EQ(
      call("GET", "/api/v2/job_statuses/" + forgotten.json()["job_status"]["id"].get<std::string>()).status,
      404);
  EXPECT_EQ(records("users")["count"], 1);  // done all the same
  fault("too_many_jobs", {{"times", 1}});
  EXPECT_EQ(start_job().json()["error"], "TooManyJobs");
}

TEST_F(ZendeskTest, ARecordWrittenTooOftenIs429) {
  fault("row_rate");
  for (int i = 0; i < 6; ++i) EXPECT_LT(upsert({{"name", "A"}, {"external_id", "a"}}).status, 300);
  EXPECT_EQ(upsert({{"name", "A"}, {"external_id", "a"}}).status, 429);
  EXPECT_EQ(upsert({{"name", "B"}, {"external_id", "b"}}).status, 201);
  clock_.advance(std::chrono::seconds{60});
  EXPECT_EQ(upsert({{"name", "A"}, {"external_id", "a"}}).status, 200);
}

}  // namespace
}  // namespace eddy::sandbox::zendesk
