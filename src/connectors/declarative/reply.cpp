#include "connectors/declarative/reply.h"

#include <fmt/format.h>

#include <regex>

#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

// Deep nesting is an attack or an accident; counted before parsing, so that no recursion ever sees it.
bool too_deep(std::string_view body) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > 64) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

std::optional<json> parse_json(std::string_view body) {
  // The parser takes a NUL for the end of the text; in JSON it cannot occur.
  if (body.empty() || body.find('\0') != std::string_view::npos || too_deep(body)) return std::nullopt;
  json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return std::nullopt;
  return parsed;
}

Reply::Reply(http::Response response)
    : status(response.status),
      headers(std::move(response.headers)),
      body(std::move(response.body)),
      json(parse_json(body)) {}

const json* at(const json& document, const std::string& pointer) {
  const json::json_pointer path(pointer);
  // contains() first: at() on a missing path throws, and a reply is not ours to trust.
  if (!document.contains(path)) return nullptr;
  return &document.at(path);
}

std::string render_pointer(const Template& pointer, const Lookup& lookup) {
  const auto escape = [](std::string_view, const std::string& token) {
    return replace_all(replace_all(token, "~", "~0"), "/", "~1");
  };
  return pointer.text(lookup, escape).value_or("");
}

std::string for_people(std::string_view text) {
  // dump() with `replace` is the shortest way to valid UTF-8; the quotes are cut off again.
  std::string clean =
      json(std::string(text.substr(0, 2000))).dump(-1, ' ', false, json::error_handler_t::replace);
  clean = replace_all(replace_all(clean.substr(1, clean.size() - 2), "\\n", " "), "\\\"", "\"");
  clean = redact(clean);
  if (clean.size() > 300) {
    std::size_t end = 300;
    while (end > 0 && (static_cast<unsigned char>(clean[end]) & 0xC0) == 0x80) --end;
    clean = clean.substr(0, end) + "…";
  }
  return clean;
}

bool status_matches(std::string_view pattern, int status) {
  const std::string digits = std::to_string(status);
  if (pattern.size() != 3 || digits.size() != 3) return false;
  for (std::size_t i = 0; i < 3; ++i)
    if (pattern[i] != digits[i] && pattern[i] != 'x') return false;
  return true;
}

struct Predicate::Test {
  enum class Word { status, eq, in, exists, contains, matches, empty, all, any, negated };
  Word word = Word::all;
  std::string pointer;
  std::vector<json> values;
  std::regex pattern;
  std::vector<Test> inner;

  bool holds(int reply_status, const json* item) const;
};

namespace {

bool contains_text(const json& value, const json& part) {
  if (value.is_array()) return std::find(value.begin(), value.end(), part) != value.end();
  return plain_text(value).find(plain_text(part)) != std::string::npos;
}

bool is_empty(const json* value) {
  if (value == nullptr || value->is_null()) return true;
  if (value->is_string()) return value->get_ref<const std::string&>().empty();
  return (value->is_array() || value->is_object()) && value->empty();
}

// 601 in a connector means the code 601, however the service types it.
bool same(const json& a, const json& b) {
  return a == b || (a.is_primitive() && b.is_primitive() && !a.is_null() && !b.is_null() &&
                    plain_text(a) == plain_text(b));
}

}  // namespace

bool Predicate::Test::holds(int reply_status, const json* item) const {
  const auto holds_here = [&](const Test& t) { return t.holds(reply_status, item); };
  switch (word) {
    case Word::status:
      return std::any_of(values.begin(), values.end(),
                         [&](const json& v) { return status_matches(plain_text(v), reply_status); });
    case Word::all:
      return std::all_of(inner.begin(), inner.end(), holds_here);
    case Word::any:
      return std::any_of(inner.begin(), inner.end(), holds_here);
    case Word::negated:
      return !holds_here(inner.front());
    default:
      break;
  }
  const json* value = item == nullptr ? nullptr : at(*item, pointer);
  if (word == Word::exists) return (value != nullptr && !value->is_null()) == values.front().get<bool>();
  if (word == Word::empty) return is_empty(value) == values.front().get<bool>();
  if (value == nullptr) return false;
  if (word == Word::matches) {
    const std::string text = plain_text(*value);
    return text.size() < 10'000 &&
           std::regex_search(text, pattern);  // std::regex recurses; long texts could exhaust the stack
  }
  return std::any_of(values.begin(), values.end(), [&](const json& v) {
    return word == Word::contains ? contains_text(*value, v) : same(*value, v);
  });
}

Predicate::Predicate() = default;

bool Predicate::holds(int status, const json* item) const {
  return test_ == nullptr || test_->holds(status, item);
}

config::Shape Predicate::shape() {
  using config::field;
  using config::Shape;
  // Nested tests are checked by parse(): a shape cannot hold itself.
  return Shape::object({field("status", Shape::list(Shape::string()), "HTTP statuses: 200, 2xx"),
                        field("pointer", Shape::string(), "JSON pointer into the reply or the item"),
                        field("eq", Shape::any(), "the value is exactly this"),
                        field("in", Shape::list(Shape::any()), "the value is one of these"),
                        field("exists", Shape::boolean(), "there is a value, and it is not null"),
                        field("contains", Shape::any(), "the text holds this part, or the list this item"),
                        field("matches", Shape::string(), "the text matches this regular expression"),
                        field("empty", Shape::boolean(), "nothing, null, \"\", [] or {}"),
                        field("all", Shape::list(Shape::any()), "every one of these tests holds"),
                        field("any", Shape::list(Shape::any()), "at least one of these tests holds"),
                        field("not", Shape::any(), "this test does not hold")});
}

namespace {
void check_pointer(const config::Node& node) {
  try {
    json::json_pointer{node.text()};
  } catch (const json::exception&) {
    node.fail("connector.pointer", fmt::format("`{}` is not a JSON pointer", node.text()),
              "a JSON pointer starts with a slash: /results/0/id");
  }
}
}  // namespace

Predicate Predicate::parse(const config::Node& node) {
  using Word = Test::Word;
  Predicate out;
  if (!node.exists()) return out;
  Diagnostics diagnostics;
  shape().check(node, diagnostics);
  diagnostics.throw_if_any();
  Test everything;
  for (const auto& [name, key, value] : node.entries()) {
    Test test;
    if (name == "pointer") continue;
    if (node["pointer"].exists()) {
      check_pointer(node["pointer"]);
      test.pointer = node["pointer"].text();
    }
    const auto nested = [&](const config::Node& n) {
      if (auto p = parse(n); p.given()) test.inner.push_back(*p.test_);
    };
    if (name == "status")
      test.word = Word::status;
    else if (name == "eq")
      test.word = Word::eq;
    else if (name == "in")
      test.word = Word::in;
    else if (name == "exists")
      test.word = Word::exists;
    else if (name == "contains")
      test.word = Word::contains;
    else if (name == "matches")
      test.word = Word::matches;
    else if (name == "empty")
      test.word = Word::empty;
    else if (name == "all")
      test.word = Word::all;
    else if (name == "any")
      test.word = Word::any;
    else
      test.word = Word::negated;
    switch (test.word) {
      case Word::all:
      case Word::any:
        for (const auto& item : value.items()) nested(item);
        break;
      case Word::negated:
        nested(value);
        break;
      case Word::matches:
        try {
          test.pattern = std::regex(value.text());
        } catch (const std::regex_error&) {
          value.fail("connector.pattern", fmt::format("`{}` is not a regular expression", value.text()));
        }
        break;
      case Word::exists:
      case Word::empty:
        test.values.emplace_back(value.as_boolean());
        break;
      case Word::eq:
      case Word::contains:
        test.values.push_back(value.as_json());
        break;
      default:
        for (const auto& item : value.items()) test.values.push_back(item.as_json());
    }
    const bool needs_pointer = test.word != Word::status && test.word != Word::all &&
                               test.word != Word::any && test.word != Word::negated;
    if (needs_pointer && !node["pointer"].exists())
      key.fail("connector.pointer", fmt::format("`{}` tests nothing: `pointer` is missing", name),
               "add pointer: /path/to/value");
    everything.inner.push_back(std::move(test));
  }
  if (everything.inner.empty()) node.fail("connector.test", "a test needs at least one condition");
  out.test_ = std::make_shared<const Test>(std::move(everything));
  return out;
}

}  // namespace eddy::connectors
