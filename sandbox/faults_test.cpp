// The faults every service has, and that each one of all has a test.
#include "sandbox/faults.h"

#include "core/error.h"
#include "core/files.h"
#include "sandbox/test_client.h"

namespace eddy::sandbox {
namespace {

struct Write {
  std::string service, method, target, object;
  Json body;
};

// One write on each service, with what it leaves behind.
std::vector<Write> writes() {
  return {{"salesforce",
           "PATCH",
           "/services/data/v60.0/sobjects/Contact/External_Id__c/1",
           "Contact",
           {{"LastName", "A"}}},
          {"hubspot",
           "POST",
           "/crm/v3/objects/contacts/batch/upsert",
           "contacts",
           {{"inputs", {{{"id", "a@x.de"}, {"idProperty", "email"}, {"properties", Json::object()}}}}}},
          {"marketo", "POST", "/rest/v1/leads.json", "leads", {{"input", {{{"email", "a@x.de"}}}}}},
          {"zendesk",
           "POST",
           "/api/v2/users/create_or_update",
           "users",
           {{"user", {{"name", "A"}, {"external_id", "1"}}}}}};
}

class EveryService : public testing::SandboxTest, public ::testing::WithParamInterface<Write> {
 protected:
  EveryService() { service_ = GetParam().service; }
  std::string authorization() override {
    if (!authorization_.empty()) return authorization_;
    const std::uint16_t port = sandbox().port(service_);
    std::string value = "Basic " + base64("agent@example.com/token:sandbox-api-token");
    if (service_ == "hubspot") value = "Bearer pat-sandbox-token";
    if (service_ == "salesforce" || service_ == "marketo")
      value = "Bearer " +
              testing::send(
                  port, "POST", service_ == "marketo" ? "/identity/oauth/token" : "/services/oauth2/token",
                  "Content-Type: application/x-www-form-urlencoded\r\n",
                  "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret")
                  .json()["access_token"]
                  .get<std::string>();
    return authorization_ = "Authorization: " + value + "\r\n" + extra_;
  }
  testing::Answer write() { return call(GetParam().method, GetParam().target, GetParam().body); }
  std::size_t count() { return records(GetParam().object)["count"]; }
  std::string authorization_, extra_;
};

TEST_P(EveryService, AppliesAWriteAndLosesTheAnswer) {
  fault("drop_after_apply", {{"times", 1}});
  EXPECT_EQ(write().status, 0);
  EXPECT_EQ(count(), 1);
  EXPECT_EQ(last_request()["applied"], true);
  EXPECT_EQ(last_request()["status"], 0);
}

TEST_P(EveryService, AnswersThatAreNotWhatTheySay) {
  fault("wrong_charset", {{"times", 1}});
  const auto utf16 = write();
  EXPECT_TRUE(Json::parse(utf16.body, nullptr, false).is_discarded());
  EXPECT_EQ(utf16.body.substr(0, 3), "\xFF\xFE{");
  EXPECT_EQ(count(), 1);
  fault("huge_body", {{"times", 1}});
  const auto huge = write();
  EXPECT_GT(huge.body.size(), std::size_t{32} << 20);
  EXPECT_TRUE(huge.json().is_object());
}

TEST_P(EveryService, SomethingInBetweenAnswersWithHtml) {
  fault("html_502", {{"times", 1}});
  const auto answer = write();
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(answer.header("Content-Type"), "text/html");
  EXPECT_EQ(count(), 0);
}

TEST_P(EveryService, ARequestMayAskForItsOwnFault) {
  extra_ = "X-Sandbox-Fault: http_503\r\n";
  EXPECT_EQ(write().status, 503);
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(last_request()["fault"], "http_503");
}

TEST_P(EveryService, TokensEndInTheMiddleOfARun) {
  EXPECT_LT(write().status, 300);
  fault("expire_token", {{"times", 1}});
  const auto refused = write();
  EXPECT_EQ(refused.status, service_ == "marketo" ? 200 : 401);
  if (service_ == "marketo") {
    EXPECT_EQ(refused.json()["errors"][0]["code"], "602");
  }
  authorization_.clear();
  EXPECT_LT(write().status, 300);
}

INSTANTIATE_TEST_SUITE_P(Faults, EveryService, ::testing::ValuesIn(writes()),
                         [](const auto& one) { return one.param.service; });

TEST(Faults, AWholeNumberSaysHowOften) {
  Faults faults(1);
  faults.declare("x", {});
  faults.set_from_text("x.http_500=2");
  EXPECT_TRUE(faults.hit("x.http_500"));
  EXPECT_TRUE(faults.hit("x.http_500"));
  EXPECT_FALSE(faults.hit("x.http_500"));
}

TEST(Faults, ADurationFollowsAnAt) {
  Faults faults(1);
  faults.declare("x", {{"lag", "comes late", 0, std::chrono::seconds{5}}});
  faults.set_from_text("x.lag");
  EXPECT_EQ(faults.duration("x.lag"), std::chrono::seconds{5});
  faults.set_from_text("x.lag=1x2@250ms");
  EXPECT_EQ(faults.duration("x.lag"), std::chrono::milliseconds{250});
  EXPECT_EQ(faults.to_json()["x.lag"], nlohmann::json({{"rate", 1}, {"times", 2}, {"ms", 250}, {"hits", 0}}));
  EXPECT_THROW(faults.set_from_text("x.http_500@1s"), Error);
  EXPECT_THROW(faults.set_from_json({{"x.lag", {{"ms", -1}}}}), Error);
  EXPECT_THROW(faults.set_from_json({{"x.http_500", {{"ms", 1}}}}), Error);
  faults.reset();
  EXPECT_FALSE(faults.on("x.lag"));
}

TEST(Faults, EveryFaultIsTested) {
  std::string tests;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(EDDY_SOURCE_DIR "/sandbox"))
    if (entry.path().string().ends_with("_test.cpp")) tests += read_file(entry.path());
  for (const auto* kinds : {&generic_faults(), &salesforce::own_faults(), &hubspot::own_faults(),
                            &marketo::own_faults(), &zendesk::own_faults()})
    for (const FaultKind& kind : *kinds)
      EXPECT_NE(tests.find("fault(\"" + std::string{kind.name} + "\""), std::string::npos) << kind.name;
}

}  // namespace
}  // namespace eddy::sandbox
