// Properties, their groups, and the schemas of custom objects.
#include "core/text.h"
#include "sandbox/hubspot/hubspot.h"

namespace eddy::sandbox::hubspot {

Reply HubSpot::list_properties(Call&, const Params& params) {
  Json results = Json::array();
  for (const Property& property : objects_.properties(*objects_.type(params.at("type"))))
    results.push_back(property_json(property));
  return json_reply(200, {{"results", results}});
}

Reply HubSpot::read_property(Call&, const Params& params) {
  const Property* property = objects_.property(*objects_.type(params.at("type")), params.at("name"));
  if (property == nullptr)
    return problem_reply({.status = 404,
                          .category = "OBJECT_NOT_FOUND",
                          .message = fmt::format("Property \"{}\" does not exist", params.at("name"))});
  return json_reply(200, property_json(*property));
}

std::optional<Problem> HubSpot::add_property(const ObjectType& type, const Json& body) {
  std::string problem;
  const Property property = property_from_json(body, problem);
  if (!problem.empty()) return Problem{.category = "VALIDATION_ERROR", .message = problem};
  if (objects_.property(type, property.name) != nullptr)
    return Problem{.status = 409,
                   .category = "OBJECT_ALREADY_EXISTS",
                   .message = fmt::format("A property named '{}' already exists.", property.name)};
  objects_.add_property(type, property);
  store_.changed_since_saved = true;
  return std::nullopt;
}

Reply HubSpot::create_property(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const ObjectType& type = *objects_.type(params.at("type"));
  if (const auto problem = add_property(type, *body)) return problem_reply(*problem);
  return json_reply(201, property_json(*objects_.property(type, text_of((*body)["name"]))));
}

Reply HubSpot::create_properties(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, 100, refusal) : std::nullopt;
  if (!inputs) return refusal;
  const ObjectType& type = *objects_.type(params.at("type"));
  std::vector<Json> results;
  Json errors = Json::array();
  for (const Json& input : *inputs) {
    if (const auto problem = add_property(type, input))
      errors.push_back(error_item(*problem, input));
    else
      results.push_back(property_json(*objects_.property(type, text_of(input["name"]))));
  }
  return batch_reply(errors.empty() ? 201 : 207, std::move(results), errors);
}

Reply HubSpot::read_properties(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, 100, refusal) : std::nullopt;
  if (!inputs) return refusal;
  std::vector<Json> results;
  for (const Json& input : *inputs)
    if (const Property* property =
            objects_.property(*objects_.type(params.at("type")), text_of(input.value("name", Json()))))
      results.push_back(property_json(*property));
  return batch_reply(200, std::move(results), Json::array());
}

Reply HubSpot::archive_properties(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, 100, refusal) : std::nullopt;
  if (!inputs) return refusal;
  for (const Json& input : *inputs)
    objects_.remove_property(*objects_.type(params.at("type")), text_of(input.value("name", Json())));
  store_.changed_since_saved = true;
  return Reply{.status = 204};
}

Reply HubSpot::update_property(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const ObjectType& type = *objects_.type(params.at("type"));
  const Property* known = objects_.property(type, params.at("name"));
  if (known == nullptr) return read_property(call, params);
  if (!known->custom)
    return problem_reply({.category = "VALIDATION_ERROR",
                          .message = fmt::format("Property {} is HubSpot-defined", params.at("name"))});
  Json whole = property_json(*known);
  for (const char* name : {"label", "type", "fieldType", "groupName", "options"})
    if (body->contains(name)) whole[name] = (*body)[name];
  std::string problem;
  const Property changed = property_from_json(whole, problem);
  if (!problem.empty()) return problem_reply({.category = "VALIDATION_ERROR", .message = problem});
  objects_.remove_property(type, changed.name);
  objects_.add_property(type, changed);
  store_.changed_since_saved = true;
  return json_reply(200, property_json(changed));
}

Reply HubSpot::archive_property(Call&, const Params& params) {
  objects_.remove_property(*objects_.type(params.at("type")), params.at("name"));
  store_.changed_since_saved = true;
  return Reply{.status = 204};
}

Json HubSpot::schema_json(const ObjectType& type) {
  Json properties = Json::array();
  for (const Property& property : objects_.properties(type)) properties.push_back(property_json(property));
  Json associations = Json::array();
  for (const ObjectType* other : objects_.types())
    if (!other->is_custom())
      associations.push_back({{"id", type.id + "-" + other->id},
                              {"fromObjectTypeId", type.id},
                              {"toObjectTypeId", other->id},
                              {"name", type.name + "_to_" + lower(other->singular)}});
  return {{"id", type.id.substr(2)},
          {"objectTypeId", type.id},
          {"fullyQualifiedName", type.full_name},
          {"name", type.name},
          {"labels", {{"singular", type.singular}, {"plural", type.name}}},
          {"requiredProperties", type.required},
          {"searchableProperties", type.searchable},
          {"secondaryDisplayProperties", Json::array()},
          {"primaryDisplayProperty", type.default_properties.front()},
          {"properties", properties},
          {"associations", associations},
          {"archived", false},
          {"createdAt", "2026-01-01T00:00:00.000Z"},
          {"updatedAt", "2026-01-01T00:00:00.000Z"}};
}

Reply HubSpot::schemas(Call&, const Params&) {
  Json results = Json::array();
  for (const ObjectType* type : objects_.types())
    if (type->is_custom()) results.push_back(schema_json(*type));
  return json_reply(200, {{"results", results}});
}

Reply HubSpot::read_schema(Call&, const Params& params) {
  return json_reply(200, schema_json(*objects_.type(params.at("type"))));
}

Reply HubSpot::create_schema(Call& call, const Params&) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const std::string name = text_of(body->value("name", Json()));
  const Json properties = body->value("properties", Json());
  if (name.empty() || !properties.is_array() || !body->contains("labels") ||
      !body->contains("requiredProperties"))
    return problem_reply(
        {.category = "VALIDATION_ERROR",
         .message = "Some required fields were not set: [name, labels, properties, requiredProperties]"});
  if (objects_.type(name) != nullptr)
    return problem_reply({.status = 409,
                          .category = "OBJECT_ALREADY_EXISTS",
                          .message = fmt::format("Object type {} already exists", name)});
  ObjectType type{.name = name, .singular = text_of((*body)["labels"].value("singular", Json(name)))};
  const auto words = [&](const char* key) {
    std::vector<std::string> out;
    for (const Json& word : body->value(key, Json::array())) out.push_back(text_of(word));
    return out;
  };
  type.required = words("requiredProperties");
  type.searchable = words("searchableProperties");
  type.default_properties = {text_of(body->value("primaryDisplayProperty", Json(name)))};
  std::vector<Property> own;
  for (Json given : properties) {
    std::string problem;
    if (given.is_object() && !given.contains("groupName")) given["groupName"] = name + "information";
    own.push_back(property_from_json(given.is_object() ? given : Json::object(), problem));
    if (!problem.empty()) return problem_reply({.category = "VALIDATION_ERROR", .message = problem});
  }
  store_.changed_since_saved = true;
  return json_reply(201, schema_json(objects_.add_type(std::move(type), own)));
}

Reply HubSpot::archive_schema(Call&, const Params& params) {
  const ObjectType& type = *objects_.type(params.at("type"));
  if (!type.is_custom())
    return problem_reply({.category = "VALIDATION_ERROR", .message = type.name + " cannot be deleted"});
  if (objects_.table(type).size() > 0)
    return problem_reply(
        {.category = "VALIDATION_ERROR", .message = "Object type cannot be deleted while it has records"});
  objects_.remove_type(type);
  store_.changed_since_saved = true;
  return Reply{.status = 204};
}

Reply HubSpot::daily_usage(Call&, const Params&) {
  const auto tomorrow = std::chrono::floor<std::chrono::days>(now()) + std::chrono::days{1};
  return json_reply(200, {{"results",
                           {{{"name", "private-apps-api-calls-daily"},
                             {"usageLimit", settings_.daily_calls},
                             {"currentUsage", calls_today_.count()},
                             {"collectedAt", hubspot_time(now())},
                             {"fetchStatus", "SUCCESS"},
                             {"resetsAt", hubspot_time(tomorrow)}}}}});
}

Reply HubSpot::account(Call&, const Params&) {
  return json_reply(200, {{"portalId", 4242},
                          {"accountType", "DEVELOPER_TEST"},
                          {"timeZone", "Etc/UTC"},
                          {"companyCurrency", "USD"},
                          {"additionalCurrencies", Json::array()},
                          {"utcOffset", "+00:00"},
                          {"utcOffsetMilliseconds", 0},
                          {"dataHostingLocation", "na1"},
                          {"uiDomain", "app.hubspot.com"}});
}

}  // namespace eddy::sandbox::hubspot
