#include "connectors/declarative/options.h"

#include <gtest/gtest.h>

#include "connectors/declarative/spec.h"
#include "core/error.h"

namespace eddy::connectors {
namespace {

using config::Node;
using nlohmann::json;

const std::string head = R"(
name: club
title: Club
summary: members
settings: {base_url: {default: "http://127.0.0.1:9000"}, hall: {}}
objects: {list: {members: {}, "guests_{of}": {}}}
options:
  hall: {doc: where, default: "{hall}"}
  mail: {doc: write to new members, type: boolean, default: "false", objects: [members]}
  seats: {doc: at a table, type: integer}
  greeting: {doc: how, values: [kind, short], objects: ["guests_{of}"]}
)";
const std::string operations = R"(
operations:
  upsert:
    request: {url: /members, query: {hall: "{options.hall}"}, body: {mail: "{options.mail}", rows: {each: "{row.all}"}}}
    outcome: {rows: [{match: [{by: all}]}]}
)";

Node yaml(const std::string& text) {
  Diagnostics diagnostics;
  Node node = config::parse(text, "sync.yml", config::no_variables(), diagnostics);
  diagnostics.throw_if_any();
  return node;
}

Options options(const std::string& object, const std::string& given, const std::string& hall = "") {
  const Spec spec = parse_connector(head + operations, "connector.yml");
  const Lookup settings = [&](std::string_view name) -> std::optional<json> {
    return name == "hall" && !hall.empty() ? std::optional(json(hall)) : std::nullopt;
  };
  return Options(spec, settings, object, yaml(given));
}

TEST(Options, ASyncsValueGoesBeforeTheConnectionsAndThatBeforeNone) {
  EXPECT_EQ(options("members", "hall: north", "south").get("options.hall"), json("north"));
  EXPECT_EQ(options("members", "", "south").get("options.hall"), json("south"));
  EXPECT_EQ(options("members", "").get("options.hall"), std::nullopt);
  EXPECT_EQ(Options().get("options.hall"), std::nullopt);
}

TEST(Options, ValuesKeepTheirTypes) {
  const Options some = options("members", "{mail: true, seats: 7}");
  EXPECT_EQ(some.get("options.mail"), json(true));
  EXPECT_EQ(some.get("options.seats"), json(7));
  EXPECT_EQ(options("members", "").get("options.mail"), json(false));
}

TEST(Options, AnOptionOfOtherObjectsHasNoValueAndIsRefusedAtItsPlace) {
  EXPECT_EQ(options("guests_ann", "").get("options.mail"), std::nullopt);
  EXPECT_EQ(options("guests_ann", "greeting: kind").get("options.greeting"), json("kind"));
  const Spec spec = parse_connector(head + operations, "connector.yml");
  check_options(spec, "guests_ann", yaml("greeting: kind"));
  try {
    check_options(spec, "members", yaml("hall: north\ngreeting: kind"));
    FAIL() << "an option of other objects is accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "destination.options");

    EXPECT_EQ(e.diagnostics().front().position.line, 2);
  }
}

TEST(Options, UnknownNamesAndValuesAreErrorsOfTheSync) {
  const Spec spec = parse_connector(head + operations, "connector.yml");
  const auto complaints = [&](const std::string& given) {
    Diagnostics diagnostics;
    options_shape(spec).check(yaml(given), diagnostics);
    return diagnostics.list().size();
  };
  EXPECT_EQ(complaints("{hall: north, mail: false, seats: 3, greeting: short}"), 0U);
  EXPECT_EQ(complaints("{hal: north}"), 1U);
  EXPECT_EQ(complaints("{greeting: long}"), 1U);
  EXPECT_EQ(complaints("{seats: many}"), 1U);
}

TEST(Options, AConnectorMayUseOnlyOptionsThatItHasAndOnlyWhereASyncIsServed) {
  const auto code = [](const std::string& text) {
    try {
      parse_connector(text, "connector.yml");
      return std::string("fine");
    } catch (const Error& e) {
      return e.code();
    }
  };
  EXPECT_EQ(code(head + operations), "fine");
  EXPECT_EQ(
      code(head + "operations: {upsert: {request: {url: '/m/{options.halls}'}, outcome: {rows: [{match: "
                  "[{by: all}]}]}}}\n"),
      "connector.placeholder");
  EXPECT_EQ(code(head + operations + "check: {request: {method: GET, url: '/me/{options.hall}'}}\n"),
            "connector.placeholder");
  EXPECT_EQ(code(head + "  guest: {objects: [visitors]}\n" + operations), "connector.option");
}

}  // namespace
}  // namespace eddy::connectors
