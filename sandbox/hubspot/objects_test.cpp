// Custom objects, links between records, lists, archived records.
#include "sandbox/hubspot/objects.h"

#include "sandbox/test_client.h"

namespace eddy::sandbox::hubspot {
namespace {

class HubSpotPortal : public testing::SandboxTest {
 protected:
  HubSpotPortal() { service_ = "hubspot"; }
  std::string authorization() override { return "Authorization: Bearer pat-sandbox-token\r\n"; }
  void people() {
    seed("contacts", {{{"id", "1"}, {"email", "a@x.de"}}, {{"id", "3"}, {"email", "c@x.de"}}});
    seed("companies", {{{"id", "2"}, {"name", "Acme"}}});
  }
  static Json spec(int id, const char* category = "HUBSPOT_DEFINED") {
    return {{"associationCategory", category}, {"associationTypeId", id}};
  }
  std::vector<int> types(const std::string& from, const std::string& id, const std::string& to) {
    std::vector<int> out;
    const Json links =
        call("GET", "/crm/v4/objects/" + from + "/" + id + "/associations/" + to).json()["results"];
    for (const Json& link : links)
      for (const Json& type : link["associationTypes"]) out.push_back(type["typeId"]);
    return out;
  }
};

TEST_F(HubSpotPortal, LinksAreThereFromBothSides) {
  people();
  const std::string one = "/crm/v4/objects/contacts/1/associations/companies/2";
  const auto made = call("PUT", one, Json::array({spec(279)}));
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.json()["toObjectId"], "2");
  EXPECT_EQ(types("contacts", "1", "companies"), std::vector{279});
  EXPECT_EQ(types("companies", "2", "contacts"), std::vector{280});
  EXPECT_EQ(call("PUT", one, Json::array({spec(3)})).status, 400);  // a type of other objects
  EXPECT_EQ(call("DELETE", one).status, 204);
  EXPECT_EQ(types("companies", "2", "contacts"), std::vector<int>{});
  const auto by_default = call("PUT", "/crm/v4/objects/contacts/3/associations/default/companies/2");
  EXPECT_EQ(by_default.status, 200);
  EXPECT_EQ(by_default.json()["results"][0]["associationSpec"], spec(279));
  const auto read = call("POST", "/crm/v4/associations/contacts/companies/batch/read",
                         {{"inputs", {{{"id", "1"}}, {{"id", "3"}}}}});
  EXPECT_EQ(read.status, 207);
  EXPECT_EQ(read.json()["errors"][0]["subCategory"], "crm.associations.NO_ASSOCIATIONS_FOUND");
  EXPECT_EQ(read.json()["results"][0]["from"]["id"], "3");
}

TEST_F(HubSpotPortal, LinksOfOneKindAreTheSameFromBothSides) {
  people();
  EXPECT_EQ(call("PUT", "/crm/v4/objects/contacts/1/associations/default/contacts/3").status, 200);
  EXPECT_EQ(types("contacts", "1", "contacts"), std::vector{449});
  EXPECT_EQ(types("contacts", "3", "contacts"), std::vector{449});
  const std::string primary = "/crm/v4/objects/contacts/1/associations/companies/2";
  EXPECT_EQ(call("PUT", primary, Json::array({spec(1)})).status, 201);
  EXPECT_EQ(types("contacts", "1", "companies"), (std::vector{1, 279}));  // the default one is there too
  EXPECT_EQ(types("companies", "2", "contacts"), (std::vector{2, 280}));
}

TEST_F(HubSpotPortal, LabelsAreMadePutOnAndTakenOff) {
  people();
  const int label = call("POST", "/crm/v4/associations/contacts/companies/labels",
                         {{"label", "Adviser"}, {"name", "adviser"}})
                        .json()["results"][0]["typeId"];
  const Json input = {
      {"from", {{"id", "1"}}}, {"to", {{"id", "2"}}}, {"types", {spec(label, "USER_DEFINED")}}};
  const auto made =
      call("POST", "/crm/v4/associations/contacts/companies/batch/create", {{"inputs", {input}}});
  EXPECT_EQ(made.json()["results"][0]["labels"], Json({"Adviser"}));
  EXPECT_EQ(types("contacts", "1", "companies"), (std::vector{label, 279}));
  EXPECT_EQ(types("companies", "2", "contacts"), (std::vector{label, 280}));
  EXPECT_EQ(call("GET", "/crm/v4/associations/companies/contacts/labels").json()["results"].size(), 3);
  call("POST", "/crm/v4/associations/contacts/companies/batch/labels/archive", {{"inputs", {input}}});
  EXPECT_EQ(types("contacts", "1", "companies"), std::vector{279});
}

TEST_F(HubSpotPortal, RecordsAreMadeWithTheirLinks) {
  people();
  const Json links = {{{"to", {{"id", "2"}}}, {"types", {spec(341)}}}};
  const auto deal =
      call("POST", "/crm/v3/objects/deals", {{"properties", {{"dealname", "D"}}}, {"associations", links}});
  EXPECT_EQ(deal.status, 201);
  const std::string id = deal.json()["id"];
  EXPECT_EQ(call("GET", "/crm/v3/objects/deals/" + id + "?associations=companies")
                .json()["associations"]["companies"]["results"][0]["id"],
            "2");
  const Json wrong = {{{"to", {{"id", "77"}}}, {"types", {spec(341)}}}};
  EXPECT_EQ(
      call("POST", "/crm/v3/objects/deals", {{"properties", {{"dealname", "D"}}}, {"associations", wrong}})
          .status,
      404);
  EXPECT_EQ(records("deals")["count"], 1);
}

TEST_F(HubSpotPortal, CustomObjectsAreWrittenByIdNameAndFullName) {
  const auto make = [&](const std::string& type, const Json& properties) {
    return call("POST", "/crm/v3/objects/" + type, {{"properties", properties}});
  };
  EXPECT_EQ(make("2-4242001", {{"number", "S1"}, {"state", "active"}}).status, 201);
  EXPECT_EQ(make("p4242_subscription", {{"number", "S2"}}).status, 201);
  EXPECT_EQ(make("subscription", {{"number", "S1"}}).status, 400);  // unique
  const auto missing = make("subscription", {{"plan", "gold"}});
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(missing.json()["context"]["properties"], Json({"number"}));
  EXPECT_EQ(make("nothing", Json::object()).status, 400);
  const Json row = {{"id", "S1"}, {"idProperty", "number"}, {"properties", {{"plan", "gold"}}}};
  const Json result =
      call("POST", "/crm/v3/objects/2-4242001/batch/upsert", {{"inputs", {row}}}).json()["results"][0];
  EXPECT_EQ(result["new"], false);
  EXPECT_EQ(result["properties"]["number"],
            "S1");  // told by its key even when only another property was sent
  EXPECT_EQ(records("subscription")["count"], 2);
}

TEST_F(HubSpotPortal, SchemasAreMadeAndRemoved) {
  const Json schema = {
      {"name", "machine"},
      {"labels", {{"singular", "Machine"}, {"plural", "Machines"}}},
      {"requiredProperties", {"serial"}},
      {"primaryDisplayProperty", "serial"},
      {"properties", {{{"name", "serial"}, {"label", "Serial"}, {"type", "string"}, {"fieldType", "text"}}}}};
  const auto made = call("POST", "/crm-object-schemas/v3/schemas", schema);
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_TRUE(made.json()["objectTypeId"].get<std::string>().starts_with("2-"));
  EXPECT_EQ(call("POST", "/crm-object-schemas/v3/schemas", schema).status, 409);
  EXPECT_EQ(call("GET", "/crm-object-schemas/v3/schemas").json()["results"].size(), 2);
  EXPECT_EQ(call("POST", "/crm/v3/objects/machine", {{"properties", {{"serial", "1"}}}}).status, 201);
  EXPECT_EQ(call("DELETE", "/crm-object-schemas/v3/schemas/machine").status, 400);  // it has records
  EXPECT_EQ(call("DELETE", "/crm-object-schemas/v3/schemas/contacts").status, 400);
}

TEST_F(HubSpotPortal, ArchivedRecordsCanStillBeRead) {
  people();
  call("DELETE", "/crm/v3/objects/contacts/1");
  EXPECT_EQ(call("GET", "/crm/v3/objects/contacts/1").status, 404);
  EXPECT_EQ(call("GET", "/crm/v3/objects/contacts/1?archived=true").json()["archived"], true);
  EXPECT_EQ(call("GET", "/crm/v3/objects/contacts?archived=true").json()["results"].size(), 1);
}

TEST_F(HubSpotPortal, ArchivedRecordsLeaveTheirListsAndLinks) {
  people();
  call("PUT", "/crm/v4/objects/contacts/1/associations/default/companies/2");
  call("PUT", "/crm/v3/lists/1/memberships/add", Json({"1", "3"}));
  call("POST", "/crm/v3/objects/contacts/batch/archive", {{"inputs", {{{"id", "1"}}}}});
  const auto members = call("GET", "/crm/v3/lists/1/memberships").json();
  EXPECT_EQ(members["total"], 1);
  EXPECT_EQ(members["results"][0]["recordId"], "3");
  EXPECT_EQ(types("companies", "2", "contacts"), std::vector<int>{});
}

TEST_F(HubSpotPortal, MembershipsComeInPagesAndAreCopied) {
  Json contacts = Json::array(), ids = Json::array();
  for (int i = 1; i <= 5; ++i) {
    contacts.push_back({{"id", std::to_string(i)}});
    ids.push_back(std::to_string(i));
  }
  seed("contacts", contacts);
  call("PUT", "/crm/v3/lists/1/memberships/add", ids);
  const auto page = call("GET", "/crm/v3/lists/1/memberships?limit=3").json();
  EXPECT_EQ(page["results"].size(), 3);
  const std::string after = page["paging"]["next"]["after"];
  const auto rest = call("GET", "/crm/v3/lists/1/memberships?limit=3&after=" + after).json();
  EXPECT_EQ(rest["results"].size(), 2);
  EXPECT_FALSE(rest.contains("paging"));
  const std::string other =
      call("POST", "/crm/v3/lists", {{"name", "B"}, {"objectTypeId", "0-1"}, {"processingType", "MANUAL"}})
          .json()["list"]["listId"];
  const std::string path = "/crm/v3/lists/" + other + "/memberships";
  EXPECT_EQ(call("PUT", path + "/add-from/1").status, 204);
  EXPECT_EQ(call("GET", path).json()["total"], 5);
  EXPECT_EQ(call("DELETE", path).status, 204);
  EXPECT_EQ(call("GET", path).json()["total"], 0);
  EXPECT_EQ(call("DELETE", "/crm/v3/lists/2/memberships").status, 400);  // dynamic
}

TEST_F(HubSpotPortal, ListsAreMadeRenamedAndSearched) {
  people();
  const Json made =
      call("POST", "/crm/v3/lists", {{"name", "Best"}, {"objectTypeId", "0-1"}, {"processingType", "MANUAL"}})
          .json()["list"];
  const std::string path = "/crm/v3/lists/" + made["listId"].get<std::string>();
  EXPECT_EQ(call("PUT", path + "/memberships/add-and-remove",
                 {{"recordIdsToAdd", {"1", "3"}}, {"recordIdsToRemove", {"1"}}})
                .json()["recordIdsRemoved"],
            Json({"1"}));
  EXPECT_EQ(call("GET", path).json()["list"]["size"], 1);
  EXPECT_EQ(call("PUT", path + "/update-list-name?listName=Better").json()["updatedList"]["name"], "Better");
  EXPECT_EQ(call("POST", "/crm/v3/lists/search", {{"query", "bett"}}).json()["total"], 1);
  EXPECT_EQ(call("GET", "/crm/v3/lists/records/0-1/3/memberships").json()["results"].size(), 1);
  EXPECT_EQ(call("DELETE", path).status, 204);
  EXPECT_EQ(call("GET", path + "/memberships").status, 404);
}

TEST_F(HubSpotPortal, SearchesHaveALimitOfTheirOwn) {
  Options with = options();
  with.hubspot.search_rate = parse_rate("1/1");
  start(with);
  const auto search = [&] { return call("POST", "/crm/v3/objects/contacts/search", {{"limit", 1}}); };
  EXPECT_EQ(search().status, 200);
  const auto over = search();
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(over.header("X-HubSpot-RateLimit-Remaining"), "");
  EXPECT_EQ(call("GET", "/crm/v3/objects/contacts").status, 200);
}

TEST_F(HubSpotPortal, SearchLagsBehind) {
  people();
  clock_.advance(std::chrono::minutes{1});
  fault("search_lag", {{"ms", 2000}});
  const auto found = [&](const std::string& email) -> std::size_t {
    const Json filter = {{"propertyName", "email"}, {"operator", "EQ"}, {"value", email}};
    return call("POST", "/crm/v3/objects/contacts/search",
                {{"filterGroups", {{{"filters", Json::array({filter})}}}}})
        .json()["total"];
  };
  const auto read = [&](const std::string& email) {
    return call("POST", "/crm/v3/objects/contacts/batch/read",
                {{"idProperty", "email"}, {"inputs", {{{"id", email}}}}})
        .json()["results"]
        .size();
  };
  const std::string fresh =
      call("POST", "/crm/v3/objects/contacts", {{"properties", {{"email", "new@x.de"}}}}).json()["id"];
  call("PATCH", "/crm/v3/objects/contacts/1", {{"properties", {{"email", "b@x.de"}}}});
  clock_.advance(std::chrono::milliseconds{1900});
  EXPECT_EQ(found("new@x.de"), 0);
  EXPECT_EQ(read("new@x.de"), 1);  // reads do not lag
  EXPECT_EQ(found("a@x.de"), 1);   // as it was
  EXPECT_EQ(found("b@x.de"), 0);
  EXPECT_EQ(read("b@x.de"), 1);
  EXPECT_EQ(read("a@x.de"), 0);
  clock_.advance(std::chrono::milliseconds{100});
  EXPECT_EQ(found("new@x.de"), 1);
  EXPECT_EQ(found("b@x.de"), 1);
  EXPECT_EQ(found("a@x.de"), 0);
  call("DELETE", "/crm/v3/objects/contacts/" + fresh);
  EXPECT_EQ(found("new@x.de"), 1);
  clock_.advance(std::chrono::seconds{2});
  EXPECT_EQ(found("new@x.de"), 0);
  call("PATCH", "/crm/v3/objects/contacts/1", {{"properties", {{"email", "d@x.de"}}}});
  fault("search_lag", 0);
  EXPECT_EQ(found("d@x.de"), 1);
  fault("search_lag");
  EXPECT_EQ(desk("/faults")["hubspot.search_lag"]["ms"], 5000);
}

TEST_F(HubSpotPortal, TheDayEndsAtMidnight) {
  Options with = options();
  with.hubspot.daily_calls = 1;
  start(with);
  EXPECT_EQ(call("GET", "/crm/v3/objects/contacts").status, 200);
  EXPECT_EQ(call("GET", "/crm/v3/objects/contacts").json()["policyName"], "DAILY");
  clock_.advance(std::chrono::hours{24});
  EXPECT_EQ(call("GET", "/crm/v3/objects/contacts").status, 200);
}

TEST_F(HubSpotPortal, CallFaults) {
  const auto status = [&] { return call("GET", "/crm/v3/objects/contacts").status; };
  fault("missing_scopes", {{"times", 1}});
  EXPECT_EQ(call("GET", "/crm/v3/objects/contacts").json()["category"], "MISSING_SCOPES");
  fault("migration", {{"times", 1}});
  EXPECT_EQ(status(), 477);
  fault("locked", {{"times", 1}});
  EXPECT_EQ(status(), 423);
  EXPECT_EQ(status(), 200);
  fault("atomic_validation", {{"times", 1}});
  const Json inputs = {{{"properties", {{"email", "z@x.de"}}}, {"objectWriteTraceId", "1"}},
                       {{"properties", {{"nope", "1"}}}, {"objectWriteTraceId", "2"}}};
  EXPECT_EQ(call("POST", "/crm/v3/objects/contacts/batch/create", {{"inputs", inputs}}).status, 400);
  EXPECT_EQ(records("contacts")["count"], 0);
}

}  // namespace
}  // namespace eddy::sandbox::hubspot
