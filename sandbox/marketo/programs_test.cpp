// Members of programs: by calls of up to 300 rows, and by import.
#include "sandbox/test_client.h"

namespace eddy::sandbox::marketo {
namespace {

class MarketoPrograms : public testing::SandboxTest {
 protected:
  MarketoPrograms() { service_ = "marketo"; }
  std::string authorization() override {
    if (token_.empty())
      token_ = testing::send(sandbox().port(service_), "GET",
                             "/identity/oauth/token?grant_type=client_credentials&client_id=sandbox-client&"
                             "client_secret=sandbox-secret")
                   .json()["access_token"];
    return "Authorization: Bearer " + token_ + "\r\n";
  }
  Json post(const std::string& path, const Json& body) {
    return call("POST", "/rest/v1/programs/2001/members" + path + ".json", body).json();
  }
  void leads() { seed("leads", {{{"id", "1"}, {"email", "a@x.de"}}, {{"id", "2"}, {"email", "b@x.de"}}}); }
  std::string token_;
};

TEST_F(MarketoPrograms, MembersHaveAStatus) {
  leads();
  const Json input = {{{"leadId", 1}}, {{"leadId", 2}}, {{"leadId", 99}}};
  const Json first = post("/status", {{"statusName", "Invited"}, {"input", input}})["result"];
  EXPECT_EQ(first[0], Json({{"seq", 0}, {"leadId", 1}, {"status", "created"}}));
  EXPECT_EQ(first[2]["reasons"][0]["code"], "1004");
  const Json again = post("/status", {{"statusName", "Attended"}, {"input", {{{"leadId", 2}}}}})["result"];
  EXPECT_EQ(again[0]["status"], "updated");
  EXPECT_EQ(post("/status", {{"statusName", "Asleep"}, {"input", input}})["errors"][0]["code"], "1003");
  const Json found =
      call(
          "GET",
          "/rest/v1/programs/2001/members.json?filterType=statusName&filterValues=Attended&fields=statusName")
          .json()["result"];
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0]["leadId"], 2);
  EXPECT_EQ(found[0]["reachedSuccess"], true);
  EXPECT_EQ(found[0]["statusName"], "Attended");
  EXPECT_EQ(call("GET", "/rest/v1/programs/77/members.json?filterType=leadId&filterValues=1")
                .json()["errors"][0]["code"],
            "1013");
  EXPECT_EQ(call("GET", "/rest/v1/programs/2001/members.json").json()["success"], false);
}

TEST_F(MarketoPrograms, OnlyMembersHaveData) {
  leads();
  post("/status", {{"statusName", "Invited"}, {"input", {{{"leadId", 1}}}}});
  const Json rows = {{{"leadId", 1}, {"pMCFPlan", "gold"}, {"pMCFSeats", "4"}},
                     {{"leadId", 2}, {"pMCFPlan", "gold"}},
                     {{"leadId", 1}, {"pMCFSeats", "many"}},
                     {{"leadId", 1}, {"statusName", "Attended"}}};
  const Json done = post("", {{"input", rows}})["result"];
  EXPECT_EQ(done[0]["status"], "updated");
  EXPECT_EQ(done[1]["reasons"][0]["code"], "1013");
  EXPECT_EQ(done[2]["reasons"][0]["code"], "1001");
  EXPECT_EQ(done[3]["reasons"][0]["code"], "1006");
  EXPECT_EQ(records("program_members")["records"][0]["pMCFSeats"], 4);
  const Json gone = post("/delete", {{"input", {{{"leadId", 1}}, {{"leadId", 2}}}}})["result"];
  EXPECT_EQ(gone[0]["status"], "deleted");
  EXPECT_EQ(gone[1]["status"], "skipped");
  EXPECT_EQ(records("program_members")["count"], 0);
  EXPECT_EQ(last_request()["deleted"], 1);
}

TEST_F(MarketoPrograms, MembersAreImported) {
  leads();
  const std::string file = "email,firstName,pMCFSeats\na@x.de,Ann,3\nnew@x.de,New,1\nb@x.de,Bo,many\n";
  const auto import = [&](const std::string& status) {
    return raw("POST", "/bulk/v1/program/2001/members/import.json?format=csv&programMemberStatus=" + status,
               "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\n\r\n" + file +
                   "\r\n--b0--\r\n",
               "multipart/form-data; boundary=\"b0\"")
        .json();
  };
  EXPECT_EQ(import("Asleep")["success"], false);
  const std::string path =
      "/bulk/v1/program/members/import/" + import("Registered")["result"][0]["batchId"].dump();
  call("GET", path + "/status.json");
  const Json status = call("GET", path + "/status.json").json()["result"][0];
  EXPECT_EQ(status["status"], "Complete");
  EXPECT_EQ(status["numOfLeadsProcessed"], 2);
  EXPECT_EQ(status["numOfRowsFailed"], 1);
  EXPECT_TRUE(call("GET", path + "/failures.json").body.find("b@x.de,Bo,many") != std::string::npos);
  EXPECT_EQ(records("leads")["count"], 3);
  EXPECT_EQ(records("program_members", "?key=statusName:Registered")["count"], 2);
  EXPECT_EQ(
      call("GET", "/rest/v1/leads/programs/2001.json").json()["result"][0]["membership"]["progressionStatus"],
      "Registered");
}

}  // namespace
}  // namespace eddy::sandbox::marketo
