#include "connectors/declarative/outcome.h"

#include <fmt/format.h>

#include <unordered_map>

#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

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

namespace {

// Finds the rows an item speaks of.
class Matcher {
 public:
  Matcher(const MatchSpec& spec, std::span<const RenderedRow> rows, const Lookup& lookup)
      : spec_(spec), rows_(rows), pointer_(render_pointer(spec.pointer, lookup)) {
    if (spec.by != MatchSpec::By::echo) return;
    for (std::size_t i = 0; i < rows.size(); ++i)
      places_[folded(spec.row == MatchSpec::Row::trace ? rows[i].trace : rows[i].key_text)].push_back(i);
  }

  // `item` is number `index` of `count`.
  std::vector<std::size_t> rows_of(const json& item, std::size_t index, std::size_t count) const {
    switch (spec_.by) {
      case MatchSpec::By::position:
        // Fewer or more items than rows: no position can be trusted.
        if (count == rows_.size()) return {index};
        return {};
      case MatchSpec::By::all: {
        std::vector<std::size_t> every(rows_.size());
        for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
        return every;
      }
      case MatchSpec::By::index:
        return row_at(at(item, pointer_));
      case MatchSpec::By::echo:
        return rows_echoed(at(item, pointer_));
    }
    return {};
  }

 private:
  std::string folded(const std::string& text) const { return spec_.ignore_case ? lower(text) : text; }

  std::vector<std::size_t> row_at(const json* value) const {
    if (value == nullptr || !value->is_number_unsigned()) return {};
    const auto place = value->get<std::size_t>();
    if (place >= rows_.size()) return {};
    return {place};
  }

  std::vector<std::size_t> rows_echoed(const json* value) const {
    if (value == nullptr || value->is_null() || value->is_object()) return {};
    std::vector<std::size_t> out;
    const json list = value->is_array() ? *value : json::array({*value});
    for (const json& echo : list) {
      if (!echo.is_primitive()) continue;
      // Two rows whose keys differ only in case cannot be told apart by an echo that ignores it.
      const auto found = places_.find(folded(plain_text(echo)));
      if (found != places_.end() && found->second.size() == 1) out.push_back(found->second.front());
    }
    return out;
  }

  const MatchSpec& spec_;
  std::span<const RenderedRow> rows_;
  std::string pointer_;
  std::unordered_map<std::string, std::vector<std::size_t>> places_;
};

std::optional<Verdict> failed_row(const json& item, const RowsSpec& list, const ErrorSpec& errors) {
  const auto codes = texts_at(&item, list.code);
  const auto messages = texts_at(&item, list.message);
  const std::string message = for_people(
      messages.empty() ? item.dump(-1, ' ', false, json::error_handler_t::replace) : messages.front());
  for (const std::string& code : codes) {
    const auto rule = errors.codes.find(code);
    if (rule == errors.codes.end()) continue;
    switch (rule->second.error_class) {
      case ErrorClass::done:
        return Verdict::applied();
      case ErrorClass::row:
      case ErrorClass::config:
        return Verdict::rejected(for_people(code), message);
      // The rest of the batch has been processed, so nothing may be thrown; the next request will meet the
      // cause itself.
      default:
        return Verdict::retry(for_people(code), message);
    }
  }
  // Neither a success nor a reason: an item that says nothing refuses nothing.
  if (codes.empty() && !list.refused) return std::nullopt;
  return Verdict::rejected(codes.empty() ? "refused" : for_people(codes.front()), message);
}

std::optional<Verdict> verdict_of(const json& item, const RowsSpec& list, const ErrorSpec& errors,
                                  int status) {
  if (list.refused || !list.applied_when.holds(status, &item)) return failed_row(item, list, errors);
  const json* id = list.id.empty() ? nullptr : at(item, list.id);
  const bool known = id != nullptr && id->is_primitive();
  return Verdict::applied(known ? for_people(plain_text(*id)) : std::string(),
                          list.tells_created && list.created_when.holds(status, &item));
}

}  // namespace

std::vector<Verdict> read_rows(const Reply& reply, const OutcomeSpec& outcome, const ErrorSpec& errors,
                               std::span<const RenderedRow> rows, const Lookup& lookup,
                               const Verdict& unknown) {
  std::vector<std::optional<Verdict>> found(rows.size());
  std::vector<bool> contradicted(rows.size());
  const auto record = [&](std::size_t row, const Verdict& verdict) {
    if (found[row] && found[row]->outcome != verdict.outcome) contradicted[row] = true;
    if (!found[row]) found[row] = verdict;
  };
  // A reply without a body (204) is an item of its own: predicates over the status can still read it.
  static const json nothing;
  const json& whole = reply.json ? *reply.json : nothing;
  for (const RowsSpec& list : outcome.rows) {
    const std::string pointer = render_pointer(list.items, lookup);
    const json* items = at(whole, pointer);
    if (items == nullptr || (items->is_null() && !pointer.empty())) continue;
    const json wrapped = items->is_array() ? json() : json::array({*items});
    const json& sequence = items->is_array() ? *items : wrapped;
    std::vector<Matcher> matchers;
    for (const MatchSpec& match : list.match) matchers.emplace_back(match, rows, lookup);
    for (std::size_t i = 0; i < sequence.size(); ++i) {
      for (const Matcher& matcher : matchers) {
        const auto places = matcher.rows_of(sequence[i], i, sequence.size());
        if (places.empty()) continue;
        const Verdict verdict = verdict_of(sequence[i], list, errors, reply.status).value_or(unknown);
        for (const std::size_t place : places) record(place, verdict);
        break;
      }
    }
  }
  std::vector<Verdict> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (found[i] && !contradicted[i])
      out.push_back(std::move(*found[i]));
    else if (!found[i] && outcome.missing_row_applied)
      out.push_back(Verdict::applied());
    else
      out.push_back(unknown);
  }
  return out;
}

}  // namespace eddy::connectors
