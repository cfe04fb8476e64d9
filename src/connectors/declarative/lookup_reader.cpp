#include "connectors/declarative/lookup_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "connectors/declarative/cells.h"
#include "connectors/declarative/discovery.h"
#include "connectors/tables/wanted.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

constexpr int attempts_max = 3;
constexpr std::chrono::minutes waiting_max{2};

// "+02:00", "+0200" or "+02" at the end of a time, as minutes; the time loses it.
std::chrono::minutes take_offset(std::string& time) {
  const auto sign = time.find_last_of("+-");
  // The dashes of the date are not meant.
  if (sign == std::string::npos || sign < 16) return {};
  const std::string digits = replace_all(time.substr(sign + 1), ":", "");
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size() ||
      (digits.size() != 2 && digits.size() != 4))
    return {};
  const int minutes = digits.size() == 2 ? number * 60 : number / 100 * 60 + number % 100;
  const bool negative = time[sign] == '-';
  time.resize(sign);
  return std::chrono::minutes{negative ? -minutes : minutes};
}

// nullopt: not a time.
std::optional<Value> read_time(const json& found) {
  std::string text = plain_text(found);
  std::int64_t milliseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  if (error == std::errc{} && end == text.data() + text.size())
    return Value::timestamp(format_utc(Clock::WallTime(std::chrono::milliseconds{milliseconds})));
  if (text.size() == 10) return Value::date(text);
  try {
    const std::chrono::minutes offset = take_offset(text);
    return Value::timestamp(format_utc(parse_utc(text) - offset));
  } catch (const Error&) {
    return std::nullopt;
  }
}

Value as_found(const json& found) {
  switch (found.type()) {
    case json::value_t::boolean:
      return Value::boolean(found.get<bool>());
    case json::value_t::number_unsigned:
      if (found.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return Value::decimal(found.dump());
      [[fallthrough]];
    case json::value_t::number_integer:
      return Value::integer(found.get<std::int64_t>());
    case json::value_t::number_float:
      return Value::real(found.get<double>());
    case json::value_t::string:
      return Value::text(found.get<std::string>());
    default:
      return Value::json(found.dump());
  }
}

// A JSON pointer into a record: dots in a field's name go deeper, as they do when records are written.
std::string into_record(const Template& pointer, const Lookup& lookup) {
  return pointer
      .text(lookup,
            [](std::string_view name, const std::string& value) {
              const std::string token = replace_all(replace_all(value, "~", "~0"), "/", "~1");
              return name == "field" || name == "key.field" ? replace_all(token, ".", "/") : token;
            })
      .value_or("");
}

}  // namespace

Value read_value(const json& found, Type wanted, const TransformSpec& transforms) {
  if (found.is_null() || (found.is_string() && found.get_ref<const std::string&>().empty())) return {};
  if (wanted == Type::date || wanted == Type::timestamp)
    if (const auto time = read_time(found)) return as_wanted(*time, wanted);
  if (wanted == Type::boolean && found.is_string())
    return as_wanted(Value::text(lower(found.get<std::string>())), wanted);
  if (wanted == Type::json && found.is_string() && !transforms.list_separator.empty())
    return Value::json(json(split(found.get<std::string>(), transforms.list_separator.front())).dump());
  return as_wanted(as_found(found), wanted);
}

std::string soql_literal(const json& value) {
  if (!value.is_string()) return plain_text(value);
  std::string out = "'";
  for (const char c : value.get_ref<const std::string&>()) {
    if (c == '\'' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else
      out += c;
  }
  return out + "'";
}

LookupReader::LookupReader(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session,
                           sync::Reading reading, const LookupSpec& lookup)
    : spec_(std::move(spec)), session_(std::move(session)), reading_(std::move(reading)), lookup_(lookup) {
  options_ = Options(*spec_, session_->lookup(), reading_.object, reading_.options);
  const auto ask_for = [&](const std::string& name) {
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.push_back(name);
  };
  ask_for(reading_.key.front().name);
  for (const std::string& name : lookup_.fields) ask_for(name);
  const Lookup constants = [this](std::string_view name) { return constant(name); };
  for (const Column& field : reading_.fields) {
    ask_for(field.name);
    values_.push_back(into_record(lookup_.value, [&](std::string_view name) {
      return name == "field" ? std::optional(json(field.name)) : constant(name);
    }));
  }
  items_ = render_pointer(lookup_.items, constants);
  echo_ = into_record(lookup_.match.pointer, constants);
  std::vector<std::string> used = lookup_.request.url.names();
  const auto also = [&](const std::vector<std::string>& names) {
    used.insert(used.end(), names.begin(), names.end());
  };
  for (const auto& [name, value] : lookup_.request.query) also(value.names());
  also(lookup_.request.body.names());
  keys_are_joined_ = std::find(used.begin(), used.end(), "rows.keys") != used.end();
}

std::string LookupReader::folded(const std::string& text) const {
  return lookup_.match.ignore_case ? lower(text) : text;
}

std::vector<sync::Record> LookupReader::read(std::span<const Row> keys) {
  std::vector<sync::Record> out;
  for (Found& found : find(keys)) out.push_back(std::move(found.record));
  return out;
}

std::vector<LookupReader::Found> LookupReader::find(std::span<const Row> keys) {
  std::vector<Found> records(keys.size());
  // Every key is asked for once; spellings that are the same to the service are asked for one after the
  // other, so that a record in the answer can belong to one of them only.
  std::map<std::string, std::map<std::string, std::size_t>> spellings;  // by folded text: text, its round
  std::vector<std::vector<Key>> rounds;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Value& given = keys[i].front();
    if (given.is_null()) continue;
    const auto cell = render_cell(as_wanted(given, reading_.key.front().type), spec_->transforms);
    // What cannot even be sent is no record's key.
    if (!cell || !*cell || plain_text(**cell).empty()) continue;
    const std::string text = plain_text(**cell);
    if (keys_are_joined_ && text.find(',') != std::string::npos)
      throw KeyRefused(
          "destination.unsupported",
          fmt::format("{} cannot be asked for the key `{}`: it has a comma, which there stands between keys",
                      spec_->title, for_people(text)),
          "match by another field, or leave such rows out of the model");
    auto& same = spellings[folded(text)];
    const std::size_t round = same.try_emplace(text, same.size()).first->second;
    if (rounds.size() <= round) rounds.resize(round + 1);
    auto& asked = rounds[round];
    const auto known = std::find_if(asked.begin(), asked.end(), [&](const Key& k) { return k.text == text; });
    if (known != asked.end())
      known->places.push_back(i);
    else
      asked.push_back({**cell, text, {i}});
  }
  for (const auto& round : rounds)
    for (std::size_t start = 0; start < round.size(); start += lookup_.rows_max)
      ask(std::span(round).subspan(start, std::min(lookup_.rows_max, round.size() - start)), records);
  return records;
}

void LookupReader::ask_halves(std::span<const Key> keys, std::vector<Found>& records) {
  ask(keys.first(keys.size() / 2), records);
  ask(keys.subspan(keys.size() / 2), records);
}

void LookupReader::ask(std::span<const Key> keys, std::vector<Found>& records) {
  const Lookup lookup = request_lookup(keys);
  const auto key_lookup = [&](std::size_t i) {
    return Lookup([this, &keys, i](std::string_view name) {
      return name == "row.key" ? std::optional(keys[i].value) : constant(name);
    });
  };
  const Content content =
      encode(lookup_.request, lookup_.request.body.render(lookup, keys.size(), key_lookup));
  if (lookup_.bytes_max != 0 && keys.size() > 1) {
    const http::Request request = build_request(lookup_.request, "", lookup, content);
    if (request.url.size() + request.body.size() > lookup_.bytes_max) return ask_halves(keys, records);
  }
  const auto reply = read_pages(
      lookup_.paging, {lookup_.request, content, lookup}, items_, [this] { return session_->base_url(); },
      [this](const PageRequest& page) {
        auto one = send(page);
        if (one) check_failures(*one);
        return one;
      });
  if (!reply) return;
  // Of a single key what there is tells enough: that it is not one record.
  if (keys.size() > 1 && lookup_.cut_when.given() && lookup_.cut_when.holds(*reply))
    return ask_halves(keys, records);
  take(*reply, keys, records);
}

bool LookupReader::understood(const Reply& reply) const {
  if (!(lookup_.success_when.given() ? lookup_.success_when.holds(reply) : reply.success_status()))
    return false;
  const json* items = reply.json ? at(*reply.json, items_) : nullptr;
  if (items == nullptr) return false;
  // A single record in the place of the list says who it is; anything else may be a message.
  return items->is_array() || (items->is_object() && at(*items, echo_) != nullptr);
}

std::optional<Reply> LookupReader::send(const PageRequest& page) {
  std::string why;
  std::chrono::nanoseconds waited{0};
  for (int attempt = 0; attempt < attempts_max && waited < waiting_max;) {
    Called called = session_->call(
        page.request, page.content, page.lookup, [this](const Reply& reply) { return understood(reply); },
        lookup_.errors, /*repeatable=*/true);
    if (called.kind == Called::Kind::answered) return std::move(*called.reply);
    if (called.kind == Called::Kind::refused && called.refusal.error_class == ErrorClass::done)
      return std::nullopt;
    why = fmt::format("{}: {}", called.refusal.code, called.refusal.message);
    if (called.kind == Called::Kind::refused && called.refusal.error_class == ErrorClass::row)
      throw KeyRefused("destination.refused",
                       fmt::format("{} cannot read {} by {}: {}", spec_->title, reading_.object,
                                   reading_.key.front().name, why),
                       "check the key and the fields of the sync");
    if (called.refusal.code == "cancelled") break;
    // To be held back for a while is no failed attempt.
    if (called.kind != Called::Kind::held) ++attempt;
    if (attempt == attempts_max) break;
    const std::chrono::nanoseconds wait =
        std::max<std::chrono::nanoseconds>(called.refusal.wait.value_or(std::chrono::milliseconds{0}),
                                           std::chrono::milliseconds{250} * (1 << attempt));
    if (wait > waiting_max) break;
    session_->clock().sleep_for(wait);
    waited += wait;
  }
  throw Error("destination.unavailable",
              fmt::format("{} cannot be asked for {} now: {}", spec_->title, reading_.object, why),
              "run it again later; nothing was changed by asking");
}

// A key that could not be read must not look like one that has no record.
void LookupReader::check_failures(const Reply& reply) const {
  const json* failures =
      lookup_.failures.empty() || !reply.json ? nullptr : at(*reply.json, lookup_.failures);
  if (failures == nullptr || !failures->is_array()) return;
  for (const json& failure : *failures)
    if (!lookup_.missing_when.given() || !lookup_.missing_when.holds(reply.status, &failure))
      throw Error("destination.refused",
                  fmt::format("{} cannot read some of {}: {}", spec_->title, reading_.object,
                              for_people(failure.dump(-1, ' ', false, json::error_handler_t::replace))),
                  "check the key and the fields of the sync");
}

void LookupReader::take(const Reply& reply, std::span<const Key> keys, std::vector<Found>& records) const {
  std::map<std::string, std::vector<const json*>> by_key;
  std::set<std::string> ids;
  const json& items = *at(*reply.json, items_);
  const json alone = items.is_array() ? json() : json::array({items});
  for (const json& item : items.is_array() ? items : alone) {
    const json* echo = at(item, echo_);
    if (echo == nullptr || echo->is_object() || echo->is_null()) continue;
    if (lookup_.skip_when.given() && lookup_.skip_when.holds(reply.status, &item)) continue;
    const json* id = lookup_.id.empty() ? nullptr : at(item, lookup_.id);
    // One record is one match, however often it is listed.
    if (id != nullptr && id->is_primitive() && !ids.insert(plain_text(*id)).second) continue;
    // A record may have the field several times: its e-mail addresses.
    std::set<std::string> names;
    if (echo->is_primitive()) names.insert(folded(plain_text(*echo)));
    if (echo->is_array())
      for (const json& one : *echo)
        if (one.is_primitive() && !one.is_null()) names.insert(folded(plain_text(one)));
    for (const std::string& name : names) by_key[name].push_back(&item);
  }
  for (const Key& key : keys) {
    const auto found = by_key.find(folded(key.text));
    if (found == by_key.end()) continue;
    Found match{record_of(*found->second.front()), {}};
    match.record.matches = found->second.size();
    for (const json* item : found->second)
      if (const json* id = lookup_.id.empty() ? nullptr : at(*item, lookup_.id);
          id != nullptr && id->is_primitive() && !id->is_null())
        match.ids.push_back(plain_text(*id));
    for (const std::size_t place : key.places) records[place] = match;
  }
}

sync::Record LookupReader::record_of(const json& item) const {
  sync::Record out;
  if (const json* id = lookup_.id.empty() ? nullptr : at(item, lookup_.id);
      id != nullptr && id->is_primitive())
    out.id = plain_text(*id);
  for (std::size_t i = 0; i < values_.size(); ++i) {
    bool is_pair = false;
    const json* value = pair_in(item, reading_.fields[i].name, spec_->transforms.pairs, is_pair);
    if (!is_pair) value = at(item, values_[i]);
    out.fields.push_back(value == nullptr ? Value()
                                          : read_value(*value, reading_.fields[i].type, spec_->transforms));
  }
  return out;
}

std::optional<json> LookupReader::constant(std::string_view name) const {
  if (name == "object") return json(reading_.object);
  if (name == "key.field") return json(reading_.key.front().name);
  if (auto option = options_.get(name)) return option;
  if (name == "fields.list") return json(names_);
  if (name == "fields.names") return json(join(names_, ","));
  return object_lookup(*spec_, *session_, reading_.object)(name);
}

Lookup LookupReader::request_lookup(std::span<const Key> keys) const {
  return [this, keys](std::string_view name) -> std::optional<json> {
    if (name == "rows.keys" || name == "rows.soql") {
      std::vector<std::string> out;
      for (const Key& key : keys) out.push_back(name == "rows.soql" ? soql_literal(key.value) : key.text);
      return json(join(out, ","));
    }
    // Outside `each:` a key can only be meant where there is exactly one.
    if (name == "row.key") return lookup_.rows_max == 1 ? std::optional(keys.front().value) : std::nullopt;
    return constant(name);
  };
}

}  // namespace eddy::connectors
