#include "connectors/declarative/pairs.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace eddy::connectors {
namespace {

using nlohmann::json;

const PairsSpec pairs = {{"custom_fields", {.name = "id", .value = "value", .numbers = true}},
                         {"fieldValues", {.name = "field", .value = "value", .numbers = false}}};

TEST(Pairs, FieldsBelowAListBecomePairsAndOthersStayMembers) {
  json row = json::object();
  put_field(row, "subject", "Renewal", pairs);
  put_field(row, "custom_fields.360001234", "gold", pairs);
  put_field(row, "custom_fields.77", nullptr, pairs);
  put_field(row, "fieldValues.12", 3, pairs);
  put_field(row, "comment.body", "hello", pairs);
  EXPECT_EQ(row, json::parse(R"({"subject": "Renewal", "comment": {"body": "hello"},
      "custom_fields": [{"id": 360001234, "value": "gold"}, {"id": 77, "value": null}],
      "fieldValues": [{"field": "12", "value": 3}]})"));
}

TEST(Pairs, ANameThatIsThereIsReplacedAndOneThatIsNoNumberIsKept) {
  json row = json::object();
  put_field(row, "custom_fields.7", 1, pairs);
  put_field(row, "custom_fields.7", 2, pairs);
  put_field(row, "custom_fields.tier.of", 3, pairs);
  EXPECT_EQ(row, json::parse(R"({"custom_fields": [{"id": 7, "value": 2}, {"id": "tier.of", "value": 3}]})"));
}

TEST(Pairs, ValuesAreFoundByTheirNames) {
  const json record = json::parse(
      R"({"custom_fields": [7, {"id": 7}, {"id": 8, "value": "gold"}, {"value": 1}], "fieldValues": {}})");
  bool is_pair = false;
  const auto text = [&](const std::string& name) {
    const json* value = pair_in(record, name, pairs, is_pair);
    return value == nullptr ? std::string("nothing") : value->dump();
  };
  EXPECT_EQ(text("custom_fields.8"), "\"gold\"");
  EXPECT_EQ(text("custom_fields.7"), "nothing");
  EXPECT_TRUE(is_pair);
  EXPECT_EQ(text("fieldValues.1"), "nothing");
  EXPECT_TRUE(is_pair);
  EXPECT_EQ(text("subject"), "nothing");
  EXPECT_FALSE(is_pair);
  EXPECT_EQ(pair_in(json(3), "custom_fields.8", pairs, is_pair), nullptr);
}

}  // namespace
}  // namespace eddy::connectors
