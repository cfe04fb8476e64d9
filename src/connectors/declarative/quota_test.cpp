// Daily quotas: told in headers or counted, shared by processes, over at a time of the day.
#include "connectors/declarative/quota.h"

#include <gtest/gtest.h>

#include "connectors/declarative/session.h"
#include "core/error.h"
#include "support/scratch.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

config::Node yaml(std::string_view text) {
  Diagnostics diagnostics;
  auto node = config::parse(text, "c.yml", config::no_variables(), diagnostics);
  diagnostics.throw_if_any();
  return node;
}

std::shared_ptr<const Spec> service(const std::string& quota) {
  return std::make_shared<const Spec>(parse_connector(
      R"(
name: meter
title: Meter
summary: counts
settings:
  base_url: {default: "http://127.0.0.1:1", doc: where}
  calls: {type: integer, default: 4, doc: of a day}
  share: {type: share, default: 50%, doc: of them}
objects: {list: {things: {fields: {id: {key: true}}}}}
operations:
  upsert: {request: {method: PUT, url: "/things/{row.key}"}, outcome: {rows: [{match: [{by: all}], applied_when: {status: 204}}]}}
errors: {statuses: {"420": stop}}
limits: {quota: )" +
          quota + "}\n",
      "meter.yml"));
}

class QuotaTest : public ::testing::Test {
 protected:
  std::unique_ptr<Session> process(const std::shared_ptr<const Spec>& spec,
                                   std::string_view settings = "{}") {
    return std::make_unique<Session>(*spec, Settings(*spec, yaml(settings)), clock_, cancel_,
                                     std::make_unique<http::ScriptedExchange>([this](const http::Request& r) {
                                       ++sent_;
                                       return wire_(r);
                                     }),
                                     2min, SessionFiles{.quota = scratch_ / "pace/crm.quota"});
  }
  // The message of the error; "" when the call went through.
  static std::string call(Session& session, const Spec& spec) {
    try {
      session.call(
          spec.operations.at("upsert").front().request, {},
          [](std::string_view name) { return name == "row.key" ? std::optional(json("1")) : std::nullopt; },
          [](const Reply& reply) { return reply.status == 204; }, spec.errors, true);
      return "";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), "destination.quota");
      EXPECT_FALSE(e.hint().empty());
      return e.message();
    }
  }

  testing::Scratch scratch_;
  ManualClock clock_{parse_utc("2026-11-23T17:00:00Z")};
  Cancel cancel_;
  std::function<http::Result(const http::Request&)> wire_ = [](const http::Request&) -> http::Result {
    return http::Response{204, {}, ""};
  };
  int sent_ = 0;
};

constexpr const char* counted =
    R"({count: "{calls}", stop_at: "{share}", renewed: {at: "00:00", zone: America/Chicago}})";

TEST_F(QuotaTest, CountedByAllProcessesTogether) {
  const auto spec = service(counted);
  const auto here = process(spec), there = process(spec);
  EXPECT_EQ(call(*here, *spec), "");
  EXPECT_EQ(call(*there, *spec), "");
  EXPECT_EQ(call(*here, *spec),
            "Meter: our 2 requests of the day are used; nothing is sent until 2026-11-24T06:00:00Z");
  EXPECT_NE(call(*process(spec), *spec), "");
  EXPECT_EQ(sent_, 2);
  clock_.advance(13h);
  EXPECT_EQ(call(*there, *spec), "");
  EXPECT_EQ(sent_, 3);
}

TEST_F(QuotaTest, ALargerShareIsObeyedAtOnce) {
  const auto spec = service(counted);
  const auto here = process(spec);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(call(*here, *spec), "");
  EXPECT_NE(call(*here, *spec), "");
  const auto more = process(spec, "{share: 75%}");
  EXPECT_EQ(call(*more, *spec), "");
  EXPECT_NE(call(*more, *spec), "");
}

TEST_F(QuotaTest, StoppedByTheServiceUntilTheResetForOtherProcessesToo) {
  const auto spec = service(counted);
  wire_ = [](const http::Request&) -> http::Result { return http::Response{420, {}, "used up"}; };
  EXPECT_NE(call(*process(spec), *spec).find("nothing is sent until 2026-11-24T06:00:00Z"),
            std::string::npos);
  wire_ = [](const http::Request&) -> http::Result { return http::Response{204, {}, ""}; };
  const auto other = process(spec);
  EXPECT_EQ(
      call(*other, *spec),
      "Meter: the service has said that its quota is used up; nothing is sent until 2026-11-24T06:00:00Z");
  EXPECT_EQ(sent_, 1);
  other->forget_quota();  // somebody has bought more
  EXPECT_EQ(call(*other, *spec), "");
}

TEST_F(QuotaTest, WhatTheServiceTellsOfTheWaitGoesFirst) {
  const auto spec = service(counted);
  wire_ = [](const http::Request&) -> http::Result {
    return http::Response{420, {{"Retry-After", "600"}}, "used up"};
  };
  EXPECT_NE(call(*process(spec), *spec).find("until 2026-11-23T17:10:00Z"), std::string::npos);
}

TEST_F(QuotaTest, ToldAsARatio) {
  const auto spec = service(R"({ratio: {header: Limit-Info, name: api-usage}, stop_at: "{share}"})");
  std::string line = "api-usage=7499/15000";
  wire_ = [&](const http::Request&) -> http::Result {
    return http::Response{204, {{"Limit-Info", line + "; per-app-api-usage=17/250(appName=x)"}}, ""};
  };
  const auto here = process(spec), there = process(spec);
  EXPECT_EQ(call(*here, *spec), "");
  line = "api-usage=7500/15000";
  EXPECT_EQ(call(*here, *spec), "");
  EXPECT_EQ(call(*there, *spec),
            "Meter: 7500 of 15000 requests of the day are used; nothing is sent until 2026-11-23T18:00:00Z");
  EXPECT_EQ(sent_, 2);
  clock_.advance(1h);  // nobody says when: it is asked again
  EXPECT_EQ(call(*there, *spec), "");
}

TEST_F(QuotaTest, ToldAsWhatIsLeft) {
  const auto spec = service(R"({left: {header: Daily-Remaining, of: Daily}, stop_at: "{share}"})");
  std::string left = "51";
  wire_ = [&](const http::Request&) -> http::Result {
    return http::Response{204, {{"Daily", "100"}, {"Daily-Remaining", left}}, ""};
  };
  const auto here = process(spec);
  EXPECT_EQ(call(*here, *spec), "");
  left = "50";
  EXPECT_EQ(call(*here, *spec), "");
  EXPECT_NE(call(*here, *spec), "");
  // Headers that say nothing change nothing.
  const auto other = process(service(R"({left: {header: Daily-Remaining, of: Daily}})"));
  left = "soon";
  EXPECT_EQ(call(*other, *spec), "");
}

TEST_F(QuotaTest, WordsAreChecked) {
  const auto code = [](const std::string& quota) {
    try {
      service(quota);
      return std::string();
    } catch (const Error& e) {
      return e.code();
    }
  };
  EXPECT_EQ(code(R"({count: "5", renewed: {at: "00:00", zone: Middle/Earth}})"), "connector.zone");
  EXPECT_EQ(code(R"({count: "5", renewed: {at: "25:00", zone: UTC}})"), "connector.time");
  EXPECT_EQ(code(R"({cuont: "5"})"), "config.unknown_key");
  const auto spec = service(counted);
  EXPECT_THROW(process(spec, "{calls: many}"), Error);
}

}  // namespace
}  // namespace eddy::connectors
