// Which of several ways rows go: by their number, by what is left of the day's quota, by what the connection
// asks; and which fields may be keys.
#include "connectors/declarative/choice.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;

constexpr std::string_view service = R"(
name: depot
title: Depot
summary: takes rows one by one, a hundred at a time, or as a file
settings:
  base_url: {default: "http://127.0.0.1:1", doc: where}
  write_by: {default: auto, doc: "auto, calls or file"}
  share: {type: share, default: 90%, doc: ours}
objects:
  list: {parts: {}, other: {}}
  discover: {request: {method: GET, url: "/{object}/fields"}, items: /fields, name: /name, key_when: {pointer: /unique, eq: true}, missing_when: {status: 404}}
operations:
  upsert:
    - known_keys: true
      way: file
      when: {min_rows: "2000"}
      request: {url: /jobs, body: {all: {each: "{row.all}"}}}
      batch: {max_rows: 50000}
      async_job: {id: /id, poll: {request: {method: GET, url: "/jobs/{job.id}"}, state: /state, states: {done: done}}, results: [{rows: [{match: [{by: position}]}]}]}
    - known_keys: true
      way: calls
      request: {url: /parts, body: {all: {each: "{row.all}"}}}
      batch: {max_rows: 100}
      outcome: {rows: [{match: [{by: position}]}]}
limits: {quota: {ratio: {header: Usage, name: day}, stop_at: "{share}"}}
)";

class ChoiceTest : public ::testing::Test {
 protected:
  Session& connect(const std::string& settings = "{}") {
    Diagnostics none;
    session_ = std::make_unique<Session>(
        *spec_, Settings(*spec_, config::parse(settings, "c.yml", config::no_variables(), none)), clock_,
        cancel_, std::make_unique<http::ScriptedExchange>([this](const http::Request&) -> http::Result {
          ++asked_;
          http::Response reply{
              missing_ ? 404 : 200, {}, R"({"fields":[{"name":"no","unique":true},{"name":"tint"}]})"};
          if (!usage_.empty()) reply.headers.add("Usage", "day=" + usage_);
          return reply;
        }));
    return *session_;
  }
  std::string way(Session& session, std::uint64_t rows, const std::string& key = "no") {
    Asked asked{"parts", {key}, rows};
    return choose_operation(*spec_, session, "upsert", asked).way;
  }

  ManualClock clock_;
  Cancel cancel_;
  std::shared_ptr<const Spec> spec_ = std::make_shared<const Spec>(parse_connector(service, "depot.yml"));
  std::unique_ptr<Session> session_;
  std::string usage_;
  bool missing_ = false;
  int asked_ = 0;
};

TEST_F(ChoiceTest, ManyRowsGoAsAFile) {
  Session& session = connect();
  EXPECT_EQ(way(session, 1'999), "calls");
  EXPECT_EQ(way(session, 2'000), "file");
  EXPECT_EQ(way(session, 0), "calls");  // nobody knows how many
}

TEST_F(ChoiceTest, WhatIsLeftOfTheQuotaTipsIt) {
  usage_ = "885/1000";  // of our 900 there are 15 left, for 1,500 rows
  Session& session = connect();
  EXPECT_EQ(way(session, 1'500), "calls");
  EXPECT_EQ(way(session, 1'501), "file");
  usage_ = "899/1000";
  EXPECT_EQ(way(session, 100), "calls");
  EXPECT_EQ(way(session, 101), "file");
}

TEST_F(ChoiceTest, OurShareCountsNotTheWholeQuota) {
  usage_ = "885/1000";
  EXPECT_EQ(way(connect("{share: 100%}"), 1'999), "calls");
  EXPECT_EQ(way(connect("{share: 89%}"), 501), "file");
}

TEST_F(ChoiceTest, WithoutAWordAboutTheQuotaRowsCount) { EXPECT_EQ(way(connect(), 1'999), "calls"); }

TEST_F(ChoiceTest, WhatTheConnectionAsksGoesBeforeIt) {
  usage_ = "899/1000";
  EXPECT_EQ(way(connect("{write_by: calls}"), 1'999), "calls");
  EXPECT_EQ(way(connect("{write_by: file}"), 1), "file");
}

TEST_F(ChoiceTest, AFieldThatIsNoKeyIsRefusedAndTheKeysAreNamed) {
  try {
    way(connect(), 1, "tint");
    FAIL() << "chosen";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "destination.unsupported");
    EXPECT_NE(e.message().find("parts by tint"), std::string::npos) << e.message();
    EXPECT_EQ(e.hint(), "fields that identify one: no");
  }
  EXPECT_EQ(asked_, 1);
}

TEST_F(ChoiceTest, AnObjectThatIsNotThereIsSaidSo) {
  missing_ = true;
  try {
    way(connect(), 1);
    FAIL() << "chosen";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "destination.no_such_object");
  }
}

}  // namespace
}  // namespace eddy::connectors
