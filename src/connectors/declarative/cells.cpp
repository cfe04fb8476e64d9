#include "connectors/declarative/cells.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

// A decimal as a JSON number when a double holds exactly these digits, as text otherwise: digits are never
// lost silently.
json decimal_number(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return text;
  if (text.find_first_of(".eE") == std::string::npos) {
    std::int64_t whole = 0;
    const auto [stop, overflow] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (overflow == std::errc{} && stop == text.data() + text.size()) return whole;
    return text;
  }
  const auto digits = std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits <= 15 ? json(number) : json(text);
}

std::expected<json, std::string> render_time(const Value& value, TransformSpec::Time how) {
  if (how == TransformSpec::Time::iso) return json(value.as_string());
  try {
    const auto since = parse_utc(value.as_string()).time_since_epoch();
    return json(std::chrono::floor<std::chrono::milliseconds>(since).count());
  } catch (const Error&) {
    return std::unexpected(fmt::format("`{}` is not a time", value.as_string()));
  }
}

std::expected<json, std::string> render_json(const Value& value, const TransformSpec& transforms) {
  auto parsed = parse_json(value.as_string());
  if (!parsed) return std::unexpected(std::string("the value is not valid JSON"));
  const bool texts = parsed->is_array() && std::all_of(parsed->begin(), parsed->end(),
                                                       [](const json& item) { return item.is_primitive(); });
  if (transforms.list_separator.empty() || !texts) return std::move(*parsed);
  std::string joined;
  for (const json& item : *parsed) {
    if (!joined.empty()) joined += transforms.list_separator;
    joined += plain_text(item);
  }
  return json(joined);
}

std::expected<json, std::string> render_present(const Value& value, const TransformSpec& transforms) {
  switch (value.type()) {
    case Type::real:
      if (!std::isfinite(value.as_real())) return std::unexpected(std::string("the number is not finite"));
      return value.to_json();
    case Type::decimal:
      return decimal_number(value.as_string());
    case Type::date:
      return render_time(value, transforms.date);
    case Type::timestamp:
      return render_time(value, transforms.timestamp);
    case Type::json:
      return render_json(value, transforms);
    case Type::text:
      if (!is_utf8(value.as_string())) return std::unexpected(std::string("the text is not valid UTF-8"));
      return json(value.as_string());
    default:
      return value.to_json();
  }
}

}  // namespace

std::expected<std::optional<json>, std::string> render_cell(const Value& value,
                                                            const TransformSpec& transforms) {
  if (value.is_null()) {
    if (transforms.null == TransformSpec::Null::omit) return std::nullopt;
    return transforms.null == TransformSpec::Null::empty_text ? json("") : json(nullptr);
  }
  auto rendered = render_present(value, transforms);
  if (!rendered) return std::unexpected(rendered.error());
  if (!transforms.all_text || rendered->is_string()) return std::move(*rendered);
  // Numbers keep the digits of the warehouse.
  const bool number =
      value.type() == Type::real || value.type() == Type::decimal || value.type() == Type::integer;
  return json(number ? value.to_text() : plain_text(*rendered));
}

void put_field(json& object, const std::string& dotted_name, json value) {
  json* place = &object;
  const auto parts = split(dotted_name, '.');
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    json& inner = (*place)[parts[i]];
    if (!inner.is_object()) inner = json::object();
    place = &inner;
  }
  (*place)[parts.back()] = std::move(value);
}

std::string text_of_keys(const std::map<std::string, std::string>& texts) {
  std::string out;
  for (const auto& [name, text] : texts) out += fmt::format("{}:{}", text.size(), text);
  return out;
}

RenderedRow render_row(const Change& change, const Schema& key, const Schema& fields,
                       const TransformSpec& transforms) {
  RenderedRow row;
  row.trace = std::to_string(change.number);
  row.fields = json::object();
  row.all = json::object();
  const auto refuse = [&](const std::string& field, const std::string& why) {
    row.unusable = Verdict::rejected("unsendable_value", fmt::format("{}: {}", field, why));
  };
  std::map<std::string, std::string> texts;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const Value value = i < change.key.size() ? change.key[i] : Value();
    const auto cell = render_cell(value, transforms);
    if (!cell)
      refuse(key[i].name, cell.error());
    else if (value.is_null() || !*cell || plain_text(**cell).empty())
      row.unusable =
          Verdict::rejected("null_key", fmt::format("{} is empty, so no record can be matched", key[i].name));
    if (row.unusable) return row;
    put_field(row.all, key[i].name, **cell, transforms.pairs);
    texts[key[i].name] = plain_text(**cell);
    if (key.size() == 1)
      row.key = **cell;
    else
      row.key[key[i].name] = **cell;
  }
  row.key_text = texts.size() == 1 ? texts.begin()->second : text_of_keys(texts);

  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i >= change.fields.size() || (i < change.changed.size() && !change.changed[i])) continue;
    const auto cell = render_cell(change.fields[i], transforms);
    if (!cell) {
      refuse(fields[i].name, cell.error());
      return row;
    }
    if (!*cell) continue;
    put_field(row.fields, fields[i].name, **cell, transforms.pairs);
    put_field(row.all, fields[i].name, **cell, transforms.pairs);
  }
  return row;
}

}  // namespace eddy::connectors
