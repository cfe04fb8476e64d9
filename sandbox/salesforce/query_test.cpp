// SOQL, bulk queries, deleted rows, unique fields and the faults of bulk jobs.
#include "sandbox/salesforce/query.h"

#include "sandbox/csv.h"
#include "sandbox/test_client.h"

namespace eddy::sandbox::salesforce {
namespace {

class SalesforceOrg : public testing::SandboxTest {
 protected:
  SalesforceOrg() { service_ = "salesforce"; }
  std::string authorization() override {
    if (session_.empty())
      session_ =
          testing::send(sandbox().port(service_), "POST", "/services/oauth2/token",
                        "Content-Type: application/x-www-form-urlencoded\r\n",
                        "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret")
              .json()["access_token"];
    return "Authorization: Bearer " + session_ + "\r\n";
  }
  static std::string encoded(const std::string& text) {
    std::string out;
    for (const char c : text)
      out += std::isalnum(static_cast<unsigned char>(c)) != 0
                 ? std::string(1, c)
                 : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    return out;
  }
  testing::Answer query(const std::string& soql, const std::string& call_name = "query") {
    return call("GET", base_ + "/" + call_name + "?q=" + encoded(soql));
  }
  // The last names found, joined.
  std::string names(const std::string& rest) {
    const Json body = query("SELECT LastName FROM Contact " + rest).json();
    std::vector<std::string> out;
    for (const Json& row : body["records"]) out.push_back(row["LastName"]);
    return join(out, " ");
  }
  void people() {
    seed("Account", {{{"Id", "001000000000001"}, {"Name", "Acme"}, {"Industry", "Retail"}}});
    seed("Contact", {{{"LastName", "Ada"}, {"Lead_Score__c", 5}, {"AccountId", full_id("001000000000001")}},
                     {{"LastName", "bob"}, {"Lead_Score__c", 10}, {"Birthdate", "1990-02-03"}},
                     {{"LastName", "Cleo"}, {"Lead_Score__c", 20}, {"Title", "it's"}},
                     {{"LastName", "Dan"}}});
  }
  const std::string base_ = "/services/data/v60.0";
  std::string session_;
};

TEST_F(SalesforceOrg, Conditions) {
  people();
  EXPECT_EQ(names("WHERE Lead_Score__c > 5"), "bob Cleo");
  EXPECT_EQ(names("WHERE Lead_Score__c >= 5 AND Lead_Score__c < 20"), "Ada bob");
  EXPECT_EQ(names("WHERE Lead_Score__c = 5 OR LastName = 'BOB'"), "Ada bob");
  EXPECT_EQ(names("WHERE (Lead_Score__c = 5 OR Lead_Score__c = 10) AND NOT LastName = 'Ada'"), "bob");
  EXPECT_EQ(names("WHERE LastName LIKE '_o%'"), "bob");
  EXPECT_EQ(names("WHERE Title = 'it\\'s'"), "Cleo");
  EXPECT_EQ(names("WHERE Lead_Score__c = null"), "Dan");
  EXPECT_EQ(names("WHERE Lead_Score__c NOT IN (5, 10, null)"), "Cleo");
  EXPECT_EQ(names("WHERE Birthdate < 1991-01-01"), "bob");
  EXPECT_EQ(names("WHERE Account.Industry = 'retail'"), "Ada");
  EXPECT_EQ(names("WHERE AccountId IN (SELECT Id FROM Account WHERE Name = 'Acme')"), "Ada");
}

TEST_F(SalesforceOrg, OrderLimitOffset) {
  people();
  EXPECT_EQ(names("ORDER BY LastName DESC LIMIT 2"), "Dan Cleo");
  EXPECT_EQ(names("ORDER BY Lead_Score__c LIMIT 1 OFFSET 1"), "Ada");  // null first
  EXPECT_EQ(names("ORDER BY Lead_Score__c DESC NULLS LAST"), "Cleo bob Ada Dan");
}

TEST_F(SalesforceOrg, ParentsAreNestedAndMissingOnesNull) {
  people();
  const Json rows = query("SELECT LastName, Account.Name, Account.Id FROM Contact LIMIT 2").json()["records"];
  EXPECT_EQ(rows[0]["Account"]["Name"], "Acme");
  EXPECT_EQ(rows[0]["Account"]["attributes"]["type"], "Account");
  EXPECT_EQ(rows[1]["Account"], nullptr);
  EXPECT_EQ(query("SELECT COUNT(Lead_Score__c) FROM Contact").json()["records"][0]["expr0"], 3);
  EXPECT_TRUE(query("SELECT FIELDS(ALL) FROM Contact LIMIT 1").json()["records"][0].contains("Email"));
}

TEST_F(SalesforceOrg, MistakesAreNamed) {
  const auto code = [&](const std::string& soql) { return query(soql).json()[0]["errorCode"]; };
  EXPECT_EQ(code("SELECT Nope.Name FROM Contact"), "INVALID_FIELD");
  EXPECT_EQ(code("SELECT Id FROM Contact WHERE"), "MALFORMED_QUERY");
  EXPECT_EQ(code("SELECT Id FROM Contact LIMIT many"), "MALFORMED_QUERY");
  EXPECT_EQ(code("SELECT Id FROM Contact WHERE (Title = 'x'"), "MALFORMED_QUERY");
  EXPECT_EQ(code("SELECT Id FROM Contact WHERE Title = 'x"), "MALFORMED_QUERY");
}

TEST_F(SalesforceOrg, DeletedRowsAreFoundByQueryAllOnly) {
  const std::string id = call("POST", base_ + "/sobjects/Contact", {{"LastName", "Gone"}}).json()["id"];
  call("DELETE", base_ + "/sobjects/Contact/" + id);
  EXPECT_EQ(query("SELECT Id FROM Contact").json()["totalSize"], 0);
  const Json row = query("SELECT LastName, IsDeleted FROM Contact", "queryAll").json()["records"][0];
  EXPECT_EQ(row["LastName"], "Gone");
  EXPECT_EQ(row["IsDeleted"], true);
  const Json listed =
      call("GET", base_ + "/sobjects/Contact/deleted?start=2023-01-01T00:00:00Z&end=2024-01-01T00:00:00Z")
          .json();
  EXPECT_EQ(listed["deletedRecords"][0]["id"], id);
  EXPECT_EQ(call("GET", base_ + "/sobjects/Contact/updated?start=x&end=y").status, 400);
}

TEST_F(SalesforceOrg, UniqueFieldsAndCustomObjects) {
  const std::string path = base_ + "/sobjects/Subscription__c/";
  seed("Account", {{"Name", "Acme"}, {"External_Id__c", "acme"}});
  EXPECT_EQ(
      call("PATCH", path + "Number__c/S1", {{"Name", "A"}, {"Account__r", {{"External_Id__c", "acme"}}}})
          .status,
      201);
  EXPECT_EQ(call("PATCH", path + "Number__c/s1", {{"Name", "B"}}).status, 200);  // case does not matter
  const auto twice = call("POST", base_ + "/sobjects/Subscription__c", {{"Name", "C"}, {"Number__c", "S1"}});
  EXPECT_EQ(twice.json()[0]["errorCode"], "DUPLICATE_VALUE");
  const Json described = call("GET", base_ + "/sobjects/Subscription__c/describe").json();
  EXPECT_EQ(described["custom"], true);
  const Json parent =
      *std::ranges::find_if(described["fields"], [](const Json& f) { return f["name"] == "Account__c"; });
  EXPECT_EQ(parent["relationshipName"], "Account__r");
  EXPECT_EQ(query("SELECT Account__r.Name FROM Subscription__c").json()["records"][0]["Account__r"]["Name"],
            "Acme");
}

TEST_F(SalesforceOrg, BulkQueriesComeInPages) {
  people();
  const Json job = call("POST", base_ + "/jobs/query",
                        {{"operation", "query"},
                         {"query", "SELECT LastName, Account.Name FROM Contact ORDER BY LastName"}})
                       .json();
  EXPECT_EQ(job["state"], "UploadComplete");
  const std::string path = base_ + "/jobs/query/" + job["id"].get<std::string>();
  EXPECT_EQ(call("GET", path + "/results").status, 400);
  EXPECT_EQ(call("GET", path).json()["state"], "InProgress");
  EXPECT_EQ(call("GET", path).json()["numberRecordsProcessed"], 4);
  const auto first = call("GET", path + "/results?maxRecords=3");
  EXPECT_EQ(first.header("Sforce-NumberOfRecords"), "3");
  EXPECT_EQ(first.body, "LastName,Account.Name\nAda,Acme\nbob,\nCleo,\n");
  const auto last = call("GET", path + "/results?maxRecords=3&locator=" + first.header("Sforce-Locator"));
  EXPECT_EQ(last.header("Sforce-Locator"), "null");
  EXPECT_EQ(last.body, "LastName,Account.Name\nDan,\n");
  EXPECT_EQ(call("DELETE", path).status, 204);
  EXPECT_EQ(call("POST", base_ + "/jobs/query", {{"operation", "query"}, {"query", "SELECT"}}).status, 400);
  EXPECT_EQ(desk("/stats")["salesforce"]["jobs"], 1);
}

TEST_F(SalesforceOrg, TheSessionMayExpireWhileAJobIsUnderWay) {
  const std::string id =
      call("POST", base_ + "/jobs/ingest", {{"object", "Contact"}, {"operation", "insert"}}).json()["id"];
  fault("bulk_session_expiry", {{"times", 1}});
  EXPECT_EQ(raw("PUT", base_ + "/jobs/ingest/" + id + "/batches", "LastName\nA\n", "text/csv").status, 401);
  session_.clear();
  EXPECT_EQ(raw("PUT", base_ + "/jobs/ingest/" + id + "/batches", "LastName\nA\n", "text/csv").status, 201);
}

TEST_F(SalesforceOrg, TheOlderBulkApiAnswersInOrder) {
  authorization();
  const auto ask = [&](const char* method, const std::string& path, const std::string& body = {}) {
    return testing::send(sandbox().port(service_), method, "/services/async/60.0/job" + path,
                         "X-SFDC-Session: " + session_ + "\r\nContent-Type: application/json\r\n", body);
  };
  const auto job = ask(
      "POST", "", R"({"operation": "upsert", "object": "Contact", "externalIdFieldName": "External_Id__c"})");
  EXPECT_EQ(job.status, 201);
  const std::string path = "/" + job.json()["id"].get<std::string>();
  const Json rows = {{{"External_Id__c", "1"}, {"LastName", "A"}}, {{"External_Id__c", "2"}}};
  const std::string batch =
      path + "/batch/" + ask("POST", path + "/batch", rows.dump()).json()["id"].get<std::string>();
  EXPECT_EQ(ask("POST", path, R"({"state": "Closed"})").json()["state"], "Closed");
  EXPECT_EQ(ask("GET", batch).json()["state"], "InProgress");
  EXPECT_EQ(ask("GET", batch + "/result").status, 400);
  EXPECT_EQ(ask("GET", batch).json()["numberRecordsFailed"], 1);
  const Json results = ask("GET", batch + "/result").json();
  EXPECT_EQ(results[0]["created"], true);
  EXPECT_EQ(results[1]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
  session_ = "worthless";
  EXPECT_EQ(ask("GET", path).json()["exceptionCode"], "InvalidSessionId");
}

TEST_F(SalesforceOrg, BulkResultsAreShuffledUnlessToldOtherwise) {
  const auto results = [&] {
    const std::string path =
        base_ + "/jobs/ingest/" +
        call("POST", base_ + "/jobs/ingest", {{"object", "Contact"}, {"operation", "insert"}})
            .json()["id"]
            .get<std::string>();
    std::string csv = "LastName\n";
    for (int i = 10; i < 40; ++i) csv += fmt::format("{}\n", i);
    raw("PUT", path + "/batches", csv, "text/csv");
    call("PATCH", path, {{"state", "UploadComplete"}});
    for (int i = 0; i < 2; ++i) call("GET", path);
    std::vector<std::string> names;
    const Csv file = parse_csv(call("GET", path + "/successfulResults").body, ',');
    for (const CsvRow& row : file.rows) names.push_back(row[2]);
    return names;
  };
  EXPECT_FALSE(std::ranges::is_sorted(results()));
  fault("bulk_shuffle", 0);
  EXPECT_TRUE(std::ranges::is_sorted(results()));
}

TEST_F(SalesforceOrg, JobsAreForgottenAfterSevenDays) {
  const std::string path =
      base_ + "/jobs/ingest/" +
      call("POST", base_ + "/jobs/ingest", {{"object", "Contact"}, {"operation", "insert"}})
          .json()["id"]
          .get<std::string>();
  clock_.advance(std::chrono::days{7});
  EXPECT_EQ(call("GET", path).status, 200);
  clock_.advance(std::chrono::seconds{1});
  EXPECT_EQ(call("GET", path).status, 404);
}

TEST_F(SalesforceOrg, DuplicateRulesOfTheOrg) {
  fault("duplicates_detected", {{"times", 1}});
  EXPECT_EQ(call("POST", base_ + "/sobjects/Contact", {{"LastName", "A"}}).json()[0]["errorCode"],
            "DUPLICATES_DETECTED");
}

TEST_F(SalesforceOrg, AnExpiryInQuotesIsTakenAndTheHostOfTheLoginBecomesTheOrgs) {
  const auto part = [](const std::string& json) {
    std::string text = base64(json);
    while (text.ends_with('=')) text.pop_back();
    return text;
  };
  const std::string assertion =
      part(R"({"alg":"RS256"})") + "." +
      part(
          R"({"iss":"sandbox-client","sub":"integration@example.com","aud":"https://login.salesforce.com","exp":"1700000100"})") +
      ".c2ln";
  const auto answer = testing::send(
      sandbox().port(service_), "POST", "/services/oauth2/token",
      "Content-Type: application/x-www-form-urlencoded\r\n",
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + assertion);
  EXPECT_EQ(answer.status, 200) << answer.body;
}

}  // namespace
}  // namespace eddy::sandbox::salesforce
