// Words for days in SOQL; who a session belongs to; reading many rows by a body.
#include "sandbox/salesforce/date_literal.h"
#include "sandbox/test_client.h"

namespace eddy::sandbox::salesforce {
namespace {

std::string span(std::string_view word, const char* now = "2026-11-23T10:53:42Z") {
  const auto range = date_literal(word, parse_utc(now));
  return range ? format_utc(range->from).substr(0, 10) + " " + format_utc(range->to).substr(0, 10) : "";
}

TEST(DateLiterals, AreSpansOfDays) {
  EXPECT_EQ(span("TODAY"), "2026-11-23 2026-11-24");
  EXPECT_EQ(span("yesterday"), "2026-11-22 2026-11-23");
  EXPECT_EQ(span("LAST_N_DAYS:7"), "2026-11-16 2026-11-24");
  EXPECT_EQ(span("NEXT_N_DAYS:2"), "2026-11-24 2026-11-26");
  EXPECT_EQ(span("THIS_WEEK"), "2026-11-22 2026-11-29");  // a Sunday first
  EXPECT_EQ(span("LAST_MONTH"), "2026-10-01 2026-11-01");
  EXPECT_EQ(span("THIS_QUARTER"), "2026-10-01 2027-01-01");
  EXPECT_EQ(span("LAST_YEAR"), "2025-01-01 2026-01-01");
  EXPECT_EQ(span("NEXT_MONTH", "2026-12-31T23:59:59Z"), "2027-01-01 2027-02-01");
  EXPECT_EQ(span("LAST_N_DAYS:many"), "");
  EXPECT_EQ(span("SOMEDAY"), "");
}

class SalesforceWords : public testing::SandboxTest {
 protected:
  SalesforceWords() { service_ = "salesforce"; }
  std::string authorization() override {
    if (session_.empty()) {
      answer_ = testing::send(sandbox().port(service_), "POST", "/services/oauth2/token",
                              "Content-Type: application/x-www-form-urlencoded\r\n",
                              "grant_type=client_credentials&client_id=sandbox-client&client_secret="
                              "sandbox-secret")
                    .json();
      session_ = answer_["access_token"];
    }
    return "Authorization: Bearer " + session_ + "\r\n";
  }
  std::string session_;
  Json answer_;
};

TEST_F(SalesforceWords, DaysSelectRows) {
  seed("Contact", Json::array({Json{{"LastName", "Old"}}}));
  clock_.advance(std::chrono::hours{48});
  seed("Contact", Json::array({Json{{"LastName", "New"}}}));
  const auto count = [&](const std::string& where) -> std::size_t {
    return call("GET", "/services/data/v62.0/query?q=SELECT+COUNT()+FROM+Contact+WHERE+CreatedDate+" + where)
        .json()["totalSize"];
  };
  EXPECT_EQ(count("=+TODAY"), 1);
  EXPECT_EQ(count("!=+TODAY"), 1);
  EXPECT_EQ(count("%3C+TODAY"), 1);
  EXPECT_EQ(count("%3E=+LAST_N_DAYS:3"), 2);
  EXPECT_EQ(count("%3E+TODAY"), 0);
  EXPECT_EQ(count("%3C=+YESTERDAY"), 1);
}

TEST_F(SalesforceWords, ASessionHasAUserUntilItIsRevoked) {
  const Json who = call("GET", "/services/oauth2/userinfo").json();
  EXPECT_EQ(who["preferred_username"], "integration@example.com");
  const std::string id = answer_["id"];
  EXPECT_EQ(call("GET", id.substr(id.find("/id/"))).json()["user_id"], who["user_id"]);
  EXPECT_EQ(
      raw("POST", "/services/oauth2/revoke", "token=" + session_, "application/x-www-form-urlencoded").status,
      200);
  EXPECT_EQ(call("GET", "/services/oauth2/userinfo").status, 401);
}

TEST_F(SalesforceWords, ManyRowsAreReadByABody) {
  seed("Contact", {{{"LastName", "A"}}, {{"LastName", "B"}}});
  const Json rows = records("Contact")["records"];
  const std::string path = "/services/data/v62.0/composite/sobjects/Contact";
  Json wanted = {{"ids", {rows[1]["_id"], rows[0]["_id"], "003000000000000"}},
                 {"fields", Json::array({"LastName"})}};
  const auto read = call("POST", path, wanted);
  EXPECT_EQ(read.status, 200) << read.body;
  EXPECT_EQ(read.json()[0]["LastName"], "B");
  EXPECT_TRUE(read.json()[2].is_null());
  wanted["fields"] = Json::array({"Nope"});
  EXPECT_EQ(call("POST", path, wanted).status, 400);
}

}  // namespace
}  // namespace eddy::sandbox::salesforce
