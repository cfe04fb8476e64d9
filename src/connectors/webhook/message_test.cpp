#include "connectors/webhook/message.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace eddy::connectors {
namespace {

sync::Delivery contacts() {
  return {.object = "contact",
          .mode = sync::Mode::upsert,
          .removed = sync::Removal::erase,
          .key = {{"email", Type::text}},
          .fields = {{"plan", Type::text}, {"address.city", Type::text}, {"address.zip", Type::text}},
          .options = {},
          .sync = "crm"};
}

Change ada(Operation operation = Operation::change) {
  return {.number = 7,
          .operation = operation,
          .key = {Value::text("ada@example.com")},
          .fields = {Value::text("pro"), Value::text("Zürich"), Value()},
          .changed = {true, false, false}};
}

TEST(Message, OneRowIsAnObjectInTheShapeOfTheStandard) {
  const MessageRow row = render_row(contacts(), ada());
  const WebhookMessage message =
      render_message(contacts(), "2026-11-23T10:53:42Z", std::vector{row}, true, "changed");
  EXPECT_EQ(message.id, row.id);
  EXPECT_EQ(
      message.body,
      "{\"type\":\"contact.changed\",\"timestamp\":\"2026-11-23T10:53:42Z\",\"sync\":\"crm\",\"mode\":"
      "\"upsert\","
      "\"data\":{\"id\":\"" +
          row.id +
          "\",\"operation\":\"change\",\"key\":{\"email\":\"ada@example.com\"},\"fields\":{\"plan\":\"pro\","
          "\"address\":{\"city\":\"Zürich\",\"zip\":null}},\"changed\":[\"plan\"]}}");
  EXPECT_EQ(row.key_text, "ada@example.com");
}

TEST(Message, SeveralRowsAreAListWithIdsOfTheirOwn) {
  Change gone = ada(Operation::remove);
  gone.fields.clear();
  gone.changed.clear();
  const std::vector rows = {render_row(contacts(), gone), render_row(contacts(), ada(Operation::add))};
  const WebhookMessage message = render_message(contacts(), "2026-11-23T10:53:42Z", rows, false, "removed");
  const auto body = nlohmann::json::parse(message.body);
  EXPECT_EQ(body["type"], "contact.batch");
  EXPECT_EQ(
      body["data"][0],
      (nlohmann::json{{"id", rows[0].id}, {"operation", "remove"}, {"key", {{"email", "ada@example.com"}}}}));
  EXPECT_EQ(body["data"][1]["id"], rows[1].id);
  EXPECT_TRUE(message.id.starts_with("msg_"));
}

TEST(Message, IdsTellARepetitionFromNews) {
  sync::Delivery first = contacts(), second = contacts();
  first.plan = "p1";
  second.plan = "p2";
  const std::string id = render_row(first, ada()).id;
  EXPECT_EQ(render_row(first, ada()).id, id);
  EXPECT_NE(render_row(second, ada()).id, id) << "the same values, once more";
  second.sent_before = std::make_shared<std::map<std::uint64_t, std::string>>(
      std::map<std::uint64_t, std::string>{{7, "p1:7"}});
  EXPECT_EQ(render_row(second, ada()).id, id) << "it may have arrived with p1";
  Change whole = ada();
  for (std::size_t i = 0; i < whole.changed.size(); ++i) whole.changed[i] = true;
  EXPECT_EQ(render_row(second, whole).id, id) << "nobody knows any more which fields had changed";
  Change other = ada();
  other.fields[0] = Value::text("free");
  EXPECT_NE(render_row(second, other).id, id) << "and says something else now";
  first.mode = second.mode = sync::Mode::insert;
  second.sent_before = nullptr;
  EXPECT_EQ(render_row(first, ada()).id, render_row(second, ada()).id) << "a row is inserted once";
}

TEST(Message, IdsAreMadeOfWhatIsSaidAlone) {
  const std::string id = render_row(contacts(), ada()).id;
  EXPECT_EQ(id.size(), 36U);
  EXPECT_EQ(id.find('.'), std::string::npos) << "the signature joins with full stops";
  Change later = ada();
  later.number = 99;
  EXPECT_EQ(render_row(contacts(), later).id, id) << "its place in the plan says nothing";
  std::set<std::string> ids = {id};
  Change other = ada();
  other.fields[0] = Value::text("free");
  ids.insert(render_row(contacts(), other).id);
  other = ada();
  other.key[0] = Value::text("eve@example.com");
  ids.insert(render_row(contacts(), other).id);
  ids.insert(render_row(contacts(), ada(Operation::add)).id);
  ids.insert(render_row(contacts(), ada(Operation::remove)).id);
  sync::Delivery delivery = contacts();
  delivery.sync = "another";
  ids.insert(render_row(delivery, ada()).id);
  delivery = contacts();
  delivery.object = "lead";
  ids.insert(render_row(delivery, ada()).id);
  EXPECT_EQ(ids.size(), 7U);
}

TEST(Message, FieldsThatMustBeLeftAloneAreNotSent) {
  Change change = ada();
  change.changed = {false, true, false};
  change.kept = {true, false, true};
  const auto row = nlohmann::json::parse(render_row(contacts(), change).json);
  EXPECT_EQ(row["fields"], (nlohmann::json{{"address", {{"city", "Zürich"}}}}));
  EXPECT_EQ(row["changed"], nlohmann::json::array({"address.city"}));
}

TEST(Message, ValuesKeepEveryDigit) {
  const auto text = [](const Value& value) { return cell_text(value).json; };
  EXPECT_EQ(text(Value::integer(9007199254740993)), "9007199254740993");
  EXPECT_EQ(text(Value::decimal("12.50")), "12.50");
  EXPECT_EQ(text(Value::decimal("0.1234567890123456")), "\"0.1234567890123456\"");
  EXPECT_EQ(text(Value::decimal("123456789012345678901234567890")), "\"123456789012345678901234567890\"");
  EXPECT_EQ(text(Value::real(0.1)), "0.1");
  EXPECT_EQ(text(Value::json(" {\"n\": 12345678901234567890.5} ")), "{\"n\": 12345678901234567890.5}");
  EXPECT_EQ(text(Value::blob(std::string("\0a", 2))), "\"AGE=\"");
  EXPECT_EQ(text(Value::timestamp("2026-11-23T10:53:42.5Z")), "\"2026-11-23T10:53:42.5Z\"");
  EXPECT_EQ(text(Value::text(std::string("a\0b\"", 4))), "\"a\\u0000b\\\"\"");
  EXPECT_EQ(text(Value()), "null");
}

TEST(Message, WhatCannotBeSaidInJsonIsRejectedBeforehand) {
  for (const Value& value : {Value::real(std::nan("")), Value::text("\xFF\xFE"), Value::json("{\"a\":")}) {
    Change change = ada();
    change.fields[0] = value;
    const MessageRow row = render_row(contacts(), change);
    ASSERT_TRUE(row.unusable);
    EXPECT_EQ(row.unusable->outcome, Outcome::rejected);
    EXPECT_EQ(row.unusable->code, "unsendable_value");
    EXPECT_TRUE(row.unusable->message.starts_with("plan: ")) << row.unusable->message;
  }
  Change change = ada();
  change.key[0] = Value();
  EXPECT_EQ(render_row(contacts(), change).unusable->code, "null_key");
}

}  // namespace
}  // namespace eddy::connectors
