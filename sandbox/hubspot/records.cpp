// Records one at a time, listed, and searched.
#include <charconv>

#include "core/text.h"
#include "sandbox/hubspot/hubspot.h"

namespace eddy::sandbox::hubspot {
namespace {

constexpr std::size_t search_window = 10'000;

std::size_t number_or(const std::optional<std::string>& text, std::size_t otherwise) {
  std::size_t number = otherwise;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

std::string value_of(const Record& record, const ObjectType& type, const std::string& name) {
  if (name == "hs_object_id") return record.id;
  if (name == "createdate") return hubspot_time(record.created);
  if (name == type.modified) return hubspot_time(record.updated);
  return text_of(record.fields.value(name, Json()));
}

// Numbers compare as numbers, all else as text without case.
int compare(const std::string& a, const std::string& b) {
  double x = 0, y = 0;
  const auto whole = [](const std::string& text, double& number) {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    return ec == std::errc{} && end == text.data() + text.size();
  };
  if (whole(a, x) && whole(b, y)) return x < y ? -1 : x > y ? 1 : 0;
  return lower(a).compare(lower(b));
}

std::vector<std::string> wanted_values(const Json& filter) {
  std::vector<std::string> values;
  const Json list = filter.value("values", Json::array());
  for (const Json& value : list.is_array() ? list : Json::array()) values.push_back(text_of(value));
  return values;
}

// nullopt when the operator is not one of those served.
std::optional<bool> passes(const std::string& actual, const Json& filter) {
  const std::string op = text_of(filter.value("operator", Json()));
  const std::string wanted = text_of(filter.value("value", Json()));
  const auto values = wanted_values(filter);
  const auto among = [&] {
    return std::ranges::any_of(values, [&](const auto& v) { return compare(v, actual) == 0; });
  };
  if (op == "HAS_PROPERTY") return !actual.empty();
  if (op == "NOT_HAS_PROPERTY") return actual.empty();
  if (op == "EQ") return compare(actual, wanted) == 0;
  if (op == "NEQ") return compare(actual, wanted) != 0;
  if (op == "IN") return !actual.empty() && among();
  if (op == "NOT_IN") return !among();
  if (op == "LT") return !actual.empty() && compare(actual, wanted) < 0;
  if (op == "LTE") return !actual.empty() && compare(actual, wanted) <= 0;
  if (op == "GT") return !actual.empty() && compare(actual, wanted) > 0;
  if (op == "GTE") return !actual.empty() && compare(actual, wanted) >= 0;
  if (op == "BETWEEN")
    return !actual.empty() && compare(actual, wanted) >= 0 &&
           compare(actual, text_of(filter.value("highValue", Json()))) <= 0;
  if (op == "CONTAINS_TOKEN")
    return lower(actual).find(lower(replace_all(wanted, "*", ""))) != std::string::npos;
  return std::nullopt;
}

}  // namespace

Reply HubSpot::list(Call& call, const Params& params) {
  const ObjectType& type = *objects_.type(params.at("type"));
  const std::size_t limit = number_or(call.request.query_value("limit"), 10);
  if (limit == 0 || limit > 100)
    return problem_reply({.category = "VALIDATION_ERROR", .message = "limit must be between 1 and 100"});
  const std::size_t after = number_or(call.request.query_value("after"), 0);
  const bool archived = lower(call.request.query_value("archived").value_or("")) == "true";
  const Table::Records& records = (archived ? objects_.archived(type) : objects_.table(type)).records();
  Json results = Json::array();
  // `after` is the place of the last record shown, so records that come or go do not shift the pages.
  auto at = records.upper_bound(after);
  std::uint64_t last = 0;
  for (; at != records.end() && results.size() < limit; ++at) {
    results.push_back(shown_record(call, type, at->second, archived));
    last = at->first;
  }
  Json body = {{"results", results}};
  if (at != records.end())
    body["paging"] = {{"next",
                       {{"after", std::to_string(last)},
                        {"link", fmt::format("{}{}?limit={}&after={}", self(call.request), call.request.path,
                                             limit, last)}}}};
  return json_reply(200, body);
}

Reply HubSpot::search(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  if (!search_bucket_.take()) {  // a limit of its own, about which no header speaks
    call.throttled = true;
    return json_reply(429, {{"status", "error"},
                            {"message", "You have reached your secondly limit."},
                            {"errorType", "RATE_LIMIT"},
                            {"correlationId", random_uuid(random_)},
                            {"policyName", "SECONDLY"},
                            {"requestId", random_hex(random_, 32)}});
  }
  const ObjectType& type = *objects_.type(params.at("type"));
  const auto invalid = [&](const std::string& message) {
    return problem_reply({.category = "VALIDATION_ERROR", .message = message});
  };
  const Json limit_value = body->value("limit", Json(10));
  const std::size_t limit = number_or(text_of(limit_value), 10);
  const std::size_t after = number_or(text_of(body->value("after", Json(0))), 0);
  if (limit > 200) return invalid("limit must be at most 200");
  if (after + limit > search_window) return invalid("Paging beyond 10,000 results is not supported");
  Json groups = body->value("filterGroups", Json::array());
  if (body->contains("filters")) groups.push_back({{"filters", (*body)["filters"]}});
  if (!groups.is_array() || groups.size() > 5) return invalid("filterGroups is a list of at most 5 groups");

  for (const Json& group : groups)
    for (const Json& filter : group.value("filters", Json::array())) {
      const std::string name = text_of(filter.value("propertyName", Json()));
      if (objects_.property(type, name) == nullptr)
        return invalid(fmt::format("There was a problem with the request: property {} does not exist", name));
      if (!passes("", filter)) return invalid("There was a problem with the request: unknown operator");
    }
  const auto matches = [&](const Record& record) {
    return groups.empty() || std::ranges::any_of(groups, [&](const Json& group) {
             const Json filters = group.value("filters", Json::array());
             return std::ranges::all_of(filters, [&](const Json& filter) {
               return *passes(value_of(record, type, text_of(filter["propertyName"])), filter);
             });
           });
  };
  const std::string words = lower(text_of(body->value("query", Json())));
  const auto mentions = [&](const Record& record) {
    return words.empty() || std::ranges::any_of(record.fields, [&](const Json& value) {
             return lower(text_of(value)).find(words) != std::string::npos;
           });
  };
  std::vector<const Record*> found;
  const auto lag = remember_for_search("search_lag");
  for (const Record* record : objects_.table(type).as_of(fault(call, "search_lag") ? now() - lag : now()))
    if (matches(*record) && mentions(*record)) found.push_back(record);
  // {propertyName, direction}, or "name" and "-name"; only the first counts.
  if (const Json sorts = body->value("sorts", Json::array()); sorts.is_array() && !sorts.empty()) {
    const bool object = sorts[0].is_object();
    std::string name = object ? text_of(sorts[0].value("propertyName", Json())) : text_of(sorts[0]);
    const bool down = object ? sorts[0].value("direction", "") == "DESCENDING" : name.starts_with('-');
    if (!object && down) name.erase(0, 1);
    std::ranges::stable_sort(found, [&](const Record* a, const Record* b) {
      const int c = compare(value_of(*a, type, name), value_of(*b, type, name));
      return down ? c > 0 : c < 0;
    });
  }
  std::vector<std::string> asked;
  for (const Json& name : body->value("properties", Json::array())) asked.push_back(text_of(name));
  const auto names = read_names(type, asked);
  Json results = Json::array();
  for (std::size_t i = after; i < found.size() && results.size() < limit; ++i)
    results.push_back(objects_.read(type, *found[i], names));
  Json out = {{"total", found.size()}, {"results", results}};
  if (after + results.size() < found.size())
    out["paging"] = {{"next", {{"after", std::to_string(after + results.size())}}}};
  return json_reply(200, out);
}

Reply HubSpot::create_one(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const ObjectType& type = *objects_.type(params.at("type"));
  call.effect = {.write = true, .rows = 1};
  Draft one = draft(type, *body, BatchWrite::create);
  call.effect.keys = {one.key};
  if (one.problem) {
    call.effect.rejected = 1;
    return problem_reply(*one.problem);
  }
  std::vector<std::string> names;
  for (const auto& [name, value] : one.properties.items()) names.push_back(name);
  const Record& record = objects_.write(one);
  for (const WantedLink& wanted : one.links) link(type, record.id, *wanted.type, wanted.id, wanted.types);
  call.effect.created = 1;
  call.effect.applied = true;
  return json_reply(201, objects_.read(type, record, names));
}

// Values of a query parameter that is repeated or separated by commas.
std::vector<std::string> HubSpot::words_of(const Call& call, std::string_view name) {
  std::vector<std::string> words;
  for (const auto& [key, value] : call.request.query)
    if (key == name)
      for (const std::string& word : split(value, ','))
        if (!word.empty()) words.push_back(word);
  return words;
}

// The record with what ?propertiesWithHistory= and ?associations= ask for beside its properties.
Json HubSpot::shown_record(const Call& call, const ObjectType& type, const Record& record, bool archived) {
  Json out = objects_.read(type, record, read_names(type, words_of(call, "properties")), archived);
  for (const std::string& name : words_of(call, "propertiesWithHistory"))
    out["propertiesWithHistory"][name] = history_of(type, record, name);
  for (const std::string& name : words_of(call, "associations"))
    if (const ObjectType* other = objects_.type(name))
      if (Json links = links_of(type, record.id, *other); !links.empty())
        out["associations"][other->name] = {{"results", links}};
  return out;
}

// Only the last value is kept here.
Json HubSpot::history_of(const ObjectType& type, const Record& record, const std::string& name) {
  const std::string value = value_of(record, type, name);
  if (value.empty()) return Json::array();
  return Json::array({{{"value", value},
                       {"timestamp", hubspot_time(record.updated)},
                       {"sourceType", "INTEGRATION"},
                       {"sourceId", "sandbox"}}});
}

Reply HubSpot::read_one(Call& call, const Params& params) {
  const ObjectType& type = *objects_.type(params.at("type"));
  const bool archived = lower(call.request.query_value("archived").value_or("")) == "true";
  Record* record = archived ? objects_.archived(type).by_id(params.at("id")) : nullptr;
  if (!archived)
    if (const auto problem =
            objects_.find(type, params.at("id"), call.request.query_value("idProperty").value_or(""), record))
      return problem_reply(*problem);
  if (record == nullptr)
    return problem_reply({.status = 404, .category = "OBJECT_NOT_FOUND", .message = "resource not found"});
  return json_reply(200, shown_record(call, type, *record, archived));
}

Reply HubSpot::update_one(Call& call, const Params& params) {
  Reply refusal;
  auto body = json_body(call, refusal);
  if (!body) return refusal;
  const ObjectType& type = *objects_.type(params.at("type"));
  call.effect = {.write = true, .rows = 1, .keys = {params.at("id")}};
  (*body)["id"] = params.at("id");
  (*body)["idProperty"] = call.request.query_value("idProperty").value_or("");
  Draft one = draft(type, *body, BatchWrite::update);
  if (one.problem) {
    call.effect.rejected = 1;
    return problem_reply(*one.problem);
  }
  std::vector<std::string> names;
  for (const auto& [name, value] : one.properties.items()) names.push_back(name);
  const Record& record = objects_.write(one);
  call.effect.updated = 1;
  call.effect.applied = true;
  return json_reply(200, objects_.read(type, record, names));
}

bool HubSpot::archive(const ObjectType& type, const std::string& id) {
  if (!objects_.archive(type, id)) return false;
  unlink_all(type, id);
  Table& members = store_.table("_list_members");
  for (const Record* member : members.find("record", id)) {
    const Record* list = store_.table("_lists").by_id(text_of(member->fields["list"]));
    if (list == nullptr || list->fields["objectTypeId"] == type.id) members.remove(std::string{member->id});
  }
  return true;
}

Reply HubSpot::archive_one(Call& call, const Params& params) {
  call.effect = {.write = true, .rows = 1, .keys = {params.at("id")}};
  if (archive(*objects_.type(params.at("type")), params.at("id"))) {
    call.effect.deleted = 1;
    call.effect.applied = true;
  }
  return Reply{.status = 204};
}

}  // namespace eddy::sandbox::hubspot
