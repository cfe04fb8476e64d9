// A service's reply as the connector words see it, and the fixed predicates over it.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "config/shape.h"
#include "connectors/declarative/template.h"
#include "transport/http/exchange.h"

namespace eddy::connectors {

// Strict JSON, or nullopt: empty, truncated, invalid UTF-8, trailing bytes, deeper than 64 levels. Never
// throws.
std::optional<nlohmann::json> parse_json(std::string_view body);

// A reply with its body read once. Keeps copies; immutable.
struct Reply {
  explicit Reply(http::Response response);
  bool success_status() const { return status >= 200 && status < 300; }
  int status;
  http::Headers headers;
  std::string body;
  std::optional<nlohmann::json> json;  // nullopt: the body is not JSON
};

// What lies at a JSON pointer (RFC 6901); nullptr when there is nothing. "" is the whole document.
const nlohmann::json* at(const nlohmann::json& document, const std::string& pointer);
// The same for a pointer with {placeholders}; the values are escaped as reference tokens.
std::string render_pointer(const Template& pointer, const Lookup& lookup);
// Text for people out of a reply of unknown shape: valid UTF-8, no control characters, at most 300 bytes,
// secrets redacted.
std::string for_people(std::string_view text);

// A fixed test: {status: 2xx}, or {pointer: /x, eq|in|exists|contains|matches|empty: …}, or {all|any:
// [tests]}, {not: test}. `status` looks at the reply, pointers at the item (a row's part of the reply) or,
// without one, at the whole body.
class Predicate {
 public:
  Predicate();  // always true
  static config::Shape shape();
  static Predicate parse(const config::Node& node);
  bool given() const { return test_ != nullptr; }
  bool holds(int status, const nlohmann::json* item) const;
  bool holds(const Reply& reply) const { return holds(reply.status, reply.json ? &*reply.json : nullptr); }

 private:
  struct Test;
  std::shared_ptr<const Test> test_;  // immutable, shared between copies
};

// "404", "4xx", "2xx" against 404.
bool status_matches(std::string_view pattern, int status);

}  // namespace eddy::connectors
