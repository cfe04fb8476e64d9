// Groups of properties, pipelines, owners, and links by the older calls.
#include "sandbox/test_client.h"

namespace eddy::sandbox::hubspot {
namespace {

class HubSpotSurroundings : public testing::SandboxTest {
 protected:
  HubSpotSurroundings() { service_ = "hubspot"; }
  std::string authorization() override { return "Authorization: Bearer pat-sandbox-token\r\n"; }
};

TEST_F(HubSpotSurroundings, GroupsOfPropertiesAreMadeAndRenamed) {
  const std::string groups = "/crm/v3/properties/contacts/groups";
  EXPECT_EQ(call("GET", groups).json()["results"].size(), 1);
  const Json own = {{"name", "scores"}, {"label", "Scores"}};
  EXPECT_EQ(call("POST", groups, own).status, 201);
  EXPECT_EQ(call("POST", groups, own).status, 409);
  EXPECT_EQ(call("POST", groups, {{"name", "contactinformation"}, {"label", "X"}}).status, 409);
  EXPECT_EQ(call("PATCH", groups + "/scores", {{"label", "Our scores"}}).json()["label"], "Our scores");
  EXPECT_EQ(call("GET", groups + "/scores").json()["name"], "scores");
  EXPECT_EQ(call("GET", "/crm/v3/properties/companies/groups").json()["results"].size(), 1);
  EXPECT_EQ(call("DELETE", groups + "/scores").status, 204);
  EXPECT_EQ(call("GET", groups + "/scores").status, 404);
  EXPECT_EQ(call("PATCH", groups + "/scores", {{"label", "x"}}).status, 404);
}

TEST_F(HubSpotSurroundings, StagesOfAPipelineAreThoseADealMayHave) {
  const Json deals = call("GET", "/crm/v3/pipelines/deals").json()["results"];
  ASSERT_EQ(deals.size(), 1);
  const std::string stage = deals[0]["stages"][1]["id"];
  EXPECT_EQ(call("POST", "/crm/v3/objects/deals", {{"properties", {{"dealstage", stage}}}}).status, 201);
  EXPECT_EQ(call("GET", "/crm/v3/pipelines/deals/default/stages").json()["results"].size(), 4);
  EXPECT_EQ(call("GET", "/crm/v3/pipelines/deals/other").status, 404);
  EXPECT_EQ(call("GET", "/crm/v3/pipelines/contacts").json()["results"], Json::array());
  const Json owner = call("GET", "/crm/v3/owners").json()["results"][0];
  EXPECT_EQ(call("GET", "/crm/v3/owners/" + owner["id"].get<std::string>()).json(), owner);
  EXPECT_EQ(call("GET", "/crm/v3/owners/1").status, 404);
}

TEST_F(HubSpotSurroundings, LinksByTheOlderCalls) {
  seed("contacts", {{{"id", "1"}, {"email", "a@x.de"}}});
  seed("companies", {{{"id", "2"}, {"name", "Acme"}}});
  const std::string links = "/crm/v3/objects/contacts/1/associations/companies";
  const auto made = call("PUT", links + "/2/contact_to_company");
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(made.json()["associations"]["companies"]["results"][0]["id"], "2");
  EXPECT_EQ(call("GET", links).json()["results"],
            Json::array({Json{{"id", "2"}, {"type", "contact_to_company"}}}));
  EXPECT_EQ(call("GET", "/crm/v3/objects/companies/2/associations/contacts").json()["results"].size(), 1);
  EXPECT_EQ(call("PUT", links + "/77/contact_to_company").status, 404);
  EXPECT_EQ(call("DELETE", links + "/2/contact_to_company").status, 204);
  EXPECT_EQ(call("GET", links).json()["results"], Json::array());
}

TEST_F(HubSpotSurroundings, TypesOfTheServiceHaveTheirLabel) {
  seed("contacts", Json::array({Json{{"id", "1"}}}));
  seed("companies", Json::array({Json{{"id", "2"}}}));
  const Json primary =
      Json::array({Json{{"associationCategory", "HUBSPOT_DEFINED"}, {"associationTypeId", 1}}});
  EXPECT_EQ(call("PUT", "/crm/v4/objects/contacts/1/associations/companies/2", primary).status, 201);
  const Json types = call("GET", "/crm/v4/objects/contacts/1/associations/companies")
                         .json()["results"][0]["associationTypes"];
  EXPECT_EQ(types[0]["label"], "Primary");
  EXPECT_TRUE(types[1]["label"].is_null());
  const std::string labels = "/crm/v4/associations/contacts/companies/labels";
  const Json made = call("POST", labels, {{"label", "Boss"}, {"name", "boss"}}).json()["results"][0];
  const Json renamed = {{"associationTypeId", made["typeId"]}, {"label", "Chief"}};
  EXPECT_EQ(call("PUT", labels, renamed).status, 204);
  EXPECT_EQ(call("GET", labels).json()["results"].back()["label"], "Chief");
  EXPECT_EQ(call("PUT", labels, {{"associationTypeId", 279}, {"label", "x"}}).status, 400);
}

}  // namespace
}  // namespace eddy::sandbox::hubspot
