// What surrounds the records: groups of properties, pipelines with their stages, owners.
#include "core/text.h"
#include "sandbox/hubspot/hubspot.h"

namespace eddy::sandbox::hubspot {
namespace {

std::string group_table(const ObjectType& type) { return "_groups_" + type.name; }

Json group_json(const Record& group) {
  Json out = group.fields;
  out.update({{"name", group.id}, {"archived", false}});
  return out;
}

Json group_of_the_service(const ObjectType& type) {
  const std::string name = lower(type.singular);
  return {{"name", name + "information"},
          {"label", name + " information"},
          {"displayOrder", 0},
          {"archived", false}};
}

}  // namespace

Reply HubSpot::property_groups(Call&, const Params& params) {
  const ObjectType& type = *objects_.type(params.at("type"));
  Json results = Json::array({group_of_the_service(type)});
  for (const auto& [place, group] : store_.table(group_table(type)).records())
    results.push_back(group_json(group));
  return json_reply(200, {{"results", results}});
}

Reply HubSpot::read_group(Call&, const Params& params) {
  const ObjectType& type = *objects_.type(params.at("type"));
  const std::string& name = params.at("name");
  if (name == group_of_the_service(type)["name"]) return json_reply(200, group_of_the_service(type));
  const Record* group = store_.table(group_table(type)).by_id(name);
  return group == nullptr ? no_such_group(name) : json_reply(200, group_json(*group));
}

// POST makes a group; PATCH changes the one that is named in the path.
Reply HubSpot::write_group(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const ObjectType& type = *objects_.type(params.at("type"));
  Table& groups = store_.table(group_table(type));
  const bool make = call.request.method == "POST";
  const std::string name = make ? text_of(body->value("name", Json())) : params.at("name");
  Record* known = groups.by_id(name);
  if (make && (name.empty() || text_of(body->value("label", Json())).empty()))
    return problem_reply(
        {.category = "VALIDATION_ERROR", .message = "Some required fields were not set: [name, label]"});
  if (make && (known != nullptr || name == group_of_the_service(type)["name"]))
    return problem_reply({.status = 409,
                          .category = "OBJECT_ALREADY_EXISTS",
                          .message = "A property group named '" + name + "' already exists."});
  if (!make && known == nullptr) return no_such_group(name);
  Json fields = Json::object();
  for (const char* field : {"label", "displayOrder"})
    if (body->contains(field)) fields[field] = (*body)[field];
  if (make) known = &groups.add(name, {{"displayOrder", -1}}, now());
  groups.change(*known, fields, now());
  store_.changed_since_saved = true;
  return json_reply(make ? 201 : 200, group_json(*known));
}

Reply HubSpot::archive_group(Call&, const Params& params) {
  store_.table(group_table(*objects_.type(params.at("type")))).remove(params.at("name"));
  store_.changed_since_saved = true;
  return Reply{.status = 204};
}

Reply HubSpot::no_such_group(const std::string& name) {
  return problem_reply(
      {.status = 404, .category = "OBJECT_NOT_FOUND", .message = "No property group named " + name});
}

// One pipeline for deals, one for tickets; their stages are the options of the stage property.
Json HubSpot::pipeline(const ObjectType& type) {
  const Property* stage = objects_.property(type, type.name == "deals" ? "dealstage" : "hs_pipeline_stage");
  if (stage == nullptr) return nullptr;
  const char* start = "2026-01-01T00:00:00.000Z";
  Json stages = Json::array();
  for (const Option& option : stage->options)
    stages.push_back({{"id", option.value},
                      {"label", option.label},
                      {"displayOrder", stages.size()},
                      {"metadata", Json::object()},
                      {"createdAt", start},
                      {"updatedAt", start},
                      {"archived", false}});
  return {{"id", type.name == "deals" ? "default" : "0"},
          {"label", type.name == "deals" ? "Sales Pipeline" : "Support Pipeline"},
          {"displayOrder", 0},
          {"stages", stages},
          {"createdAt", start},
          {"updatedAt", start},
          {"archived", false}};
}

Reply HubSpot::pipelines(Call&, const Params& params) {
  const Json one = pipeline(*objects_.type(params.at("type")));
  return json_reply(200, {{"results", one.is_null() ? Json::array() : Json::array({one})}});
}

Reply HubSpot::read_pipeline(Call& call, const Params& params) {
  const Json one = pipeline(*objects_.type(params.at("type")));
  if (one.is_null() || one["id"] != params.at("pipeline"))
    return problem_reply({.status = 404, .category = "OBJECT_NOT_FOUND", .message = "Pipeline not found"});
  if (call.request.path.ends_with("/stages")) return json_reply(200, {{"results", one["stages"]}});
  return json_reply(200, one);
}

// The one person who has this portal.
Reply HubSpot::owners(Call&, const Params& params) {
  const char* start = "2026-01-01T00:00:00.000Z";
  const Json owner = {{"id", "7001"},
                      {"email", "owner@example.com"},
                      {"type", "PERSON"},
                      {"firstName", "Portal"},
                      {"lastName", "Owner"},
                      {"userId", 9001},
                      {"userIdIncludingInactive", 9001},
                      {"createdAt", start},
                      {"updatedAt", start},
                      {"archived", false}};
  const auto id = params.find("owner");
  if (id == params.end()) return json_reply(200, {{"results", Json::array({owner})}});
  if (owner["id"] == id->second) return json_reply(200, owner);
  return problem_reply({.status = 404, .category = "OBJECT_NOT_FOUND", .message = "resource not found"});
}

}  // namespace eddy::sandbox::hubspot
