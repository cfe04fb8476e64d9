// Records beside leads, lists, partitions, imports of custom objects, and the faults of all.
#include "sandbox/csv.h"
#include "sandbox/marketo/object_schema.h"

#include "sandbox/test_client.h"

namespace eddy::sandbox::marketo {
namespace {

class MarketoInstance : public testing::SandboxTest {
 protected:
  MarketoInstance() { service_ = "marketo"; }
  Json token() {
    return testing::send(sandbox().port(service_), "GET",
                         "/identity/oauth/token?grant_type=client_credentials&client_id=sandbox-client&"
                         "client_secret=sandbox-secret")
        .json();
  }
  std::string authorization() override {
    if (token_.empty()) token_ = token()["access_token"];
    return "Authorization: Bearer " + token_ + "\r\n";
  }
  Json post(const std::string& path, Json input, Json body = Json::object()) {
    body["input"] = std::move(input);
    return call("POST", "/rest/v1/" + path + ".json", body).json();
  }
  static std::string code(const Json& body) { return body["errors"][0]["code"]; }
  // "created", or the code of the reason.
  static std::string outcome(const Json& row) {
    return row["status"] == "skipped" ? row["reasons"][0]["code"] : row["status"];
  }
  testing::Answer import(const std::string& path, const std::string& file) {
    return raw("POST", path + "?format=csv",
               "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\n\r\n" + file +
                   "\r\n--b0--\r\n",
               "multipart/form-data; boundary=b0");
  }
  Json finished(const std::string& path) {
    call("GET", path);
    return call("GET", path).json()["result"][0];
  }
  std::string token_;
};

TEST_F(MarketoInstance, ObjectsAreMatchedByTheirDedupeFieldsOrTheirId) {
  const Json made = post("companies", {{{"externalCompanyId", "C1"}, {"company", "Acme"}},
                                       {{"company", "No key"}},
                                       {{"externalCompanyId", "c1"}},
                                       {{"externalCompanyId", "c2"}, {"shoe", 1}},
                                       {{"externalCompanyId", "c3"}, {"annualRevenue", "much"}}})["result"];
  std::vector<std::string> outcomes;
  for (const Json& row : made) outcomes.push_back(outcome(row));
  EXPECT_EQ(outcomes, (std::vector<std::string>{"created", "1002", "1036", "1006", "1001"}));
  EXPECT_EQ(made[3]["seq"], 3);
  const Json by_id = post("companies", {{{"id", made[0]["id"]}, {"industry", "Steel"}}},
                          {{"action", "updateOnly"}, {"dedupeBy", "idField"}})["result"];
  EXPECT_EQ(outcome(by_id[0]), "updated");
  EXPECT_EQ(code(post("companies", {{{"id", 1}}}, {{"dedupeBy", "idField"}})), "1003");
  EXPECT_EQ(
      outcome(post("companies", {{{"externalCompanyId", "c1"}}}, {{"action", "createOnly"}})["result"][0]),
      "1005");
  EXPECT_EQ(
      outcome(post("companies", {{{"externalCompanyId", "zz"}}}, {{"action", "updateOnly"}})["result"][0]),
      "1013");
  EXPECT_EQ(records("companies")["records"][0]["_writes"], 2);
  const Json found =
      call("GET", "/rest/v1/companies.json?filterType=externalCompanyId&filterValues=C1,zz&fields=industry")
          .json();
  EXPECT_EQ(found["result"][0]["industry"], "Steel");
  EXPECT_EQ(found["result"].size(), 1);
  EXPECT_EQ(outcome(post("companies/delete", {{{"externalCompanyId", "c1"}}})["result"][0]), "deleted");
}

TEST_F(MarketoInstance, RolesNeedTheirLeadAndTheirOpportunity) {
  seed("leads", {{"id", 7}, {"email", "a@x.de"}});
  EXPECT_EQ(
      outcome(post("opportunities", {{{"externalOpportunityId", "o1"}, {"amount", "9.5"}}})["result"][0]),
      "created");
  const Json role = {{"externalOpportunityId", "o1"}, {"leadId", 7}, {"role", "Buyer"}};
  Json nobody = role, nothing = role;
  nobody["leadId"] = 8;
  nothing["externalOpportunityId"] = "o2";
  const Json made = post("opportunities/roles", {role, nobody, nothing})["result"];
  EXPECT_EQ(outcome(made[0]), "created");
  EXPECT_EQ(made[0]["marketoGUID"].get<std::string>().size(), 36);
  EXPECT_EQ(outcome(made[1]), "1004");
  EXPECT_EQ(outcome(made[2]), "1013");
}

TEST_F(MarketoInstance, ObjectsOfACrmAreClosed) {
  fault("crm_enabled", {{"times", 1}});
  EXPECT_EQ(code(post("companies", {{{"externalCompanyId", "c1"}}})), "1018");
  EXPECT_EQ(records("companies")["count"], 0);
  EXPECT_EQ(outcome(post("namedaccounts", {{{"name", "Acme"}}})["result"][0]), "created");
}

TEST_F(MarketoInstance, CustomObjectsAreDescribedWrittenAndFoundByCompoundKeys) {
  EXPECT_EQ(call("GET", "/rest/v1/customobjects.json?names=visit_c").json()["result"][0]["dedupeFields"],
            Json({"leadEmail", "visitedOn"}));
  const Json described =
      call("GET", "/rest/v1/customobjects/subscription_c/describe.json").json()["result"][0];
  EXPECT_EQ(described["idField"], "marketoGUID");
  EXPECT_EQ(described["fields"][0]["updateable"], false);
  post("customobjects/visit_c", {{{"leadEmail", "a@x.de"}, {"visitedOn", "2026-01-01"}, {"pages", 1}},
                                 {{"leadEmail", "a@x.de"}, {"visitedOn", "2026-01-02"}, {"pages", 2}}});
  const Json found = call("POST", "/rest/v1/customobjects/visit_c.json?_method=GET",
                          {{"filterType", "dedupeFields"},
                           {"fields", {"pages"}},
                           {"input", {{{"leadEmail", "A@x.de"}, {"visitedOn", "2026-01-02"}}}}})
                         .json();
  ASSERT_EQ(found["result"].size(), 1) << found;
  EXPECT_EQ(found["result"][0]["pages"], 2);
  EXPECT_EQ(code(post("customobjects/shoe_c", {{{"a", 1}}})), "1013");
}

TEST_F(MarketoInstance, CustomObjectsAreImported) {
  const std::string base = "/bulk/v1/customobjects/subscription_c/import";
  const Json started =
      import(base + ".json", "subscriptionNumber,plan\ns1,gold\n,x\ns2,null\n").json()["result"][0];
  EXPECT_EQ(started["objectApiName"], "subscription_c");
  const std::string batch = base + "/" + std::to_string(started["batchId"].get<int>());
  const Json done = finished(batch + "/status.json");
  EXPECT_EQ(done["status"], "Complete");
  EXPECT_EQ(done["numOfObjectsProcessed"], 2);
  EXPECT_EQ(done["numOfRowsFailed"], 1);
  const Csv failures = parse_csv(call("GET", batch + "/failures.json").body, ',');
  EXPECT_EQ(failures.rows[0][1], "x");
  EXPECT_EQ(call("GET", batch + "/warnings.json").body, "");
  EXPECT_EQ(
      code(call("GET", "/bulk/v1/leads/batch/" + std::to_string(started["batchId"].get<int>()) + ".json")
               .json()),
      "1013");
  clock_.advance(std::chrono::hours{7 * 24 + 1});
  token_.clear();
  EXPECT_EQ(code(call("GET", batch + "/status.json").json()), "1013");
}

TEST_F(MarketoInstance, ImportFaults) {
  fault("too_many_imports", {{"times", 1}});
  EXPECT_EQ(code(import("/bulk/v1/leads.json", "email\na@x.de\n").json()), "1016");
  const auto status = [&](const std::string& file) {
    const int batch = import("/bulk/v1/leads.json", file).json()["result"][0]["batchId"];
    return std::pair{batch, finished(fmt::format("/bulk/v1/leads/batch/{}.json", batch))};
  };
  fault("bulk_warning", {{"times", 1}});
  const auto [batch, warned] = status("email\na@x.de\nb@x.de\n");
  EXPECT_EQ(warned["numOfRowsWithWarning"], 1);
  EXPECT_EQ(parse_csv(call("GET", fmt::format("/bulk/v1/leads/batch/{}/warnings.json", batch)).body, ',')
                .rows.size(),
            1);
  fault("bulk_failed", {{"times", 1}});
  EXPECT_EQ(status("email\nc@x.de\nd@x.de\n").second["status"], "Failed");
  EXPECT_EQ(records("leads")["count"], 3);  // half of it was written
}

TEST_F(MarketoInstance, CallFaults) {
  const auto answer = [&] { return code(post("leads", {{{"email", "a@x.de"}}})); };
  fault("concurrency", {{"times", 1}});
  EXPECT_EQ(answer(), "615");
  fault("daily_quota", {{"times", 1}});
  EXPECT_EQ(answer(), "607");
  fault("timed_out", {{"times", 1}});
  EXPECT_EQ(answer(), "604");
  EXPECT_EQ(records("leads")["count"], 0);
  fault("early_zero", {{"times", 1}});
  EXPECT_EQ(token()["expires_in"], 0);
  EXPECT_EQ(token()["expires_in"], 3600);
  const Json errors = call("GET", "/rest/v1/stats/errors.json").json()["result"][0];
  EXPECT_EQ(errors["total"], 3);
  EXPECT_EQ(code(call("DELETE", "/rest/v1/companies.json").json()), "605");
}

TEST_F(MarketoInstance, ListsAndPartitions) {
  const auto made = raw("POST", "/rest/asset/v1/staticLists.json", "name=Best&folder=%7B%22id%22%3A1%7D",
                        "application/x-www-form-urlencoded");
  const std::string id = std::to_string(made.json()["result"][0]["id"].get<int>());
  EXPECT_EQ(call("GET", "/rest/v1/lists.json?name=Best").json()["result"].size(), 1);
  EXPECT_EQ(call("GET", "/rest/v1/lists/" + id + ".json").json()["result"][0]["name"], "Best");
  EXPECT_EQ(call("POST", "/rest/asset/v1/staticList/" + id + "/delete.json").json()["success"], true);
  EXPECT_EQ(call("GET", "/rest/v1/leads/partitions.json").json()["result"].size(), 2);
  const Json row = {{"email", "a@x.de"}};
  EXPECT_EQ(outcome(post("leads", {row}, {{"partitionName", "Nowhere"}})["result"][0]), "1008");
  EXPECT_EQ(outcome(post("leads", {row}, {{"partitionName", "Europe"}})["result"][0]), "created");
  EXPECT_EQ(records("leads")["records"][0]["leadPartitionName"], "Europe");
}

TEST_F(MarketoInstance, TheDayEndsAtMidnightInUsCentralTime) {
  Options with = options();
  with.marketo.daily_calls = 1;
  start(with);
  const auto usage = [&] { return call("GET", "/rest/v1/stats/usage.json").json(); };
  clock_.advance(std::chrono::hours{7});  // 2023-11-15 05:13 UTC, 23:13 there
  EXPECT_EQ(usage()["success"], true);
  EXPECT_EQ(code(usage()), "607");
  clock_.advance(std::chrono::hours{1});
  token_.clear();
  EXPECT_EQ(usage()["success"], true);
}

TEST(UsCentral, HasSummerTime) {
  const auto shown = [](const char* utc) { return format_utc(us_central(parse_utc(utc))); };
  EXPECT_EQ(shown("2026-03-08T07:59:59Z"), "2026-03-08T01:59:59Z");
  EXPECT_EQ(shown("2026-03-08T08:00:00Z"), "2026-03-08T03:00:00Z");
  EXPECT_EQ(shown("2026-11-01T06:59:59Z"), "2026-11-01T01:59:59Z");
  EXPECT_EQ(shown("2026-11-01T07:00:00Z"), "2026-11-01T01:00:00Z");
}

}  // namespace
}  // namespace eddy::sandbox::marketo
