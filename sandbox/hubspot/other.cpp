// Properties, associations, lists, the account.
#include "core/text.h"
#include "sandbox/hubspot/hubspot.h"

namespace eddy::sandbox::hubspot {
namespace {

constexpr std::size_t association_inputs_max = 2000, association_reads_max = 1000;

// The default label between two types; the ids of the service's own documentation.
int default_association(const ObjectType& from, const ObjectType& to) {
  static const std::map<std::pair<std::string, std::string>, int> ids = {
      {{"contacts", "companies"}, 279}, {{"companies", "contacts"}, 280}, {{"contacts", "deals"}, 4},
      {{"deals", "contacts"}, 3},       {{"deals", "companies"}, 341},    {{"companies", "deals"}, 342},
      {{"contacts", "tickets"}, 15},    {{"tickets", "contacts"}, 16},    {{"companies", "tickets"}, 340},
      {{"tickets", "companies"}, 339},  {{"contacts", "contacts"}, 449},  {{"companies", "companies"}, 450}};
  const auto known = ids.find({from.name, to.name});
  return known == ids.end() ? 1000 : known->second;
}

std::string pair_name(const ObjectType& from, const ObjectType& to) {
  return "_associations_" + from.name + "_" + to.name;
}
std::string id_in(const Json& input, const char* side) {
  const Json part = input.value(side, Json::object());
  return part.is_object() ? text_of(part.value("id", Json())) : text_of(part);
}

}  // namespace

Reply HubSpot::list_properties(Call&, const Params& params) {
  Json results = Json::array();
  for (const Property& property : objects_.properties(*find_type(params.at("type"))))
    results.push_back(property_json(property));
  return json_reply(200, {{"results", results}});
}

Reply HubSpot::read_property(Call&, const Params& params) {
  const Property* property = objects_.property(*find_type(params.at("type")), params.at("name"));
  if (property == nullptr)
    return problem_reply({.status = 404,
                          .category = "OBJECT_NOT_FOUND",
                          .message = fmt::format("Property \"{}\" does not exist", params.at("name"))});
  return json_reply(200, property_json(*property));
}

Reply HubSpot::create_property(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const ObjectType& type = *find_type(params.at("type"));
  std::string problem;
  const Property property = property_from_json(*body, problem);
  if (!problem.empty()) return problem_reply({.category = "VALIDATION_ERROR", .message = problem});
  if (objects_.property(type, property.name) != nullptr)
    return problem_reply({.status = 409,
                          .category = "OBJECT_ALREADY_EXISTS",
                          .message = fmt::format("A property named '{}' already exists.", property.name)});
  objects_.add_property(type, property);
  store_.changed_since_saved = true;
  return json_reply(201, property_json(property));
}

Reply HubSpot::archive_property(Call&, const Params& params) {
  objects_.remove_property(*find_type(params.at("type")), params.at("name"));
  store_.changed_since_saved = true;
  return Reply{.status = 204};
}

Reply HubSpot::schemas(Call&, const Params&) { return json_reply(200, {{"results", Json::array()}}); }

Reply HubSpot::associate(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, association_inputs_max, refusal) : std::nullopt;
  call.effect.write = true;
  if (!inputs) return refusal;
  const ObjectType &from = *find_type(params.at("from")), &to = *find_type(params.at("to"));
  std::vector<Json> results;
  Json errors = Json::array();
  call.effect.rows = inputs->size();
  for (const Json& input : *inputs) {
    const std::string a = id_in(input, "from"), b = id_in(input, "to");
    call.effect.keys.push_back(a + "-" + b);
    const ObjectType* missing = objects_.table(from).by_id(a) == nullptr ? &from
                                : objects_.table(to).by_id(b) == nullptr ? &to
                                                                         : nullptr;
    if (missing != nullptr) {
      ++call.effect.rejected;
      errors.push_back(error_item(not_found(*missing, missing == &from ? a : b), input));
      continue;
    }
    Json types = input.value("types", Json());
    if (!types.is_array() || types.empty())
      types = Json::array({{{"associationCategory", "HUBSPOT_DEFINED"},
                            {"associationTypeId", default_association(from, to)}}});
    Table& table = store_.table(pair_name(from, to));
    const Json fields = {{"from", a}, {"to", b}, {"types", types}};
    Record* known = table.by_id(a + "-" + b);
    ++(known == nullptr ? call.effect.created : call.effect.updated);
    if (known == nullptr)
      table.add(a + "-" + b, fields, now());
    else
      table.change(*known, fields, now());
    call.effect.applied = true;
    results.push_back({{"fromObjectTypeId", from.id},
                       {"fromObjectId", a},
                       {"toObjectTypeId", to.id},
                       {"toObjectId", b},
                       {"labels", Json::array()}});
  }
  return batch_reply(errors.empty() || fault_on("errors_under_200") ? 201 : 207, std::move(results), errors);
}

Reply HubSpot::associate_default(Call& call, const Params& params) {
  Reply reply = associate(call, params);
  if (reply.status == 201) reply.status = 200;
  return reply;
}

Reply HubSpot::dissociate(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, association_inputs_max, refusal) : std::nullopt;
  call.effect.write = true;
  if (!inputs) return refusal;
  Table& table = store_.table(pair_name(*find_type(params.at("from")), *find_type(params.at("to"))));
  for (const Json& input : *inputs) {
    const std::string from = id_in(input, "from");
    const Json targets = input.value("to", Json::array());
    for (const Json& target : targets.is_array() ? targets : Json::array({targets})) {
      ++call.effect.rows;
      if (!table.remove(from + "-" + id_in({{"to", target}}, "to"))) continue;
      ++call.effect.deleted;
      call.effect.applied = true;
    }
  }
  return Reply{.status = 204};
}

Reply HubSpot::read_associations(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, association_reads_max, refusal) : std::nullopt;
  if (!inputs) return refusal;
  const ObjectType &from = *find_type(params.at("from")), &to = *find_type(params.at("to"));
  std::vector<Json> results;
  for (const Json& input : *inputs) {
    const std::string id = text_of(input.value("id", Json()));
    Json targets = Json::array();
    for (const Record* link : store_.table(pair_name(from, to)).find("from", id)) {
      Json types = Json::array();
      for (const Json& type : link->fields["types"])
        types.push_back({{"category", type.value("associationCategory", "")},
                         {"typeId", type.value("associationTypeId", 0)},
                         {"label", nullptr}});
      targets.push_back({{"toObjectId", link->fields["to"]}, {"associationTypes", types}});
    }
    if (!targets.empty()) results.push_back({{"from", {{"id", id}}}, {"to", targets}});
  }
  return batch_reply(200, std::move(results), Json::array());
}

Reply HubSpot::association_labels(Call&, const Params& params) {
  const int type = default_association(*find_type(params.at("from")), *find_type(params.at("to")));
  return json_reply(200,
                    {{"results", {{{"category", "HUBSPOT_DEFINED"}, {"typeId", type}, {"label", nullptr}}}}});
}

void HubSpot::add_default_lists() {
  store_.table("_lists").add(
      "1", {{"name", "Sandbox list"}, {"objectTypeId", "0-1"}, {"processingType", "MANUAL"}}, now());
  store_.table("_lists").add(
      "2", {{"name", "Sandbox active list"}, {"objectTypeId", "0-1"}, {"processingType", "DYNAMIC"}}, now());
}

Reply HubSpot::create_list(Call& call, const Params&) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const std::string name = text_of(body->value("name", Json()));
  const ObjectType* type = find_type(text_of(body->value("objectTypeId", Json())));
  const std::string processing = text_of(body->value("processingType", Json()));
  if (name.empty() || type == nullptr ||
      (processing != "MANUAL" && processing != "SNAPSHOT" && processing != "DYNAMIC"))
    return problem_reply(
        {.category = "VALIDATION_ERROR",
         .message = "Some required fields were not set: [name, objectTypeId, processingType]"});
  const std::string id = std::to_string(100 + store_.next_number());
  store_.table("_lists").add(id, {{"name", name}, {"objectTypeId", type->id}, {"processingType", processing}},
                             now());
  store_.changed_since_saved = true;
  return json_reply(
      200, {{"list",
             {{"listId", id}, {"name", name}, {"objectTypeId", type->id}, {"processingType", processing}}}});
}

Reply HubSpot::read_list(Call&, const Params& params) {
  const Record* list = store_.table("_lists").by_id(params.at("list"));
  if (list == nullptr)
    return problem_reply({.status = 404,
                          .category = "OBJECT_NOT_FOUND",
                          .message = "List does not exist with ID " + params.at("list")});
  Json out = list->fields;
  out["listId"] = list->id;
  return json_reply(200, {{"list", out}});
}

Reply HubSpot::read_memberships(Call&, const Params& params) {
  Json results = Json::array();
  for (const Record* member : store_.table("_list_members").find("list", params.at("list")))
    results.push_back(
        {{"recordId", member->fields["record"]}, {"membershipTimestamp", hubspot_time(member->created)}});
  return json_reply(200, {{"results", results}});
}

// The body is a bare list of record ids, or {recordIdsToAdd, recordIdsToRemove}.
Reply HubSpot::change_list(Call& call, const Params& params, bool add, bool remove) {
  const auto body = parse_json(call.request.body);
  const bool both = add && remove;
  call.effect.write = true;
  if (!body || (both ? !body->is_object() : !body->is_array()))
    return problem_reply(
        {.category = "VALIDATION_ERROR", .message = "Invalid input JSON on line 1, column 1"});
  const Record* list = store_.table("_lists").by_id(params.at("list"));
  if (list == nullptr) return read_list(call, params);
  if (list->fields["processingType"] == "DYNAMIC")
    return problem_reply(
        {.category = "VALIDATION_ERROR", .message = "Memberships of a DYNAMIC list cannot be changed"});
  const ObjectType& type = *find_type(text_of(list->fields["objectTypeId"]));
  Table& members = store_.table("_list_members");
  Json added = Json::array(), removed = Json::array(), missing = Json::array();
  const auto each = [&](const Json& ids, bool adding) {
    for (const Json& value : ids.is_array() ? ids : Json::array()) {
      const std::string id = text_of(value), member = params.at("list") + "-" + id;
      ++call.effect.rows;
      call.effect.keys.push_back(id);
      if (objects_.table(type).by_id(id) == nullptr) {
        ++call.effect.rejected;
        missing.push_back(id);
      } else if (adding && members.by_id(member) == nullptr) {
        members.add(member, {{"list", params.at("list")}, {"record", id}}, now());
        ++call.effect.created;
        added.push_back(id);
      } else if (!adding && members.remove(member)) {
        ++call.effect.deleted;
        removed.push_back(id);
      }
    }
  };
  if (add) each(both ? body->value("recordIdsToAdd", Json()) : *body, true);
  if (remove) each(both ? body->value("recordIdsToRemove", Json()) : *body, false);
  call.effect.applied = !added.empty() || !removed.empty();
  // The first name is spelled so by the service.
  return json_reply(
      200, {{"recordsIdsAdded", added}, {"recordIdsRemoved", removed}, {"recordIdsMissing", missing}});
}

Reply HubSpot::daily_usage(Call&, const Params&) {
  const auto tomorrow = std::chrono::floor<std::chrono::days>(now()) + std::chrono::days{1};
  return json_reply(200, {{"results",
                           {{{"name", "private-apps-api-calls-daily"},
                             {"usageLimit", settings_.daily_calls},
                             {"currentUsage", calls_today_},
                             {"collectedAt", hubspot_time(now())},
                             {"fetchStatus", "SUCCESS"},
                             {"resetsAt", hubspot_time(tomorrow)}}}}});
}

Reply HubSpot::account(Call&, const Params&) {
  return json_reply(200, {{"portalId", 4242},
                          {"accountType", "DEVELOPER_TEST"},
                          {"timeZone", "Etc/UTC"},
                          {"companyCurrency", "USD"},
                          {"dataHostingLocation", "na1"},
                          {"uiDomain", "app.hubspot.com"}});
}

}  // namespace eddy::sandbox::hubspot
