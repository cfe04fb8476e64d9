#include "connectors/declarative/outcome.h"

#include <fmt/format.h>

#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

ErrorClass class_of_status(int status) {
  switch (status) {
    case 401:
      return ErrorClass::auth;
    case 402:
    case 403:
    case 404:
    case 405:
    case 406:
    case 410:
    case 415:
      return ErrorClass::config;
    case 429:
      return ErrorClass::throttle;
    case 425:
    case 503:
      return ErrorClass::retry;
    default:
      break;
  }
  // A redirect is not followed: the base URL is wrong. Any other 4xx is about what was sent; 408 and 5xx
  // leave it open.
  if (status >= 300 && status < 400) return ErrorClass::config;
  if (status >= 400 && status < 500 && status != 408) return ErrorClass::row;
  return ErrorClass::unsure;
}

const ErrorRule* rule_for_status(const ErrorSpec& errors, int status) {
  for (const auto& [pattern, rule] : errors.statuses)
    if (status_matches(pattern, status)) return &rule;
  return nullptr;
}

}  // namespace

std::vector<std::string> texts_at(const json* document, const std::vector<std::string>& pointers) {
  std::vector<std::string> out;
  if (document == nullptr) return out;
  for (const std::string& pointer : pointers) {
    const json* value = at(*document, pointer);
    if (value == nullptr || !value->is_primitive() || value->is_null()) continue;
    if (std::string text = plain_text(*value); !text.empty()) out.push_back(std::move(text));
  }
  return out;
}

Refusal classify(const Reply& reply, const ErrorSpec& errors, Clock::WallTime now) {
  Refusal out;
  const json* body = reply.json ? &*reply.json : nullptr;
  const auto codes = texts_at(body, errors.code);
  const auto messages = texts_at(body, errors.message);
  out.code = codes.empty() ? fmt::format("http_{}", reply.status) : for_people(codes.front());
  out.message = for_people(!messages.empty()    ? messages.front()
                           : reply.body.empty() ? fmt::format("HTTP {} without a body", reply.status)
                                                : reply.body);
  const ErrorRule* rule = nullptr;
  for (const auto& [when, decided] : errors.rules) {
    if (rule == nullptr && when.holds(reply)) rule = &decided;
  }
  for (const std::string& code : codes) {
    if (rule != nullptr) break;
    if (const auto found = errors.codes.find(code); found != errors.codes.end()) {
      rule = &found->second;
      out.code = for_people(code);
      break;
    }
  }
  if (rule == nullptr) rule = rule_for_status(errors, reply.status);
  if (rule != nullptr) {
    out.error_class = rule->error_class;
    out.wait = rule->wait;
  } else if (reply.success_status()) {
    out.error_class = codes.empty() ? ErrorClass::unsure : ErrorClass::row;
    if (codes.empty()) {
      out.code = "unreadable_reply";
      out.message =
          fmt::format("HTTP {} with a body that does not say what happened: {}", reply.status, out.message);
    }
  } else {
    out.error_class = class_of_status(reply.status);
  }
  if (const auto header = reply.headers.get("Retry-After"))
    if (const auto told = http::parse_retry_after(*header, now)) out.wait = told;
  return out;
}

bool processed(const Reply& reply, const OutcomeSpec& outcome) {
  return outcome.success_when.given() ? outcome.success_when.holds(reply) : reply.success_status();
}

}  // namespace eddy::connectors
