// Calls about one record, lists and searches.
#include <charconv>

#include "core/text.h"
#include "sandbox/zendesk/zendesk.h"

namespace eddy::sandbox::zendesk {
namespace {

std::size_t number_or(const std::optional<std::string>& text, std::size_t otherwise) {
  std::size_t number = otherwise;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return std::max<std::size_t>(1, number);
}

}  // namespace

// The object under "user", "organization" or "ticket" of the body.
std::optional<Json> Zendesk::item_of(Call& call, const std::string& object, Reply& refused) {
  const auto body = parse_json(call.request.body);
  if (!body || !body->is_object()) {
    refused = error(400, "InvalidJson", "The body is not a JSON object");
    return std::nullopt;
  }
  const Json item = body->value(singular(object), Json());
  if (item.is_object()) return item;
  refused = error(400, "InvalidAttribute",
                  fmt::format("Parameter {} is required and is an object", singular(object)));
  return std::nullopt;
}

Reply Zendesk::create_or_update(Call& call, const Params& params) {
  const std::string object = object_of(params);
  Reply refused;
  const auto item = item_of(call, object, refused);
  if (!item) return refused;
  call.effect = {.write = true, .rows = 1, .keys = {key_of(*item)}};
  if (const Record* known = match(object, *item); known != nullptr && written_too_often(object, *known))
    return too_often(call);
  const Outcome outcome = write(object, *item, Write::create_or_update, nullptr);
  count(call.effect, outcome);
  if (outcome.record == nullptr) return refusal(outcome);
  const Json record = record_json(object, *outcome.record);
  Reply reply = json_reply(outcome.created ? 201 : 200, {{singular(object), record}},
                           "application/json; charset=utf-8");
  if (outcome.created) reply.set("Location", record["url"].get<std::string>());
  return reply;
}

Reply Zendesk::create_one(Call& call, const Params& params) {
  const std::string object = object_of(params);
  Reply refused;
  const auto item = item_of(call, object, refused);
  if (!item) return refused;
  call.effect = {.write = true, .rows = 1, .keys = {key_of(*item)}};
  const Outcome outcome = write(object, *item, Write::create, nullptr);
  count(call.effect, outcome);
  if (outcome.record == nullptr) return refusal(outcome);
  Json body = {{singular(object), record_json(object, *outcome.record)}};
  if (object == "tickets") body["audit"] = audit_of(*outcome.record);
  Reply reply = json_reply(201, body, "application/json; charset=utf-8");
  return reply.set("Location", body[singular(object)]["url"].get<std::string>());
}

Reply Zendesk::update_one(Call& call, const Params& params) {
  const std::string object = object_of(params);
  Reply refused;
  const auto item = item_of(call, object, refused);
  if (!item) return refused;
  call.effect = {.write = true, .rows = 1, .keys = {params.at("id")}};
  Record* target = store_.table(object).by_id(params.at("id"));
  if (target != nullptr && written_too_often(object, *target)) return too_often(call);
  const Outcome outcome = write(object, *item, Write::update, target);
  count(call.effect, outcome);
  if (outcome.record == nullptr) return refusal(outcome);
  Json body = {{singular(object), record_json(object, *outcome.record)}};
  if (object == "tickets") body["audit"] = audit_of(*outcome.record);
  return json_reply(200, body, "application/json; charset=utf-8");
}

Reply Zendesk::read_one(Call&, const Params& params) {
  const std::string object = object_of(params);
  const Record* record = store_.table(object).by_id(params.at("id"));
  if (record == nullptr) return record_not_found();
  return json_reply(200, {{singular(object), record_json(object, *record)}},
                    "application/json; charset=utf-8");
}

Reply Zendesk::delete_one(Call& call, const Params& params) {
  const std::string object = object_of(params);
  call.effect = {.write = true, .rows = 1, .keys = {params.at("id")}};
  const Record* record = store_.table(object).by_id(params.at("id"));
  if (record == nullptr) {
    call.effect.rejected = 1;
    return record_not_found();
  }
  Json last = record_json(object, *record);
  store_.table(object).remove(params.at("id"));
  call.effect.deleted = 1;
  call.effect.applied = true;
  if (object != "users") return Reply{.status = 204};
  last["active"] = false;  // users are kept, hidden
  return json_reply(200, {{"user", last}}, "application/json; charset=utf-8");
}

// By ?page= and ?per_page=, or by cursor when ?page[size]= or ?page[after]= is there.
Json Zendesk::paged(const std::string& name, std::vector<Json> all, const IncomingRequest& request) {
  const auto cursor_size = request.query_value("page[size]"), cursor = request.query_value("page[after]");
  Json list = Json::array();
  std::string kept;  // the other words of the query, for the links
  for (const auto& [key, value] : request.query)
    if (key != "page" && key != "per_page" && !key.starts_with("page["))
      kept += fmt::format("&{}={}", key, replace_all(value, " ", "%20"));
  const auto take = [&](std::size_t from, std::size_t size) {
    for (std::size_t i = from; i < all.size() && list.size() < size; ++i) list.push_back(std::move(all[i]));
    return from + list.size();
  };
  if (cursor_size || cursor) {
    const std::size_t size = std::min<std::size_t>(100, number_or(cursor_size, 100));
    const std::size_t from = cursor ? number_or(cursor, 1) - 1 : 0;
    const std::size_t end = take(from, size);
    const bool more = end < all.size();
    const std::string after = std::to_string(end + 1);
    return {{name, list},
            {"meta",
             {{"has_more", more},
              {"after_cursor", more ? Json(after) : Json(nullptr)},
              {"before_cursor", from > 0 ? Json(std::to_string(from + 1)) : Json(nullptr)}}},
            {"links",
             {{"next", more ? Json(fmt::format("{}{}?page%5Bsize%5D={}&page%5Bafter%5D={}{}", base_url_,
                                               request.path, size, after, kept))
                            : Json(nullptr)},
              {"prev", nullptr}}}};
  }
  const std::size_t size = std::min<std::size_t>(100, number_or(request.query_value("per_page"), 100));
  const std::size_t number = number_or(request.query_value("page"), 1);
  const std::size_t count = all.size(), end = take((number - 1) * size, size);
  const auto link = [&](std::size_t page) {
    return fmt::format("{}{}?page={}&per_page={}{}", base_url_, request.path, page, size, kept);
  };
  return {{name, list},
          {"next_page", end < count ? Json(link(number + 1)) : Json(nullptr)},
          {"previous_page", number > 1 ? Json(link(number - 1)) : Json(nullptr)},
          {"count", count}};
}

Reply Zendesk::page(const std::string& object, const std::vector<const Record*>& records,
                    const IncomingRequest& request) {
  std::vector<Json> all;
  for (const Record* record : records) all.push_back(record_json(object, *record));
  return json_reply(200, paged(object, std::move(all), request), "application/json; charset=utf-8");
}

Reply Zendesk::list(Call& call, const Params& params) {
  std::vector<const Record*> all;
  const auto external = call.request.query_value("external_id");
  for (const auto& [place, record] : store_.table(object_of(params)).records())
    if (!external || text_of(record.fields.value("external_id", Json())) == *external) all.push_back(&record);
  return page(object_of(params), all, call.request);
}

Reply Zendesk::count_all(Call&, const Params& params) {
  return json_reply(
      200,
      {{"count", {{"value", store_.table(object_of(params)).size()}, {"refreshed_at", format_utc(now())}}}},
      "application/json; charset=utf-8");
}

Reply Zendesk::show_many(Call& call, const Params& params) {
  Table& table = store_.table(object_of(params));
  const auto by_id = call.request.query_value("ids"), by_external = call.request.query_value("external_ids");
  const auto wanted = split(by_id ? *by_id : by_external.value_or(""), ',');
  if (wanted.size() > 100)
    return error(400, "TooManyValues", "Parameter ids must have no more than 100 items");
  std::vector<const Record*> found;
  for (const std::string& one : wanted)
    if (const Record* record = by_id ? table.by_id(trim(one)) : table.first("external_id", trim(one)))
      found.push_back(record);
  return page(object_of(params), found, call.request);
}

Reply Zendesk::search(Call& call, const Params& params) {
  Table& table = store_.table(object_of(params));
  std::string field = "external_id", value = call.request.query_value("external_id").value_or("");
  if (const auto name = call.request.query_value("name")) field = "name", value = *name;
  if (const auto query = call.request.query_value("query")) {
    const std::size_t colon = query->find(':');
    field = colon == std::string::npos ? "email" : query->substr(0, colon);
    value = colon == std::string::npos ? *query : query->substr(colon + 1);
    if (value.size() > 1 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
  }
  if (value.empty()) return error(400, "InvalidAttribute", "Parameter query or external_id is required");
  std::vector<const Record*> found;
  for (const Record* record : table.find(field, field == "email" ? lower(value) : value))
    found.push_back(record);
  return page(object_of(params), found, call.request);
}

Reply Zendesk::me(Call&, const Params&) {
  return json_reply(200,
                    {{"user",
                      {{"id", 1},
                       {"url", base_url_ + "/api/v2/users/1.json"},
                       {"name", "Sandbox Agent"},
                       {"email", settings_.email},
                       {"role", "admin"},
                       {"active", true},
                       {"verified", true}}}},
                    "application/json; charset=utf-8");
}

Reply Zendesk::fields(Call& call, const Params& params) {
  const std::string collection = object_of(params);
  std::vector<Json> list;
  if (collection == "ticket_fields") {
    list = system_ticket_fields(base_url_);
    for (const CustomField& field : ticket_fields())
      list.push_back(custom_field_json(field, base_url_, collection));
  } else {
    for (const CustomField& field : person_fields())
      list.push_back(custom_field_json(field, base_url_, collection));
  }
  return json_reply(200, paged(collection, std::move(list), call.request), "application/json; charset=utf-8");
}

Reply Zendesk::field(Call& call, const Params& params) {
  const Json all = Json::parse(fields(call, params).body);
  for (const Json& field : all[object_of(params)])
    if (text_of(field["id"]) == params.at("id") || field.value("key", "") == params.at("id")) {
      const std::string name = singular(object_of(params));
      return json_reply(200, {{name, field}}, "application/json; charset=utf-8");
    }
  return record_not_found();
}

}  // namespace eddy::sandbox::zendesk
