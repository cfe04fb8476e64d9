// Everything at once: incremental exports by cursor and by time, and the search over all kinds of records.
#include "core/error.h"
#include "core/text.h"
#include "sandbox/zendesk/zendesk.h"

namespace eddy::sandbox::zendesk {
namespace {

constexpr std::size_t export_rows_max = 1000;

std::int64_t seconds_of(Clock::WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}
std::int64_t ticks_of(Clock::WallTime time) { return time.time_since_epoch().count(); }

// One word of a search: "email:ann@x.de", "created>2026-01-01", "-tags:vip", "ann".
struct Word {
  std::string field{}, value{};
  char op = ':';
  bool negated = false;
};

std::vector<Word> words_in(const std::string& query) {
  std::vector<Word> words;
  std::string text;
  bool quoted = false;
  const auto end_word = [&] {
    if (text.empty()) return;
    Word word;
    if (text.front() == '-') {
      word.negated = true;
      text.erase(0, 1);
    }
    const std::size_t at = text.find_first_of(":<>");
    if (at != std::string::npos) {
      word.field = lower(text.substr(0, at));
      word.op = text[at];
    }
    word.value = lower(at == std::string::npos ? text : text.substr(at + 1));
    words.push_back(std::move(word));
    text.clear();
  };
  for (const char c : query) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      end_word();
    } else {
      text += c;
    }
  }
  end_word();
  return words;
}

std::vector<std::string> texts_of(const Json& value) {
  std::vector<std::string> out;
  for (const Json& one : value.is_array() ? value : Json::array({value})) out.push_back(lower(text_of(one)));
  return out;
}

bool passes(const Word& word, const std::string& object, const Json& record) {
  if (word.field == "type") return word.value + "s" == object;
  if (word.field.empty())
    return std::ranges::any_of(record, [&](const Json& value) {
      return !value.is_structured() && lower(text_of(value)).find(word.value) != std::string::npos;
    });
  std::string name = word.field;
  if (name == "created" || name == "updated") name += "_at";
  if (name == "organization") name = "organization_id";
  if (name == "requester") name = "requester_id";
  Json value = record.value(name, Json());
  for (const char* custom : {"user_fields", "organization_fields"})
    if (record.contains(custom) && record[custom].contains(name)) value = record[custom][name];
  if (word.value == "none") return value.is_null() || value == "" || value == Json::array();
  const auto texts = texts_of(value);
  return std::ranges::any_of(texts, [&](const std::string& text) {
    if (word.op == ':')
      return text == word.value || (name == "name" && text.find(word.value) != std::string::npos);
    if (text.empty()) return false;
    if (value.is_number()) {
      const double a = std::atof(text.c_str()), b = std::atof(word.value.c_str());
      return word.op == '<' ? a < b : a > b;
    }
    return word.op == '<' ? text < word.value : text > word.value;  // times are written so that this is right
  });
}

}  // namespace

std::optional<Reply> Zendesk::too_many_exports(Call& call) {
  if (export_bucket_.take()) return std::nullopt;
  call.throttled = true;
  Reply reply = Reply::text(
      429, "Number of allowed incremental ticket export API requests per minute exceeded", "text/plain");
  reply.set("Retry-After", std::to_string(export_bucket_.until_next().count()));
  return reply;
}

std::vector<const Record*> Zendesk::by_time(const std::string& object, std::int64_t from_second) {
  std::vector<const Record*> records;
  for (const auto& [place, record] : store_.table(object).records())
    if (seconds_of(record.updated) >= from_second) records.push_back(&record);
  std::ranges::stable_sort(records, {}, [](const Record* record) { return record->updated; });
  return records;
}

Reply Zendesk::export_by_cursor(Call& call, const Params& params) {
  if (auto refused = too_many_exports(call)) return *refused;
  const std::string object = params.at("kind");
  const auto start = call.request.query_value("start_time"), cursor = call.request.query_value("cursor");
  if (!start && !cursor) return error(400, "InvalidAttribute", "Parameter start_time or cursor is required");
  std::int64_t after_tick = 0;
  std::string after_id;
  if (cursor) {
    const auto parts = split(*cursor, '-');
    if (parts.size() != 2) return error(400, "InvalidCursor", "The cursor is invalid");
    after_tick = std::atoll(parts[0].c_str());
    after_id = parts[1];
  }
  std::size_t most = export_rows_max;
  if (const auto size = call.request.query_value("per_page"))
    most = std::clamp<std::size_t>(static_cast<std::size_t>(std::atoi(size->c_str())), 1, export_rows_max);
  std::vector<const Record*> records = by_time(object, start && !cursor ? std::atoll(start->c_str()) : 0);
  if (cursor)
    std::erase_if(records, [&](const Record* record) {
      return ticks_of(record->updated) < after_tick ||
             (ticks_of(record->updated) == after_tick &&
              std::atoll(record->id.c_str()) <= std::atoll(after_id.c_str()));
    });
  std::ranges::stable_sort(records, [](const Record* a, const Record* b) {
    return a->updated != b->updated ? a->updated < b->updated
                                    : std::atoll(a->id.c_str()) < std::atoll(b->id.c_str());
  });
  Json list = Json::array();
  for (const Record* record : records) {
    if (list.size() == most) break;
    list.push_back(record_json(object, *record));
    after_tick = ticks_of(record->updated);
    after_id = record->id;
  }
  const bool ended = list.size() == records.size();
  const Json next = after_id.empty() ? Json(nullptr) : Json(fmt::format("{}-{}", after_tick, after_id));
  return json_reply(
      200,
      {{object, list},
       {"after_cursor", next},
       {"after_url", next.is_null() ? Json(nullptr)
                                    : Json(fmt::format("{}{}?cursor={}", base_url_, call.request.path,
                                                       next.get<std::string>()))},
       {"before_cursor", nullptr},
       {"before_url", nullptr},
       {"end_of_stream", ended}},
      "application/json; charset=utf-8");
}

// Pages overlap at their ends: the next one starts with the second in which the last one ended.
Reply Zendesk::export_by_time(Call& call, const Params& params) {
  if (auto refused = too_many_exports(call)) return *refused;
  const std::string object = params.at("kind");
  const auto start = call.request.query_value("start_time");
  if (!start) return error(400, "InvalidAttribute", "Parameter start_time is required");
  const auto records = by_time(object, std::atoll(start->c_str()));
  Json list = Json::array();
  std::int64_t last = std::atoll(start->c_str());
  for (const Record* record : records) {
    if (list.size() >= export_rows_max && seconds_of(record->updated) != last) break;
    list.push_back(record_json(object, *record));
    last = seconds_of(record->updated);
  }
  const bool ended = list.size() == records.size();
  return json_reply(200,
                    {{object, list},
                     {"next_page", fmt::format("{}{}?start_time={}", base_url_, call.request.path, last)},
                     {"count", list.size()},
                     {"end_time", last},
                     {"end_of_stream", ended}},
                    "application/json; charset=utf-8");
}

std::vector<Json> Zendesk::found_by(const std::string& query, const std::string& type) {
  const auto words = words_in(query);
  std::vector<Json> found;
  for (const std::string object : {"users", "organizations", "tickets"}) {
    if (!type.empty() && type + "s" != object) continue;
    for (const auto& [place, record] : store_.table(object).records()) {
      Json shown = record_json(object, record);
      if (!std::ranges::all_of(words,
                               [&](const Word& word) { return passes(word, object, shown) != word.negated; }))
        continue;
      shown["result_type"] = singular(object);
      found.push_back(std::move(shown));
    }
  }
  return found;
}

Reply Zendesk::search_all(Call& call, const Params&) {
  const auto query = call.request.query_value("query");
  if (!query) return error(400, "InvalidAttribute", "Parameter query is required");
  auto found = found_by(*query, call.request.query_value("filter[type]").value_or(""));
  if (call.request.query_value("sort_order") == "desc") std::ranges::reverse(found);
  Json reply = paged("results", std::move(found), call.request);
  if (reply.contains("next_page")) reply["facets"] = nullptr;
  return json_reply(200, reply, "application/json; charset=utf-8");
}

Reply Zendesk::search_count(Call& call, const Params&) {
  return json_reply(200, {{"count", found_by(call.request.query_value("query").value_or(""), "").size()}},
                    "application/json; charset=utf-8");
}

}  // namespace eddy::sandbox::zendesk
