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
  const ObjectType& type = *find_type(params.at("type"));
  const std::size_t limit = number_or(call.request.query_value("limit"), 10);
  if (limit == 0 || limit > 100)
    return problem_reply({.category = "VALIDATION_ERROR", .message = "limit must be between 1 and 100"});
  const std::size_t after = number_or(call.request.query_value("after"), 0);
  Json asked = Json::array();
  for (const auto& [name, value] : call.request.query)
    if (name == "properties")
      for (const std::string& one : split(value, ',')) asked.push_back(one);
  const auto names = read_names(type, asked);
  const Table::Records& records = objects_.table(type).records();
  Json results = Json::array();
  // `after` is the place of the last record shown, so records that come or go do not shift the pages.
  auto at = records.upper_bound(after);
  std::uint64_t last = 0;
  for (; at != records.end() && results.size() < limit; ++at) {
    results.push_back(objects_.read(type, at->second, names));
    last = at->first;
  }
  Json body = {{"results", results}};
  if (at != records.end())
    body["paging"] = {{"next",
                       {{"after", std::to_string(last)},
                        {"link", fmt::format("{}{}?limit={}&after={}", self(call.request),
                                             call.request.path, limit, last)}}}};
  return json_reply(200, body);
}

Reply HubSpot::search(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const ObjectType& type = *find_type(params.at("type"));
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
  std::vector<const Record*> found;
  for (const auto& [place, record] : objects_.table(type).records())
    if (matches(record)) found.push_back(&record);
  const auto names = read_names(type, body->value("properties", Json()));
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
  const ObjectType& type = *find_type(params.at("type"));
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
  call.effect.created = 1;
  call.effect.applied = true;
  return json_reply(201, objects_.read(type, record, names));
}

Reply HubSpot::read_one(Call& call, const Params& params) {
  const ObjectType& type = *find_type(params.at("type"));
  Record* record = nullptr;
  if (const auto problem =
          objects_.find(type, params.at("id"), call.request.query_value("idProperty").value_or(""), record))
    return problem_reply(*problem);
  if (record == nullptr)
    return problem_reply({.status = 404, .category = "OBJECT_NOT_FOUND", .message = "resource not found"});
  Json asked = Json::array();
  for (const auto& [name, value] : call.request.query)
    if (name == "properties")
      for (const std::string& one : split(value, ',')) asked.push_back(one);
  return json_reply(200, objects_.read(type, *record, read_names(type, asked)));
}

Reply HubSpot::update_one(Call& call, const Params& params) {
  Reply refusal;
  auto body = json_body(call, refusal);
  if (!body) return refusal;
  const ObjectType& type = *find_type(params.at("type"));
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

Reply HubSpot::archive_one(Call& call, const Params& params) {
  call.effect = {.write = true, .rows = 1, .keys = {params.at("id")}};
  if (objects_.archive(*find_type(params.at("type")), params.at("id"))) {
    call.effect.deleted = 1;
    call.effect.applied = true;
  }
  return Reply{.status = 204};
}

}  // namespace eddy::sandbox::hubspot
