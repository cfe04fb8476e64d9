// Tokens: asked for once, waited out when they end, refresh tokens that the service replaces.
#include "connectors/declarative/login.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "connectors/declarative/session.h"
#include "core/error.h"
#include "core/files.h"
#include "core/secrets.h"
#include "support/scratch.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr std::string_view service = R"(
name: rota
title: Rota
summary: gives out a new refresh token with every use
settings:
  base_url: {default: "http://127.0.0.1:1", doc: where}
  client_id: {doc: id}
  refresh_token: {secret: true, doc: token}
auth:
  - needs: [client_id, refresh_token]
    oauth2:
      grant: refresh_token
      request: {url: /token, encoding: form, body: {grant_type: refresh_token, refresh_token: "{refresh_token}"}}
      token: /access_token
      expires_in: /expires_in
objects: {list: {things: {fields: {id: {key: true}}}}}
operations:
  upsert: {request: {method: PUT, url: "/things/{row.key}"}, outcome: {rows: [{match: [{by: all}], applied_when: {status: 204}}]}}
)";

config::Node yaml(std::string_view text) {
  Diagnostics diagnostics;
  auto node = config::parse(text, "c.yml", config::no_variables(), diagnostics);
  diagnostics.throw_if_any();
  return node;
}

std::string sent_token(const http::Request& request) {
  return request.body.substr(request.body.find("refresh_token=", 20) + 14);
}

class LoginTest : public ::testing::Test {
 protected:
  // As a process of its own: what they share is the file.
  std::unique_ptr<Session> process(const std::string& refresh_token = "first-token") {
    return std::make_unique<Session>(
        *spec_, Settings(*spec_, yaml("{client_id: app, refresh_token: " + refresh_token + "}")), clock_,
        cancel_,
        std::make_unique<http::ScriptedExchange>([this](const http::Request& r) { return wire_(r); }), 2min,
        SessionFiles{.token = file_});
  }
  http::Result rotate(const http::Request& request) {
    if (sent_token(request) != good_)
      return http::Response{400, {}, R"({"error":"invalid_grant","error_description":"used up"})"};
    good_ = "next-token-" + std::to_string(++logins_);
    return http::Response{200,
                          {},
                          json{{"access_token", "access-" + std::to_string(logins_)},
                               {"expires_in", 1800},
                               {"refresh_token", good_}}
                              .dump()};
  }
  static std::string code_of(Session& session) {
    try {
      session.base_url();
      return "";
    } catch (const Error& e) {
      return e.code();
    }
  }

  testing::Scratch scratch_;
  std::filesystem::path file_ = scratch_ / ".eddy/tokens/crm.json";
  ManualClock clock_;
  Cancel cancel_;
  std::shared_ptr<const Spec> spec_ = std::make_shared<const Spec>(parse_connector(service, "rota.yml"));
  std::function<http::Result(const http::Request&)> wire_ = [this](const http::Request& r) {
    return rotate(r);
  };
  std::string good_ = "first-token";
  int logins_ = 0;
};

TEST_F(LoginTest, AReplacedRefreshTokenIsUsedFromThenOn) {
  const auto one = process();
  EXPECT_EQ(code_of(*one), "");
  clock_.advance(1801s);
  EXPECT_EQ(code_of(*one), "");
  EXPECT_EQ(logins_, 2);
}

TEST_F(LoginTest, AndByTheNextProcess) {
  EXPECT_EQ(code_of(*process()), "");
  EXPECT_EQ(code_of(*process()), "");
  EXPECT_EQ(logins_, 2);
}

TEST_F(LoginTest, AProcessThatWasOvertakenReadsTheNewest) {
  const auto slow = process();
  EXPECT_EQ(code_of(*slow), "");
  EXPECT_EQ(code_of(*process()), "");
  clock_.advance(1801s);
  EXPECT_EQ(code_of(*slow), "");
  EXPECT_EQ(logins_, 3);
}

TEST_F(LoginTest, OnlyTheOwnerReadsIt) {
  EXPECT_EQ(code_of(*process()), "");
  struct stat file {
  }, folder{};
  ASSERT_EQ(::stat(file_.c_str(), &file), 0);
  ASSERT_EQ(::stat(file_.parent_path().c_str(), &folder), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
  EXPECT_EQ(folder.st_mode & 0777, 0700U);
  const std::string text = read_file(file_);
  EXPECT_NE(text.find(good_), std::string::npos);
  EXPECT_EQ(text.find("first-token"), std::string::npos);
  EXPECT_EQ(redact("it is " + good_), "it is ***");
}

TEST_F(LoginTest, NewCredentialsGoBeforeIt) {
  EXPECT_EQ(code_of(*process()), "");
  good_ = "of-a-new-grant";
  EXPECT_EQ(code_of(*process("of-a-new-grant")), "");
  EXPECT_EQ(code_of(*process("of-a-new-grant")), "");
  EXPECT_EQ(code_of(*process()), "destination.credentials");
}

TEST_F(LoginTest, ADamagedFileIsNone) {
  scratch_.write(".eddy/tokens/crm.json", "{\"of\":");
  EXPECT_EQ(code_of(*process()), "");
}

TEST_F(LoginTest, ATokenThatCannotBeKeptIsSaidOnce) {
  scratch_.write(".eddy", "not a folder");
  const auto one = process();
  EXPECT_EQ(code_of(*one), "");
  EXPECT_NE(one->take_note().find("cannot be kept"), std::string::npos);
  EXPECT_EQ(one->take_note(), "");
  clock_.advance(1801s);
  EXPECT_EQ(code_of(*one), "");  // this process goes on
}

TEST_F(LoginTest, ARefusedTokenHandedOutAgainIsWaitedOut) {
  int asked = 0;
  wire_ = [&](const http::Request& request) -> http::Result {
    if (!request.url.ends_with("/token"))
      return http::Response{request.headers.get("Authorization") == "Bearer old" ? 401 : 204, {}, ""};
    ++asked;
    // Asked early: the same token with the rest of its life.
    const json old{{"access_token", "old"}, {"expires_in", asked < 3 ? 3 - asked : 0}};
    const json fresh{{"access_token", "fresh"}, {"expires_in", 3600}};
    return http::Response{200, {}, (asked < 4 ? old : fresh).dump()};
  };
  const auto one = process();
  const auto start = clock_.monotonic();
  const Called called = one->call(
      spec_->operations.at("upsert").front().request, {},
      [](std::string_view name) { return name == "row.key" ? std::optional(json("1")) : std::nullopt; },
      [](const Reply& reply) { return reply.status == 204; }, spec_->errors, true);
  EXPECT_EQ(called.kind, Called::Kind::answered);
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(clock_.monotonic() - start, 2s);  // a second for the rest of its life, another one for zero
}

TEST_F(LoginTest, ATokenWithoutLifeForEverIsNoTokenNow) {
  wire_ = [&](const http::Request&) -> http::Result {
    return http::Response{200, {}, R"({"access_token":"dead","expires_in":0})"};
  };
  EXPECT_EQ(code_of(*process()), "destination.unreachable");
}

TEST_F(LoginTest, ManyWorkersOneRefresh) {
  const auto one = process();
  std::atomic<int> failures{0};
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < 8; ++w)
      workers.emplace_back([&] {
        if (!code_of(*one).empty()) ++failures;
      });
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(logins_, 1);
}

}  // namespace
}  // namespace eddy::connectors
