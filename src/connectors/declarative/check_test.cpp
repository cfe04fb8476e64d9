// What a connection's credentials allow, and what they lack.
#include "connectors/declarative/check.h"

#include <gtest/gtest.h>

#include "connectors/declarative/destination.h"
#include "core/error.h"

namespace eddy::connectors {
namespace {

std::shared_ptr<const Spec> service(const std::string& check) {
  return std::make_shared<const Spec>(parse_connector(
      R"(
name: club
title: Club
summary: members
settings: {base_url: {default: "http://127.0.0.1:1", doc: where}}
objects: {list: {members: {fields: {id: {key: true}}}}}
operations:
  upsert: {request: {method: PUT, url: "/members/{row.key}"}, outcome: {rows: [{match: [{by: all}], applied_when: {status: 204}}]}}
check: )" +
          check + "\n",
      "club.yml"));
}

constexpr const char* two_needs =
    "{request: {method: GET, url: /me}, account: [/user/email, /user/roles], needs: ["
    "{what: write members, when: {pointer: /user/roles/0, eq: agent}, otherwise: be an agent}, "
    "{what: read fields, request: {method: GET, url: /fields}, when: {status: 200}, otherwise: the scope "
    "fields.read, detail: [/error/text]}]}";

class CheckTest : public ::testing::Test {
 protected:
  DeclarativeDestination connect(const std::string& check = two_needs) {
    const auto spec = service(check);
    Diagnostics none;
    return {spec,
            std::make_shared<Session>(
                *spec, Settings(*spec, config::parse("{}", "c.yml", config::no_variables(), none)), clock_,
                cancel_, std::make_unique<http::ScriptedExchange>([this](const http::Request& request) {
                  EXPECT_EQ(request.method, "GET");
                  return request.url.ends_with("/me") ? me_ : fields_;
                }))};
  }
  static std::string code_of(const std::function<void()>& action) {
    try {
      action();
      return "";
    } catch (const Error& e) {
      EXPECT_FALSE(e.hint().empty());
      return e.code();
    }
  }

  ManualClock clock_;
  Cancel cancel_;
  http::Response me_{200, {}, R"({"user":{"email":"ann@x.io","roles":["agent","admin"]}})"};
  http::Response fields_{200, {}, "{}"};
};

TEST_F(CheckTest, SaysWhoseAccountItIs) {
  EXPECT_EQ(connect().check(), "Club at http://127.0.0.1:1 as ann@x.io, agent, admin");
}

TEST_F(CheckTest, NamesWhatIsMissing) {
  fields_ = {403, {}, R"({"error":{"text":"needs fields.read"}})"};
  auto club = connect();
  const auto permissions = club.permissions();
  ASSERT_EQ(permissions.size(), 2U);
  EXPECT_TRUE(permissions[0].granted);
  EXPECT_FALSE(permissions[1].granted);
  EXPECT_EQ(permissions[1].missing, "the scope fields.read: needs fields.read");
  EXPECT_EQ(code_of([&] { club.check(); }), "destination.permission");
}

TEST_F(CheckTest, AnotherServiceIsNoAnswer) {
  me_ = {200, {}, "<html>hello</html>"};
  auto club = connect();
  EXPECT_EQ(code_of([&] { club.check(); }), "destination.refused");
  me_ = {404, {}, R"({"user":{"roles":["agent"]}})"};
  EXPECT_EQ(code_of([&] { club.permissions(); }), "destination.refused");
}

TEST_F(CheckTest, RefusedCredentialsAreNoMissingPermission) {
  me_ = {401, {}, "who?"};
  auto club = connect();
  EXPECT_EQ(code_of([&] { club.permissions(); }), "destination.credentials");
}

TEST(Check, WordsAreChecked) {
  const auto code = [](const std::string& check) {
    try {
      service(check);
      return std::string();
    } catch (const Error& e) {
      return e.code();
    }
  };
  EXPECT_EQ(code("{needs: [{what: x, when: {status: 200}, otherwise: y}]}"), "connector.check");
  EXPECT_EQ(code("{needs: [{what: x, request: {method: GET, url: /x}, when: {status: 200}, otherwise: y}]}"),
            "");
}

}  // namespace
}  // namespace eddy::connectors
