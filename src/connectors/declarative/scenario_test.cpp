// Every connectors/<service>/scenarios/*.yml is a test: given changes and scripted replies, the requests that
// must be sent and the verdicts that must come back. Nothing touches a socket.
//
//   settings: {…}  object: contacts  mode: upsert  removed: ignore
//   key: {email: text}  fields: {firstname: text}          destination fields and the types of their values
//   changes: [{add|change|remove: {field: value}}]          a field not named in a change is unchanged
//   steps: [{expect: {method, url, headers, body | form}, reply: {status, headers, body | text} | failure:
//   not_sent | unknown}] verdicts: [{outcome, code, id, created, message}]       only what is named is
//   compared refused_whole, retry_after, error, open_error           error: the code that deliver() or
//   describe() throws describe: contacts  schema: {field: {type, …}} | null   instead of changes
//   lookup: [key, …]  records: [{matches, id, fields: {…}}] | unreadable                   instead of changes
//   check: [{what, granted, missing}]  account: text           instead of changes; `missing`: a part of it
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "config/document.h"
#include "config/shape.h"
#include "connectors/declarative/check.h"
#include "connectors/declarative/destination.h"
#include "connectors/declarative/library.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

namespace eddy::connectors {
namespace {

using config::field;
using config::Node;
using config::required;
using config::Shape;
using nlohmann::json;

Shape scenario_shape() {
  const Shape expect = Shape::object(
      {required("method", Shape::string(), "method"), required("url", Shape::string(), "whole URL"),
       field("headers", Shape::map(Shape::string()), "headers that must be there"),
       field("body", Shape::any(), "JSON body"), field("form", Shape::map(Shape::string()), "form body"),
       field("text", Shape::string(), "body as it is"),
       field("parts", Shape::string(), "multipart body, every line end as \\n, boundaries as --"),
       field("no_body", Shape::boolean(), "nothing is sent")});
  const Shape reply = Shape::object({required("status", Shape::integer(), "status"),
                                     field("headers", Shape::map(Shape::string()), "headers"),
                                     field("body", Shape::any(), "JSON body"),
                                     field("text", Shape::string(), "body as it is")});
  const Shape step =
      Shape::object({required("expect", expect, "the request"), field("reply", reply, "the reply"),
                     field("failure", Shape::enumeration({"not_sent", "unknown"}), "no reply")});
  const Shape verdict = Shape::object(
      {required("outcome", Shape::enumeration({"applied", "rejected", "retry", "in_doubt"}), "outcome"),
       field("code", Shape::string(), "code"), field("id", Shape::string(), "id"),
       field("created", Shape::boolean(), "created"),
       field("message", Shape::string(), "part of the message")});
  const Shape permission = Shape::object({required("what", Shape::string(), "what is allowed"),
                                          required("granted", Shape::boolean(), "or not"),
                                          field("missing", Shape::string(), "part of what is missing")});
  return Shape::object(
      {required("about", Shape::string(), "what it shows, with the line of the contract"),
       required("settings", Shape::map(Shape::string()), "connection"),
       field("object", Shape::string(), "object"),
       field("mode", Shape::enumeration({"upsert", "update", "insert"}), "mode"),
       field("removed", Shape::enumeration({"ignore", "erase", "archive"}), "removal"),
       field("key", Shape::map(Shape::string()), "key field: type"),
       field("fields", Shape::map(Shape::string()), "field: type"),
       field("planned", Shape::integer(), "rows of the whole plan"),
       field("options", Shape::any(), "of the sync"),
       field("changes", Shape::list(Shape::map(Shape::map(Shape::any()))), "rows"),
       field("steps", Shape::list(step), "wire"),
       field("verdicts", Shape::list(verdict), "answers"),
       field("refused_whole", Shape::boolean(), "split it"),
       field("retry_after", Shape::duration(), "wait"),
       field("error", Shape::string(), "code"),
       field("open_error", Shape::string(), "code"),
       field("message", Shape::string(), "part of what the error of open() says, or advises"),
       field("describe", Shape::string(), "object"),
       field("schema", Shape::any(), "expected fields"),
       field("open_fields", Shape::boolean(), "other fields exist"),
       field("check", Shape::list(permission), "what the credentials allow, and lack"),
       field("account", Shape::string(), "whose account it is"),
       field("lookup", Shape::list(Shape::any()), "keys"),
       field("records", Shape::any(), "what is read by them; `unreadable`: there is no reader")});
}

std::vector<std::filesystem::path> scenario_files() {
  std::vector<std::filesystem::path> out;
  for (const auto& service :
       std::filesystem::directory_iterator(std::filesystem::path(EDDY_SOURCE_DIR) / "connectors")) {
    std::error_code none;
    for (const auto& file : std::filesystem::directory_iterator(service.path() / "scenarios", none))
      if (file.path().extension() == ".yml") out.push_back(file.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string service_of(const std::filesystem::path& file) {
  return file.parent_path().parent_path().filename().string();
}

// Plays the steps in order and compares what is sent.
http::Result play(const std::vector<Node>& steps, std::size_t& next, const http::Request& request) {
  if (next >= steps.size()) {
    ADD_FAILURE() << "an unexpected request: " << request.method << " " << request.url << "\n"
                  << request.body;
    return std::unexpected(http::Failure{http::Failure::Reach::not_sent, "scenario", "no more steps"});
  }
  const Node step = steps[next++];
  const Node expect = step["expect"];
  EXPECT_EQ(request.method, expect["method"].text());
  EXPECT_EQ(request.url, expect["url"].text());
  for (const auto& header : expect["headers"].entries())
    EXPECT_EQ(request.headers.get(header.name).value_or("(none)"), header.value.text()) << header.name;
  if (expect["body"].exists()) {
    EXPECT_EQ(request.headers.get("Content-Type").value_or(""), "application/json");
    EXPECT_EQ(parse_json(request.body).value_or("(no JSON)").dump(2), expect["body"].as_json().dump(2));
  }
  if (expect["text"].exists()) {
    EXPECT_EQ(request.body, expect["text"].text());
  }
  if (expect["parts"].exists()) {
    const std::string type(request.headers.get("Content-Type").value_or(""));
    const std::string before = "multipart/form-data; boundary=";
    EXPECT_TRUE(type.starts_with(before)) << type;
    const std::string body = replace_all(request.body, "--" + type.substr(before.size()), "--");
    EXPECT_EQ(replace_all(body, "\r\n", "\n"), expect["parts"].text());
  }
  if (expect["form"].exists()) {
    EXPECT_EQ(request.headers.get("Content-Type").value_or(""), "application/x-www-form-urlencoded");
    std::vector<std::pair<std::string, std::string>> pairs;
    const json form = expect["form"].as_json();
    for (const auto& [name, value] : form.items()) pairs.emplace_back(name, plain_text(value));
    EXPECT_EQ(request.body, http::form_encode(pairs));
  }
  if (expect["no_body"].exists()) {
    EXPECT_EQ(request.body, "");
  }
  if (step["failure"].exists()) {
    const bool unknown = step["failure"].text() == "unknown";
    return std::unexpected(
        http::Failure{unknown ? http::Failure::Reach::unknown : http::Failure::Reach::not_sent,
                      unknown ? "http.cut" : "http.refused", "wire"});
  }
  http::Response response;
  response.status = static_cast<int>(step["reply"]["status"].as_integer());
  for (const auto& header : step["reply"]["headers"].entries())
    response.headers.add(header.name, header.value.text());
  if (step["reply"]["body"].exists()) response.body = step["reply"]["body"].as_json().dump();
  if (step["reply"]["text"].exists()) response.body = step["reply"]["text"].text();
  return response;
}

Value typed(const Node& node, Type type) {
  if (!node.exists() || node.kind() == config::Kind::null ||
      (node.is_scalar() && !node.quoted() && node.text() == "null"))
    return {};
  switch (type) {
    case Type::boolean:
      return Value::boolean(node.as_boolean());
    case Type::integer:
      return Value::integer(node.as_integer());
    case Type::real:
      return Value::real(node.as_number());
    case Type::decimal:
      return Value::decimal(node.text());
    case Type::date:
      return Value::date(node.text());
    case Type::timestamp:
      return Value::timestamp(node.text());
    case Type::json:
      return Value::json(node.as_json().dump());
    default:
      return Value::text(node.text());
  }
}

Schema columns(const Node& node) {
  Schema out;
  for (const auto& entry : node.entries()) {
    Column column{entry.name, Type::text};
    if (!parse_type(entry.value.text(), column.type))
      throw std::runtime_error("unknown type " + entry.value.text());
    out.push_back(column);
  }
  return out;
}

std::vector<Change> changes(const Node& node, const Schema& key, const Schema& fields) {
  std::vector<Change> out;
  for (const Node& item : node.items()) {
    const auto entry = item.entries().front();
    Change change;
    change.number = out.size();
    change.operation = entry.name == "add"      ? Operation::add
                       : entry.name == "change" ? Operation::change
                                                : Operation::remove;
    for (const Column& column : key) change.key.push_back(typed(entry.value[column.name], column.type));
    if (change.operation != Operation::remove)
      for (const Column& column : fields) {
        change.fields.push_back(typed(entry.value[column.name], column.type));
        change.changed.push_back(change.operation == Operation::add || entry.value[column.name].exists());
      }
    out.push_back(std::move(change));
  }
  return out;
}

void compare(const std::vector<Verdict>& verdicts, const std::vector<Node>& expected) {
  ASSERT_EQ(verdicts.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Node want = expected[i];
    const std::string where = fmt::format("row {}: {} {}", i, verdicts[i].code, verdicts[i].message);
    EXPECT_EQ(name_of(verdicts[i].outcome), want["outcome"].text()) << where;
    if (want["code"].exists()) {
      EXPECT_EQ(verdicts[i].code, want["code"].text()) << where;
    }
    if (want["id"].exists()) {
      EXPECT_EQ(verdicts[i].destination_id, want["id"].text()) << where;
    }
    if (want["created"].exists()) {
      EXPECT_EQ(verdicts[i].created, want["created"].as_boolean()) << where;
    }
    if (want["message"].exists()) {
      EXPECT_NE(verdicts[i].message.find(want["message"].text()), std::string::npos) << where;
    }
  }
}

void compare(const std::optional<sync::ObjectSchema>& schema, const Node& expected, const Node& open) {
  if (expected.kind() == config::Kind::scalar) {
    EXPECT_FALSE(schema.has_value());
    return;
  }
  ASSERT_TRUE(schema.has_value());
  if (open.exists()) {
    EXPECT_EQ(schema->open, open.as_boolean());
  }
  std::map<std::string, sync::FieldSchema> by_name;
  for (const auto& f : schema->fields) by_name[f.name] = f;
  for (const auto& [name, key, want] : expected.entries()) {
    if (want.is_scalar() && want.text() == "absent") {
      EXPECT_FALSE(by_name.contains(name)) << name;
      continue;
    }
    ASSERT_TRUE(by_name.contains(name)) << name;
    const sync::FieldSchema& got = by_name[name];
    if (want["type"].exists()) {
      EXPECT_EQ(name_of(got.type), want["type"].text()) << name;
    }
    if (want["native"].exists()) {
      EXPECT_EQ(got.native_type, want["native"].text()) << name;
    }
    if (want["required"].exists()) {
      EXPECT_EQ(got.required, want["required"].as_boolean()) << name;
    }
    if (want["writable"].exists()) {
      EXPECT_EQ(got.writable, want["writable"].as_boolean()) << name;
    }
    if (want["key"].exists()) {
      EXPECT_EQ(got.key, want["key"].as_boolean()) << name;
    }
    if (want["length"].exists()) {
      EXPECT_EQ(got.length_max, static_cast<std::size_t>(want["length"].as_integer())) << name;
    }
    if (want["options"].exists()) {
      EXPECT_EQ(json(got.options), want["options"].as_json()) << name;
    }
  }
}

sync::Delivery delivery_of(const Node& root) {
  sync::Delivery out;
  out.options = root["options"];
  out.object = root["object"].text();
  const std::string mode = root["mode"].as_string("upsert");
  out.mode = mode == "update"   ? sync::Mode::update
             : mode == "insert" ? sync::Mode::insert
                                : sync::Mode::upsert;
  const std::string removed = root["removed"].as_string("ignore");
  out.removed = removed == "erase"     ? sync::Removal::erase
                : removed == "archive" ? sync::Removal::archive
                                       : sync::Removal::ignore;
  out.key = columns(root["key"]);
  out.fields = columns(root["fields"]);
  out.sync = "scenario";
  if (root["planned"].exists()) out.rows = static_cast<std::uint64_t>(root["planned"].as_integer());
  return out;
}

void deliver(DeclarativeDestination& destination, const Node& root) {
  const sync::Delivery delivery = delivery_of(root);
  if (root["open_error"].exists()) {
    try {
      destination.open(delivery);
      FAIL() << "open() succeeds";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), root["open_error"].text()) << e.what();
      EXPECT_NE((e.message() + "\n" + e.hint()).find(root["message"].as_string("")), std::string::npos)
          << e.what() << "\n"
          << e.hint();
      EXPECT_FALSE(e.hint().empty());
    }
    return;
  }
  const auto writer = destination.open(delivery);
  const auto rows = changes(root["changes"], delivery.key, delivery.fields);
  sync::Answer answer;
  try {
    answer = writer->deliver(rows);
    if (root["error"].exists()) FAIL() << "deliver() does not throw";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), root["error"].as_string("(no error expected)")) << e.what();
    return;
  }
  compare(answer.verdicts, root["verdicts"].items());
  EXPECT_EQ(answer.refused_whole, root["refused_whole"].exists() && root["refused_whole"].as_boolean());
  EXPECT_EQ(answer.retry_after.has_value(), root["retry_after"].exists());
  if (answer.retry_after && root["retry_after"].exists()) {
    EXPECT_EQ(*answer.retry_after, root["retry_after"].as_duration());
  }
}

void look_up(DeclarativeDestination& destination, const Node& root) {
  const sync::Reading reading{.object = root["object"].text(),
                              .key = columns(root["key"]),
                              .fields = columns(root["fields"]),
                              .options = root["options"]};
  const auto reader = destination.reader(reading);
  if (root["records"].is_scalar()) {
    EXPECT_EQ(root["records"].text(), "unreadable");
    EXPECT_EQ(reader, nullptr);
    return;
  }
  ASSERT_NE(reader, nullptr);
  std::vector<Row> keys;
  for (const Node& key : root["lookup"].items()) keys.push_back({typed(key, reading.key.front().type)});
  try {
    const auto records = reader->read(keys);
    EXPECT_FALSE(root["error"].exists()) << "read() does not throw";
    const auto expected = root["records"].items();
    ASSERT_EQ(records.size(), expected.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      EXPECT_EQ(records[i].matches, static_cast<std::size_t>(expected[i]["matches"].as_integer())) << i;
      EXPECT_EQ(records[i].id, expected[i]["id"].as_string("")) << i;
      ASSERT_EQ(records[i].fields.size(), records[i].matches == 0 ? 0 : reading.fields.size()) << i;
      for (std::size_t f = 0; f < records[i].fields.size(); ++f) {
        const Column& field = reading.fields[f];
        EXPECT_EQ(records[i].fields[f], typed(expected[i]["fields"][field.name], field.type))
            << i << " " << field.name << ": " << records[i].fields[f].to_text();
      }
    }
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), root["error"].as_string("(no error expected)")) << e.what();
  }
}

void check(const Spec& spec, Session& session, const Node& root) {
  try {
    const Checked got = check_connection(spec, session);
    EXPECT_FALSE(root["error"].exists()) << "check_connection() does not throw";
    EXPECT_EQ(got.account, root["account"].as_string(""));
    const auto expected = root["check"].items();
    ASSERT_EQ(got.permissions.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(got.permissions[i].what, expected[i]["what"].text());
      EXPECT_EQ(got.permissions[i].granted, expected[i]["granted"].as_boolean())
          << expected[i]["what"].text();
      EXPECT_NE(got.permissions[i].missing.find(expected[i]["missing"].as_string("")), std::string::npos)
          << got.permissions[i].missing;
    }
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), root["error"].as_string("(no error expected)")) << e.what();
  }
}

class Scenario : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Scenario, SendsAndUnderstands) {
  const auto file = GetParam();
  Diagnostics diagnostics;
  const Node root = config::parse_file(file, file.filename().string(), config::no_variables(), diagnostics);
  scenario_shape().check(root, diagnostics);
  diagnostics.throw_if_any();
  const auto folder = file.parent_path().parent_path();
  auto spec = std::make_shared<const Spec>(
      parse_connector(read_file(folder / "connector.yml"), folder.filename().string() + "/connector.yml"));
  settings_shape(*spec).check(root["settings"], diagnostics);
  if (root["options"].exists()) options_shape(*spec).check(root["options"], diagnostics);
  diagnostics.throw_if_any();

  ManualClock clock;
  Cancel cancel;
  std::size_t next = 0;
  const auto steps = root["steps"].items();
  auto wire = std::make_unique<http::ScriptedExchange>(
      [&](const http::Request& request) { return play(steps, next, request); });
  const auto session =
      std::make_shared<Session>(*spec, Settings(*spec, root["settings"]), clock, cancel, std::move(wire));
  DeclarativeDestination destination(spec, session);

  if (root["describe"].exists()) {
    try {
      compare(destination.describe(root["describe"].text()), root["schema"], root["open_fields"]);
      EXPECT_FALSE(root["error"].exists()) << "describe() does not throw";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), root["error"].as_string("(no error expected)")) << e.what();
    }
  } else if (root["check"].exists()) {
    check(*spec, *session, root);
  } else if (root["lookup"].exists()) {
    look_up(destination, root);
  } else {
    deliver(destination, root);
  }
  EXPECT_EQ(next, steps.size()) << "fewer requests than expected";
}

INSTANTIATE_TEST_SUITE_P(Connectors, Scenario, ::testing::ValuesIn(scenario_files()), [](const auto& test) {
  std::string name = service_of(test.param) + "_" + test.param.stem().string();
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
});

TEST(Scenarios, EveryServiceHasAtLeastEight) {
  std::map<std::string, int> count;
  for (const auto& file : scenario_files()) ++count[service_of(file)];
  for (const EmbeddedConnector& connector : embedded_connectors())
    EXPECT_GE(count[std::string(connector.folder)], 8) << connector.folder;
}

}  // namespace
}  // namespace eddy::connectors
