#include "sandbox/marketo/marketo.h"

#include <future>

#include "sandbox/test_client.h"

namespace eddy::sandbox::marketo {
namespace {

class MarketoTest : public testing::SandboxTest {
 protected:
  MarketoTest() { service_ = "marketo"; }
  testing::Answer grant(const std::string& secret = "sandbox-secret",
                        const std::string& id = "sandbox-client") {
    return testing::send(
        sandbox().port(service_), "GET",
        fmt::format("/identity/oauth/token?grant_type=client_credentials&client_id={}&client_secret={}", id,
                    secret));
  }
  std::string authorization() override {
    if (token_.empty()) token_ = grant().json()["access_token"];
    return "Authorization: Bearer " + token_ + "\r\n";
  }
  testing::Answer post(const std::vector<Json>& input, Json body = Json::object()) {
    body["input"] = input;
    return call("POST", "/rest/v1/leads.json", body);
  }
  static void expect_code(const testing::Answer& answer, const std::string& code) {
    EXPECT_EQ(answer.status, 200);  // errors too
    const Json body = answer.json();
    EXPECT_EQ(body["success"], false);
    EXPECT_EQ(body["errors"][0]["code"], code) << answer.body;
    EXPECT_FALSE(body.contains("result"));
    EXPECT_TRUE(body.contains("requestId"));
  }
  testing::Answer import(const std::string& file, const std::string& query = "format=csv") {
    const std::string body =
        "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"leads.csv\"\r\nContent-Type: "
        "text/csv\r\n\r\n" +
        file + "\r\n--b0--\r\n";
    return raw("POST", "/bulk/v1/leads.json?" + query, body, "multipart/form-data; boundary=b0");
  }
  Json poll(int batch) {
    return call("GET", fmt::format("/bulk/v1/leads/batch/{}.json", batch)).json()["result"][0];
  }
  std::string token_;
};

TEST_F(MarketoTest, AskedEarlyTheSameTokenComesWithTheRestOfItsLife) {
  const Json first = grant().json();
  EXPECT_EQ(first["token_type"], "bearer");
  EXPECT_EQ(first["expires_in"], 3600);
  clock_.advance(std::chrono::seconds{600});
  const Json again = grant().json();
  EXPECT_EQ(again["access_token"], first["access_token"]);
  EXPECT_EQ(again["expires_in"], 3000);
  clock_.advance(std::chrono::seconds{3000});
  token_ = first["access_token"];
  expect_code(call("GET", "/rest/v1/leads/describe.json"), "602");
  EXPECT_NE(grant().json()["access_token"], first["access_token"]);
  expect_code(call("GET", "/rest/v1/leads/describe.json"), "602");
  fault("early_zero");
  EXPECT_EQ(grant().json()["expires_in"], 0);
}

TEST_F(MarketoTest, WrongClientsAndTokens) {
  EXPECT_EQ(grant("no").status, 401);
  EXPECT_EQ(grant("no").json()["error"], "invalid_client");
  EXPECT_EQ(grant("x", "nobody").json()["error"], "unauthorized");
  token_ = "made-up";
  expect_code(call("GET", "/rest/v1/leads/describe.json"), "601");
  expect_code(testing::send(sandbox().port(service_), "GET",
                            "/rest/v1/leads/describe.json?access_token=" +
                                grant().json()["access_token"].get<std::string>()),
              "600");
}

TEST_F(MarketoTest, ResultsStandInTheOrderOfTheInput) {
  ASSERT_EQ(post({{{"email", "b@x.de"}}}).json()["result"][0]["status"], "created");
  const auto answer = post({{{"email", "a@x.de"}, {"leadScore", 5}, {"lifetimeValue", "12.5"}},
                            {{"email", "B@x.de"}, {"firstName", "Bo"}},
                            {{"email", "nope"}},
                            {{"email", "c@x.de"}, {"shoeSize", 4}},
                            {{"firstName", "Nobody"}},
                            {{"email", "a@x.de"}},
                            {{"email", "d@x.de"}, {"firstName", std::string(256, 'x')}},
                            {{"email", "e@x.de"}, {"company", "Acme"}}});
  const Json body = answer.json();
  EXPECT_EQ(answer.header("Content-Type"), "application/json;charset=UTF-8");
  EXPECT_EQ(body["success"], true);
  const Json rows = body["result"];
  std::vector<std::string> codes;
  for (const Json& row : rows)
    codes.push_back(row["status"] == "skipped" ? row["reasons"][0]["code"].get<std::string>()
                                               : row["status"].get<std::string>());
  EXPECT_EQ(codes,
            (std::vector<std::string>{"created", "updated", "1001", "1006", "1002", "1036", "1001", "1021"}));
  EXPECT_TRUE(rows[0]["id"].is_number());
  EXPECT_FALSE(rows[2].contains("id"));
  EXPECT_EQ(records("leads", "?key=email:a@x.de")["records"][0]["lifetimeValue"], 12.5);
  EXPECT_EQ(last_request()["rejected"], 6);
}

TEST_F(MarketoTest, ActionsAndLookupFields) {
  seed("leads", {{{"email", "two@x.de"}},
                 {{"email", "two@x.de"}},
                 {{"id", 5}, {"email", "one@x.de"}, {"externalId", "E1"}}});
  const auto code = [](const testing::Answer& answer) {
    return answer.json()["result"][0]["reasons"][0]["code"];
  };
  EXPECT_EQ(code(post({{{"email", "two@x.de"}}})), "1007");
  EXPECT_EQ(code(post({{{"email", "one@x.de"}}}, {{"action", "createOnly"}})), "1005");
  EXPECT_EQ(code(post({{{"email", "new@x.de"}}}, {{"action", "updateOnly"}})), "1004");
  EXPECT_EQ(post({{{"email", "one@x.de"}}}, {{"action", "createDuplicate"}}).json()["result"][0]["status"],
            "created");
  EXPECT_EQ(post({{{"id", 5}, {"title", "Boss"}}}, {{"action", "updateOnly"}, {"lookupField", "id"}})
                .json()["result"][0]["id"],
            5);
  EXPECT_EQ(post({{{"externalId", "e1"}, {"title", ""}}}, {{"lookupField", "externalId"}})
                .json()["result"][0]["status"],
            "updated");
  EXPECT_FALSE(records("leads", "?key=_id:5")["records"][0].contains("title"));
  expect_code(post({{{"id", 5}}}, {{"lookupField", "id"}}), "1003");
  expect_code(post({{{"email", "x@x.de"}}}, {{"lookupField", "shoe"}}), "1011");
  expect_code(post({}), "1002");
  expect_code(post(std::vector<Json>(301, {{"email", "x@x.de"}})), "1003");
  expect_code(raw("POST", "/rest/v1/leads.json", "{oops", "application/json"), "609");
  expect_code(raw("POST", "/rest/v1/leads.json", "{}", "text/plain"), "612");
  expect_code(call("GET", "/rest/v1/nothing.json"), "610");
}

TEST_F(MarketoTest, LeadsAreLookedUpAndDeleted) {
  post({{{"email", "a@x.de"}, {"firstName", "Ann"}}, {{"email", "b@x.de"}}});
  const Json found =
      call("GET",
           "/rest/v1/leads.json?filterType=email&filterValues=A@x.de,b@x.de,c@x.de&fields=firstName,email")
          .json()["result"];
  ASSERT_EQ(found.size(), 2);
  EXPECT_EQ(found[0]["firstName"], "Ann");
  EXPECT_EQ(found[1]["firstName"], nullptr);
  const Json first =
      call("GET", "/rest/v1/leads.json?filterType=email&filterValues=a@x.de,b@x.de&batchSize=1").json();
  EXPECT_EQ(first["result"].size(), 1);
  EXPECT_EQ(
      call("GET",
           "/rest/v1/leads.json?filterType=email&filterValues=a@x.de,b@x.de&batchSize=1&nextPageToken=" +
               first["nextPageToken"].get<std::string>())
          .json()["result"][0]["email"],
      "b@x.de");
  const Json by_form = raw("POST", "/rest/v1/leads.json", "_method=GET&filterType=email&filterValues=b@x.de",
                           "application/x-www-form-urlencoded")
                           .json();
  EXPECT_EQ(by_form["result"].size(), 1);
  EXPECT_EQ(call("GET", "/rest/v1/leads.json?filterType=email&filterValues=" + std::string(9000, 'x')).status,
            414);
  expect_code(call("GET", "/rest/v1/leads.json?filterType=title&filterValues=x"), "1003");
  const Json gone =
      call("POST", "/rest/v1/leads/delete.json", {{"input", {{{"id", found[0]["id"]}}, {{"id", 99}}}}})
          .json()["result"];
  EXPECT_EQ(gone[0]["status"], "deleted");
  EXPECT_EQ(gone[1]["reasons"][0]["code"], "1004");
  EXPECT_EQ(records("leads")["count"], 1);
}

TEST_F(MarketoTest, Describes) {
  const Json fields = call("GET", "/rest/v1/leads/describe.json").json()["result"];
  EXPECT_EQ(fields[1]["rest"]["name"], "email");
  EXPECT_EQ(fields[1]["length"], 255);
  const Json second = call("GET", "/rest/v1/leads/describe2.json").json()["result"][0];
  EXPECT_EQ(second["searchableFields"], Json({{"id"}, {"email"}, {"externalId"}}));
  EXPECT_EQ(second["fields"][0]["updateable"], false);
  EXPECT_EQ(call("GET", "/rest/v1/leads/schema/fields.json").json()["moreResult"], false);
}

TEST_F(MarketoTest, StaticLists) {
  const Json made = post({{{"email", "a@x.de"}}}).json()["result"][0];
  const Json added =
      call("POST", "/rest/v1/lists/1001/leads.json", {{"input", {{{"id", made["id"]}}, {{"id", 99}}}}})
          .json()["result"];
  EXPECT_EQ(added[0]["status"], "added");
  EXPECT_EQ(added[1]["reasons"][0]["code"], "1004");
  const std::string id = std::to_string(made["id"].get<int>());
  EXPECT_EQ(call("GET", "/rest/v1/lists/1001/leads/ismember.json?id=" + id).json()["result"][0]["membership"],
            true);
  EXPECT_EQ(call("DELETE", "/rest/v1/lists/1001/leads.json?id=" + id).json()["result"][0]["status"],
            "removed");
  expect_code(call("POST", "/rest/v1/lists/7/leads.json", {{"input", {{{"id", 1}}}}}), "1013");
}

TEST_F(MarketoTest, ImportsArePolledAndFailuresComeAsCsv) {
  const Json started = import("email,firstName,leadScore\na@x.de,\"Ann, B\",5\nbad,Bo,1\nc@x.de,null,many\n")
                           .json()["result"][0];
  EXPECT_EQ(started["status"], "Queued");
  const int batch = started["batchId"];
  EXPECT_EQ(started["importId"], std::to_string(batch));
  EXPECT_EQ(poll(batch)["status"], "Importing");
  const Json done = poll(batch);
  EXPECT_EQ(done["status"], "Complete");
  EXPECT_EQ(done["numOfLeadsProcessed"], 1);
  EXPECT_EQ(done["numOfRowsFailed"], 2);
  const auto failures = call("GET", fmt::format("/bulk/v1/leads/batch/{}/failures.json", batch));
  EXPECT_EQ(failures.header("Content-Type"), "text/csv");
  const Csv csv = parse_csv(failures.body, ',');
  EXPECT_EQ(csv.header, (CsvRow{"email", "firstName", "leadScore", "Import Failure Reason"}));
  ASSERT_EQ(csv.rows.size(), 2);
  EXPECT_EQ(csv.rows[0][0], "bad");
  EXPECT_EQ(csv.rows[1][3], "Invalid value 'many'. Required of type 'score'");
  EXPECT_EQ(call("GET", fmt::format("/bulk/v1/leads/batch/{}/warnings.json", batch)).body, "");
  EXPECT_EQ(records("leads")["records"][0]["firstName"], "Ann, B");

  const int wrong = import("email,shoe\na@x.de,1\n").json()["result"][0]["batchId"];
  poll(wrong);
  EXPECT_EQ(poll(wrong)["status"], "Failed");
  expect_code(call("GET", "/bulk/v1/leads/batch/1.json"), "1013");
}

TEST_F(MarketoTest, TheEleventhImportIsOneTooMany) {
  std::vector<int> batches;
  for (int i = 0; i < 10; ++i) batches.push_back(import("email\na@x.de\n").json()["result"][0]["batchId"]);
  expect_code(import("email\na@x.de\n"), "1016");
  poll(batches[0]);
  poll(batches[0]);
  EXPECT_EQ(import("email\na@x.de\n").json()["success"], true);
}

TEST_F(MarketoTest, ARateAboveTheLimitIs606AndTheDayEndsWith607) {
  Options with = options();
  with.marketo.daily_calls = 130;
  start(with);
  const std::string headers = authorization();
  const auto usage = [&] {
    return testing::send(sandbox().port(service_), "GET", "/rest/v1/stats/usage.json", headers);
  };
  for (int i = 0; i < 100; ++i) ASSERT_EQ(usage().json()["success"], true) << i;
  const auto over = usage();
  expect_code(over, "606");
  EXPECT_EQ(over.json()["errors"][0]["message"], "Max rate limit '100' exceeded with in '20' secs");
  EXPECT_EQ(over.header("Retry-After"), "");
  clock_.advance(std::chrono::seconds{20});
  for (int i = 0; i < 29; ++i) ASSERT_EQ(usage().json()["success"], true);
  EXPECT_EQ(usage().json()["result"][0]["total"], 130);
  expect_code(usage(), "607");
  EXPECT_EQ(desk("/stats")["marketo"]["throttled"], 2);
}

TEST_F(MarketoTest, MoreCallsAtOnceThanAllowedAre615) {
  Options with = options();
  with.marketo.concurrent_calls = 0;  // one is too many
  start(with);
  expect_code(call("GET", "/rest/v1/stats/usage.json"), "615");
}

TEST_F(MarketoTest, Faults) {
  fault("invalid_token", {{"times", 1}});
  expect_code(post({{{"email", "a@x.de"}}}), "601");
  fault("system_error", {{"times", 1}});
  expect_code(post({{{"email", "a@x.de"}}}), "611");
  fault("skip_row", {{"times", 1}});
  EXPECT_EQ(post({{{"email", "a@x.de"}}}).json()["result"][0]["reasons"][0]["code"], "1008");
  fault("http_503", {{"times", 1}});
  EXPECT_EQ(post({{{"email", "a@x.de"}}}).status, 503);
  EXPECT_EQ(records("leads")["count"], 0);
}

}  // namespace
}  // namespace eddy::sandbox::marketo
