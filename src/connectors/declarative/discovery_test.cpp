#include "connectors/declarative/discovery.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;

struct AService {
  explicit AService(int code, json answer)
      : spec(parse_connector(R"yml(
name: desk
title: Desk
summary: people
settings: {base_url: {default: "http://127.0.0.1:9000"}}
objects:
  list:
    people: {fields: {code: {key: true}}}
    "{of}_in_list_{list}": {fixed: true, open_fields: true, fields: {id: {key: true}}}
  open: true
  names: {request: {method: GET, url: /objects}, items: /objects, name: /name}
  discover: {request: {method: GET, url: "/fields/{object}"}, items: /fields, name: /name}
operations: {upsert: {request: {url: /p}, outcome: {rows: [{match: [{by: all}]}]}}}
)yml",
                             "connector.yml")),
        session(spec, Settings(spec, config::Node()), clock, cancel,
                std::make_unique<http::ScriptedExchange>(
                    [this, code, text = answer.dump()](const http::Request&) -> http::Result {
                      ++requests;
                      return http::Response{code, {}, text};
                    })) {}
  Spec spec;
  ManualClock clock;
  Cancel cancel;
  int requests = 0;
  Session session;
};

using Names = std::vector<std::string>;

TEST(Discovery, NamesAreTheConnectorsAndTheServices) {
  AService desk(200, json::parse(R"({"objects": [{"name": "people"}, {"name": "cars"}, {}]})"));
  EXPECT_EQ(discover_objects(desk.spec, desk.session), (Names{"people", "cars"}));
}

TEST(Discovery, WhoMayNotListObjectsMayStillWriteTheKnownOnes) {
  AService desk(403, json::object());
  EXPECT_EQ(discover_objects(desk.spec, desk.session), Names{"people"});
}

TEST(Discovery, CredentialsThatAreRefusedAreAnErrorAllTheSame) {
  AService desk(401, json::object());
  EXPECT_THROW(discover_objects(desk.spec, desk.session), Error);
}

TEST(Discovery, AFixedObjectIsNotAskedFor) {
  AService desk(200, json::parse(R"({"fields": [{"name": "other"}]})"));
  const auto members = discover(desk.spec, desk.session, "people_in_list_4");
  ASSERT_TRUE(members);
  EXPECT_EQ(desk.requests, 0);
  EXPECT_TRUE(members->open);
  ASSERT_EQ(members->fields.size(), 1U);
  EXPECT_EQ(members->fields[0].name, "id");
  const auto people = discover(desk.spec, desk.session, "people");
  ASSERT_TRUE(people);
  EXPECT_FALSE(people->open);
  EXPECT_EQ(people->fields.size(), 2U);
}

}  // namespace
}  // namespace eddy::connectors
