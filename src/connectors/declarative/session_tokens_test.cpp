// Tokens that a service refuses before their time: how often a new one is asked for, by whom, and when it is
// the credentials that are refused.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "connectors/declarative/session.h"
#include "core/error.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr std::string_view service = R"(
name: club
title: Club
summary: gives out tokens
settings:
  base_url: {default: "http://127.0.0.1:1", doc: where}
  client_id: {doc: id}
auth:
  - needs: [client_id]
    oauth2: {grant: client_credentials, request: {url: /token}, token: /access_token}
objects: {list: {things: {fields: {id: {key: true}}}}}
operations:
  upsert: {request: {method: PUT, url: "/things/{row.key}"}, outcome: {rows: [{match: [{by: all}], applied_when: {status: 204}}]}}
limits: {concurrency: 8}
)";

class SessionTokens : public ::testing::Test {
 protected:
  SessionTokens() {
    Diagnostics none;
    session_ = std::make_unique<Session>(
        *spec_, Settings(*spec_, config::parse("{client_id: app}", "c.yml", config::no_variables(), none)),
        clock_, cancel_,
        std::make_unique<http::ScriptedExchange>([this](const http::Request& r) { return answer(r); }));
  }
  // "": the request was answered; otherwise the code of what was thrown.
  std::string call(const std::string& thing = "1") {
    try {
      const Called called = session_->call(
          spec_->operations.at("upsert").front().request, {},
          [&](std::string_view name) {
            return name == "row.key" ? std::optional(json(thing)) : std::nullopt;
          },
          [](const Reply& reply) { return reply.status == 204; }, spec_->errors, true);
      return called.kind == Called::Kind::answered ? "" : called.refusal.code;
    } catch (const Error& e) {
      return e.code();
    }
  }
  http::Result answer(const http::Request& request) {
    if (request.url.ends_with("/token")) {
      const int number = ++logins_;
      const std::lock_guard lock(mutex_);
      good_ = "Bearer token-" + std::to_string(number);
      return http::Response{200, {}, json{{"access_token", "token-" + std::to_string(number)}}.dump()};
    }
    if (before_) before_(request);
    const std::lock_guard lock(mutex_);
    return http::Response{request.headers.get("Authorization") == good_ ? 204 : 401, {}, ""};
  }
  void end_tokens() {
    const std::lock_guard lock(mutex_);
    good_.clear();
  }

  ManualClock clock_;
  Cancel cancel_;
  std::shared_ptr<const Spec> spec_ = std::make_shared<const Spec>(parse_connector(service, "club.yml"));
  std::unique_ptr<Session> session_;
  std::function<void(const http::Request&)> before_;  // a request is looked at
  std::atomic<int> logins_{0};
  std::mutex mutex_;  // guards what follows
  std::string good_;  // the header with the only good token
};

TEST_F(SessionTokens, SomeNewOnesInARowMayBeRefused) {
  int ends = 4;
  before_ = [&](const http::Request&) {
    if (ends-- > 0) end_tokens();
  };
  const auto start = clock_.monotonic();
  EXPECT_EQ(call(), "");
  EXPECT_EQ(logins_, 5);
  EXPECT_EQ(clock_.monotonic() - start, 3500ms);  // at once, then after 0.5, 1 and 2 seconds
}

TEST_F(SessionTokens, TooManyInARowMeanThatTheCredentialsAreRefused) {
  before_ = [&](const http::Request&) { end_tokens(); };
  EXPECT_EQ(call(), "destination.credentials");
  EXPECT_EQ(logins_, 5);
}

TEST_F(SessionTokens, OneThatWasTakenStartsTheCountAnew) {
  for (int round = 0; round < 10; ++round) {
    int ends = 3;
    before_ = [&](const http::Request&) {
      if (ends-- > 0) end_tokens();
    };
    EXPECT_EQ(call(), "") << round;
  }
}

TEST_F(SessionTokens, WhatAnotherWorkerHasRenewedIsNoRefusal) {
  bool inside = false;
  int overtaken = 20;
  before_ = [&](const http::Request&) {
    if (inside || overtaken-- <= 0) return;
    inside = true;  // while our request is on its way, the tokens end and another worker gets a new one
    end_tokens();
    EXPECT_EQ(call("2"), "");
    inside = false;
  };
  EXPECT_EQ(call(), "");
  EXPECT_EQ(logins_, 21);
}

TEST_F(SessionTokens, ARequestThatIsAlwaysRefusedStopsThoughOthersAreNot) {
  int rounds = 0;
  // Another worker's requests are taken with every new token.
  bool inside = false;
  before_ = [&](const http::Request& request) {
    if (request.url.ends_with("/secret") && !inside) {
      inside = true;
      EXPECT_EQ(call("2"), "");
      inside = false;
      ++rounds;
      end_tokens();
    }
  };
  EXPECT_EQ(call("secret"), "destination.credentials");
  EXPECT_EQ(rounds, 5);
}

TEST_F(SessionTokens, ManyWorkersLiveWithTokensThatEndEarly) {
  std::atomic<int> sent{0}, failures{0};
  before_ = [&](const http::Request&) {
    if (++sent % 20 == 0) end_tokens();
  };
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < 8; ++w)
      workers.emplace_back([&] {
        for (int i = 0; i < 40; ++i)
          if (!call().empty()) ++failures;
      });
  }
  EXPECT_EQ(failures, 0);
  EXPECT_GE(logins_, 320 / 20);
}

}  // namespace
}  // namespace eddy::connectors
