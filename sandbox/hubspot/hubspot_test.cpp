#include "sandbox/hubspot/hubspot.h"

#include "sandbox/test_client.h"

namespace eddy::sandbox::hubspot {
namespace {

class HubSpotTest : public testing::SandboxTest {
 protected:
  HubSpotTest() { service_ = "hubspot"; }
  std::string authorization() override { return "Authorization: Bearer " + token_ + "\r\n"; }

  static Json row(const std::string& email, Json properties, const std::string& trace = {}) {
    Json input = {{"id", email}, {"idProperty", "email"}, {"properties", std::move(properties)}};
    if (!trace.empty()) input["objectWriteTraceId"] = trace;
    return input;
  }
  testing::Answer upsert(const std::vector<Json>& inputs,
                         const std::string& base = "/crm/v3/objects/contacts") {
    return call("POST", base + "/batch/upsert", {{"inputs", inputs}});
  }
  std::string token_ = "pat-sandbox-token";
};

TEST_F(HubSpotTest, UpsertCreatesThenUpdatesAndEchoesTraces) {
  const auto first =
      upsert({row("Ann@X.de", {{"firstname", "Ann"}, {"ltv", 12.5}, {"at_risk", true}}, "t1")});
  EXPECT_EQ(first.status, 200);
  EXPECT_TRUE(first.header("Content-Type").starts_with("application/json"));
  const Json result = first.json()["results"][0];
  EXPECT_EQ(first.json()["status"], "COMPLETE");
  EXPECT_FALSE(first.json().contains("errors"));
  EXPECT_EQ(result["new"], true);
  EXPECT_EQ(result["objectWriteTraceId"], "t1");
  EXPECT_EQ(result["properties"]["email"], "ann@x.de");  // lower-cased by the service
  EXPECT_EQ(result["properties"]["ltv"], "12.5");        // values are strings
  EXPECT_EQ(result["properties"]["at_risk"], "true");
  const Json again = upsert({row("ann@x.de", {{"firstname", ""}}, "t1")}).json()["results"][0];
  EXPECT_EQ(again["new"], false);
  EXPECT_EQ(again["id"], result["id"]);
  EXPECT_FALSE(records("contacts")["records"][0].contains("firstname"));  // "" clears
  EXPECT_EQ(records("contacts", "?key=email:ann@x.de")["count"], 1);
}

TEST_F(HubSpotTest, ResultsAreShuffledUnlessToldOtherwise) {
  std::vector<Json> inputs;
  for (int i = 0; i < 50; ++i)
    inputs.push_back(row(fmt::format("e{:02}@x.de", i), Json::object(), fmt::format("{:02}", i)));
  const auto traces = [](const Json& body) {
    std::vector<std::string> out;
    for (const Json& result : body["results"]) out.push_back(result["objectWriteTraceId"]);
    return out;
  };
  auto mixed = traces(upsert(inputs).json());
  EXPECT_FALSE(std::ranges::is_sorted(mixed));
  std::ranges::sort(mixed);
  EXPECT_EQ(mixed.size(), 50);
  EXPECT_EQ(mixed.back(), "49");
  fault("shuffle", 0);
  EXPECT_TRUE(std::ranges::is_sorted(traces(upsert(inputs).json())));
}

TEST_F(HubSpotTest, BadRowsAre207WithTracesAndA400Without) {
  const Json bad = {{"nope", "1"}, {"lifecyclestage", "king"}, {"lead_score", "1e3"}};
  const auto partly = upsert({row("a@x.de", {{"firstname", "A"}}, "1"), row("b@x.de", bad, "2"),
                              row("not an email", Json::object(), "3")});
  EXPECT_EQ(partly.status, 207);
  const Json body = partly.json();
  EXPECT_EQ(body["numErrors"], 2);
  EXPECT_EQ(body["results"].size(), 1);
  const Json error = body["errors"][0];
  EXPECT_EQ(error["status"], "error");
  EXPECT_EQ(error["category"], "VALIDATION_ERROR");
  EXPECT_EQ(error["context"]["objectWriteTraceId"], Json({"2"}));
  std::set<std::string> codes;
  for (const Json& one : error["errors"]) codes.insert(one["code"]);
  EXPECT_EQ(codes, (std::set<std::string>{"PROPERTY_DOESNT_EXIST", "INVALID_OPTION", "INVALID_INTEGER"}));
  EXPECT_EQ(body["errors"][1]["errors"][0]["code"], "INVALID_EMAIL");

  const auto whole = upsert({row("c@x.de", Json::object()), row("d@x.de", bad)});
  EXPECT_EQ(whole.status, 400);
  EXPECT_EQ(whole.json()["category"], "VALIDATION_ERROR");
  EXPECT_TRUE(whole.json()["message"].get<std::string>().starts_with("Property values were not valid: ["));
  EXPECT_TRUE(whole.json().contains("correlationId"));
  EXPECT_EQ(records("contacts")["count"], 1);
}

TEST_F(HubSpotTest, From202609ErrorsComeUnder200) {
  const std::vector<Json> inputs = {row("a@x.de", Json::object(), "1"), row("b@x.de", {{"nope", "1"}}, "2")};
  EXPECT_EQ(upsert(inputs, "/crm/objects/2026-03/contacts").status, 207);
  const auto quiet = upsert(inputs, "/crm/objects/2026-09/contacts");
  EXPECT_EQ(quiet.status, 200);
  EXPECT_EQ(quiet.json()["numErrors"], 1);
  fault("errors_under_200");
  EXPECT_EQ(upsert(inputs).status, 200);
}

TEST_F(HubSpotTest, DuplicateIdsRefuseTheBatch) {
  const auto answer = upsert({row("a@x.de", Json::object(), "1"), row("A@x.de", Json::object(), "2")});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.json()["context"]["ids"], Json({"a@x.de"}));
  EXPECT_EQ(records("contacts")["count"], 0);
}

TEST_F(HubSpotTest, BodiesWithoutInputsSucceedWithNothing) {
  const auto answer = call("POST", "/crm/v3/objects/contacts/batch/upsert", {{"input", {{{"id", "1"}}}}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json()["results"], Json::array());
  EXPECT_EQ(raw("POST", "/crm/v3/objects/contacts/batch/upsert", "{oops", "application/json").status, 400);
  std::vector<Json> many;
  for (int i = 0; i < 101; ++i) many.push_back(row(fmt::format("e{}@x.de", i), Json::object()));
  EXPECT_EQ(upsert(many).status, 400);
}

TEST_F(HubSpotTest, CreateUpdateReadAndArchiveBatches) {
  const auto created = call("POST", "/crm/v3/objects/companies/batch/create",
                            {{"inputs", {{{"properties", {{"name", "Acme"}, {"external_id", "c1"}}}}}}});
  EXPECT_EQ(created.status, 201);
  const std::string id = created.json()["results"][0]["id"];
  const auto updated = call("POST", "/crm/v3/objects/companies/batch/update",
                            {{"inputs",
                              {{{"id", id}, {"properties", {{"name", "Acme 2"}}}},
                               {{"id", "999"}, {"properties", Json::object()}}}}});
  EXPECT_EQ(updated.status, 207);
  EXPECT_EQ(updated.json()["errors"][0]["category"], "OBJECT_NOT_FOUND");
  EXPECT_EQ(updated.json()["errors"][0]["context"]["ids"], Json({"999"}));
  const auto read = call("POST", "/crm/v3/objects/companies/batch/read",
                         {{"idProperty", "external_id"},
                          {"properties", {"name", "no_such"}},
                          {"inputs", {{{"id", "c1"}}, {{"id", "c2"}}}}});
  EXPECT_EQ(read.status, 207);
  EXPECT_EQ(read.json()["results"][0]["properties"]["name"], "Acme 2");
  EXPECT_FALSE(read.json()["results"][0]["properties"].contains("no_such"));
  const auto archived =
      call("POST", "/crm/v3/objects/companies/batch/archive", {{"inputs", {{{"id", id}}, {{"id", "999"}}}}});
  EXPECT_EQ(archived.status, 204);
  EXPECT_EQ(archived.body, "");
  EXPECT_EQ(records("companies")["count"], 0);
}

TEST_F(HubSpotTest, SingleRecords) {
  const auto created = call("POST", "/crm/v3/objects/contacts", {{"properties", {{"email", "a@x.de"}}}});
  EXPECT_EQ(created.status, 201);
  const auto conflict = call("POST", "/crm/v3/objects/contacts", {{"properties", {{"email", "A@x.de"}}}});
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.json()["category"], "CONFLICT");
  EXPECT_EQ(conflict.json()["message"],
            "Contact already exists. Existing ID: " + created.json()["id"].get<std::string>());
  EXPECT_EQ(
      call("PATCH", "/crm/v3/objects/contacts/a%40x.de?idProperty=email", {{"properties", {{"phone", "1"}}}})
          .status,
      200);
  EXPECT_EQ(call("GET", "/crm/v3/objects/contacts/a%40x.de?idProperty=email&properties=phone")
                .json()["properties"]["phone"],
            "1");
  EXPECT_EQ(call("PATCH", "/crm/v3/objects/contacts/77", {{"properties", {{"phone", "1"}}}}).status, 404);
  EXPECT_EQ(call("DELETE", "/crm/v3/objects/contacts/" + created.json()["id"].get<std::string>()).status,
            204);
  EXPECT_EQ(
      call("GET", "/crm/v3/objects/contacts/" + created.json()["id"].get<std::string>()).json()["category"],
      "OBJECT_NOT_FOUND");
}

TEST_F(HubSpotTest, ListsPageAndSearchesFilter) {
  Json contacts = Json::array();
  for (int i = 0; i < 25; ++i) contacts.push_back({{"email", fmt::format("E{}@x.de", i)}, {"lead_score", i}});
  seed("contacts", contacts);
  std::size_t rows = 0;
  std::string after;
  do {
    const Json page = call("GET", "/crm/v3/objects/contacts?limit=10" + after).json();
    rows += page["results"].size();
    after = page.contains("paging") ? "&after=" + page["paging"]["next"]["after"].get<std::string>() : "";
  } while (!after.empty());
  EXPECT_EQ(rows, 25);
  const auto search = [&](const Json& filters) {
    return call("POST", "/crm/v3/objects/contacts/search",
                {{"filterGroups", {{{"filters", filters}}}}, {"limit", 100}});
  };
  EXPECT_EQ(search({{{"propertyName", "email"}, {"operator", "EQ"}, {"value", "E3@X.de"}}}).json()["total"],
            1);
  EXPECT_EQ(
      search({{{"propertyName", "email"}, {"operator", "IN"}, {"values", {"e1@x.de", "e2@x.de", "no@x.de"}}}})
          .json()["total"],
      2);
  EXPECT_EQ(search({{{"propertyName", "lead_score"}, {"operator", "GTE"}, {"value", "20"}}}).json()["total"],
            5);
  EXPECT_EQ(search({{{"propertyName", "nope"}, {"operator", "EQ"}, {"value", "1"}}}).status, 400);
}

TEST_F(HubSpotTest, PropertiesAreListedAndCreated) {
  const Json all = call("GET", "/crm/v3/properties/contacts").json()["results"];
  const auto named = [&](const std::string& name) {
    return *std::ranges::find_if(all, [&](const Json& p) { return p["name"] == name; });
  };
  EXPECT_EQ(named("lifecyclestage")["type"], "enumeration");
  EXPECT_EQ(named("external_id")["hasUniqueValue"], true);
  EXPECT_EQ(named("hs_object_id")["modificationMetadata"]["readOnlyValue"], true);
  const Json made = {{"name", "score2"},
                     {"label", "Score"},
                     {"type", "number"},
                     {"fieldType", "number"},
                     {"groupName", "contactinformation"}};
  EXPECT_EQ(call("POST", "/crm/v3/properties/contacts", made).status, 201);
  EXPECT_EQ(call("POST", "/crm/v3/properties/contacts", made).status, 409);
  EXPECT_EQ(upsert({row("a@x.de", {{"score2", "5"}})}).status, 200);
  EXPECT_EQ(call("GET", "/crm/properties/2026-09/contacts/score2").json()["hubspotDefined"], false);
  EXPECT_EQ(call("POST", "/crm/v3/properties/contacts", {{"name", "x"}}).status, 400);
}

TEST_F(HubSpotTest, AssociationsAndListMembership) {
  seed("contacts", {{{"id", "1"}, {"email", "a@x.de"}}});
  seed("companies", {{{"id", "2"}, {"name", "Acme"}}});
  const Json input = {{"from", {{"id", "1"}}},
                      {"to", {{"id", "2"}}},
                      {"types", {{{"associationCategory", "HUBSPOT_DEFINED"}, {"associationTypeId", 279}}}}};
  Json missing = input;
  missing["to"]["id"] = "77";
  const auto made =
      call("POST", "/crm/v4/associations/contacts/companies/batch/create", {{"inputs", {input, missing}}});
  EXPECT_EQ(made.status, 207);
  EXPECT_EQ(made.json()["results"][0]["toObjectId"], "2");
  const Json read =
      call("POST", "/crm/v4/associations/contacts/companies/batch/read", {{"inputs", {{{"id", "1"}}}}})
          .json();
  EXPECT_EQ(read["results"][0]["to"][0]["associationTypes"][0]["typeId"], 279);

  const Json added = call("PUT", "/crm/v3/lists/1/memberships/add", Json({"1", "99"})).json();
  EXPECT_EQ(
      added,
      Json({{"recordsIdsAdded", {"1"}}, {"recordIdsRemoved", Json::array()}, {"recordIdsMissing", {"99"}}}));
  EXPECT_EQ(call("PUT", "/crm/v3/lists/1/memberships/remove", Json::array({1})).json()["recordIdsRemoved"],
            Json({"1"}));
  EXPECT_EQ(call("PUT", "/crm/v3/lists/2/memberships/add", Json::array({1})).status, 400);
}

TEST_F(HubSpotTest, Authentication) {
  token_ = "wrong";
  const auto refused = call("GET", "/crm/v3/objects/contacts");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.json()["category"], "INVALID_AUTHENTICATION");
  const auto grant = [&](const std::string& form) {
    return testing::send(sandbox().port(service_), "POST", "/oauth/v3/token",
                         "Content-Type: application/x-www-form-urlencoded\r\n", form);
  };
  const auto issued = grant(
      "grant_type=refresh_token&client_id=sandbox-client&client_secret=sandbox-secret&refresh_token=sandbox-"
      "refresh");
  EXPECT_EQ(issued.json()["expires_in"], 1800);
  EXPECT_EQ(grant("grant_type=refresh_token&client_id=x").json()["status"], "BAD_CLIENT_ID");
  token_ = issued.json()["access_token"];
  const auto good = call("GET", "/crm/v3/objects/contacts");
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.header("X-HubSpot-RateLimit-Daily"), "");  // not for OAuth apps
  EXPECT_NE(good.header("X-HubSpot-RateLimit-Max"), "");
  clock_.advance(std::chrono::seconds{1800});
  EXPECT_EQ(call("GET", "/crm/v3/objects/contacts").json()["category"], "EXPIRED_AUTHENTICATION");
}

TEST_F(HubSpotTest, BothShapesOfTooMany) {
  fault("throttle", {{"times", 1}});
  const Json now = call("GET", "/crm/v3/objects/contacts").json();
  EXPECT_EQ(now["errorType"], "RATE_LIMIT");
  EXPECT_EQ(now["policyName"], "TEN_SECONDLY_ROLLING");
  fault("throttle_legacy", {{"times", 1}});
  const auto legacy = call("GET", "/crm/v3/objects/contacts");
  EXPECT_EQ(legacy.status, 429);
  EXPECT_EQ(legacy.json()["category"], "RATE_LIMITS");
  EXPECT_EQ(legacy.header("Retry-After"), "");
  fault("daily_limit", {{"times", 1}});
  EXPECT_EQ(call("GET", "/crm/v3/objects/contacts").json()["policyName"], "DAILY");
  EXPECT_EQ(desk("/stats")["hubspot"]["throttled"], 3);
}

TEST_F(HubSpotTest, EmptyResultsDoNothing) {
  fault("empty_results", {{"times", 1}});
  const auto answer = upsert({row("a@x.de", Json::object(), "1")});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json()["results"], Json::array());
  EXPECT_EQ(records("contacts")["count"], 0);
  EXPECT_EQ(last_request()["applied"], false);
}

}  // namespace
}  // namespace eddy::sandbox::hubspot
