#include "connectors/webhook/message.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "connectors/declarative/reply.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

std::string quoted(const std::string& text) { return json(text).dump(); }

// An object whose members keep their order; leaves are JSON texts that are written as they are, so that no
// digit is lost on the way.
struct Nested {
  std::string text;
  std::vector<std::pair<std::string, Nested>> members;

  void put(const std::string& dotted_name, std::string leaf) {
    Nested* place = this;
    for (const std::string& part : split(dotted_name, '.')) {
      auto found = std::find_if(place->members.begin(), place->members.end(),
                                [&](const auto& member) { return member.first == part; });
      if (found == place->members.end()) found = place->members.insert(found, {part, {}});
      place = &found->second;
    }
    place->text = std::move(leaf);
  }
  void write(std::string& out) const {
    if (!text.empty()) {
      out += text;
      return;
    }
    out += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out += ',';
      out += quoted(members[i].first) + ":";
      members[i].second.write(out);
    }
    out += '}';
  }
};

// 15 digits always survive a double.
bool survives_a_double(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return false;
  return std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) <= 15;
}

std::string hash_id(std::string_view prefix, const std::string& content) {
  return fmt::format("{}_{}", prefix, sha256_hex(content).substr(0, 32));
}

}  // namespace

CellText cell_text(const Value& value) {
  switch (value.type()) {
    case Type::real:
      if (!std::isfinite(value.as_real())) return {{}, "the number is not finite"};
      return {json(value.as_real()).dump(), {}};
    case Type::decimal:
      if (survives_a_double(value.as_string()) && json::accept(value.as_string()))
        return {value.as_string(), {}};
      return {quoted(value.as_string()), {}};
    case Type::json:
      if (!parse_json(value.as_string())) return {{}, "the value is not valid JSON"};
      return {trim(value.as_string()), {}};
    case Type::text:
    case Type::date:
    case Type::timestamp:
      if (!is_utf8(value.as_string())) return {{}, "the text is not valid UTF-8"};
      return {quoted(value.as_string()), {}};
    default:
      return {value.to_json().dump(), {}};
  }
}

std::string_view event_of(const sync::Delivery& delivery, Operation operation) {
  switch (operation) {
    case Operation::add:
      return "added";
    case Operation::change:
      return "changed";
    default:
      return delivery.removed == sync::Removal::archive ? "archived" : "removed";
  }
}

MessageRow render_row(const sync::Delivery& delivery, const Change& change) {
  MessageRow row;
  const auto refuse = [&](const std::string& code, const std::string& message) {
    row = {};
    row.unusable = Verdict::rejected(code, message);
    return row;
  };
  Nested key, fields;
  for (std::size_t i = 0; i < delivery.key.size(); ++i) {
    const std::string& name = delivery.key[i].name;
    if (i >= change.key.size() || change.key[i].is_null())
      return refuse("null_key", fmt::format("the key field `{}` is null", name));
    CellText cell = cell_text(change.key[i]);
    if (!cell.problem.empty()) return refuse("unsendable_value", fmt::format("{}: {}", name, cell.problem));
    if (delivery.key.size() == 1) row.key_text = plain_text(json::parse(cell.json));
    key.put(name, std::move(cell.json));
  }
  json changed = json::array();
  for (std::size_t i = 0; i < std::min(change.fields.size(), delivery.fields.size()); ++i) {
    if (change.keeps(i)) continue;
    const std::string& name = delivery.fields[i].name;
    CellText cell = cell_text(change.fields[i]);
    if (!cell.problem.empty()) return refuse("unsendable_value", fmt::format("{}: {}", name, cell.problem));
    fields.put(name, std::move(cell.json));
    if (i < change.changed.size() && change.changed[i]) changed.push_back(name);
  }
  std::string content = fmt::format("\"operation\":\"{}\",\"key\":", name_of(change.operation));
  key.write(content);
  if (change.operation != Operation::remove) {
    content += ",\"fields\":";
    fields.write(content);
  }
  // Without `changed`: what may have arrived comes again as changed in every field.
  row.id = hash_id("evt",
                   fmt::format("{}\n{}\n{}\n{}\n{}", sync::idempotency_key(delivery, change), delivery.object,
                               name_of(delivery.mode), event_of(delivery, change.operation), content));
  if (change.operation == Operation::change) content += ",\"changed\":" + changed.dump();
  row.json = fmt::format("{{\"id\":\"{}\",{}}}", row.id, content);
  return row;
}

WebhookMessage render_message(const sync::Delivery& delivery, std::string_view timestamp,
                              std::span<const MessageRow> rows, bool single, std::string_view what) {
  WebhookMessage message;
  message.body =
      fmt::format("{{\"type\":{},\"timestamp\":\"{}\",\"sync\":{},\"mode\":\"{}\",\"data\":",
                  quoted(fmt::format("{}.{}", delivery.object, single ? what : std::string_view("batch"))),
                  timestamp, quoted(delivery.sync), name_of(delivery.mode));
  if (single) {
    message.id = rows.front().id;
    message.body += rows.front().json + "}";
    return message;
  }
  std::string ids;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ids += rows[i].id;
    message.body += (i == 0 ? "[" : ",") + rows[i].json;
  }
  message.body += "]}";
  message.id = hash_id("msg", ids);
  return message;
}

}  // namespace eddy::connectors
