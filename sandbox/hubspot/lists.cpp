// Lists of records and who is on them.
#include "core/text.h"
#include "sandbox/hubspot/hubspot.h"

namespace eddy::sandbox::hubspot {
namespace {

constexpr std::size_t memberships_max = 250;

}  // namespace

void HubSpot::add_default_lists() {
  Table& lists = store_.table("_lists");
  lists.add("1", {{"name", "Sandbox list"}, {"objectTypeId", "0-1"}, {"processingType", "MANUAL"}}, now());
  lists.add("2", {{"name", "Sandbox active list"}, {"objectTypeId", "0-1"}, {"processingType", "DYNAMIC"}},
            now());
}

Json HubSpot::list_json(const Record& list) {
  Json out = list.fields;
  out.update({{"listId", list.id},
              {"listVersion", list.writes},
              {"processingStatus", "COMPLETE"},
              {"createdById", "1"},
              {"updatedById", "1"},
              {"createdAt", hubspot_time(list.created)},
              {"updatedAt", hubspot_time(list.updated)},
              {"size", store_.table("_list_members").find("list", list.id).size()}});
  return out;
}

Reply HubSpot::no_such_list(const std::string& id) {
  return problem_reply(
      {.status = 404, .category = "OBJECT_NOT_FOUND", .message = "List does not exist with ID " + id});
}

Reply HubSpot::create_list(Call& call, const Params&) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const std::string name = text_of(body->value("name", Json()));
  const ObjectType* type = objects_.type(text_of(body->value("objectTypeId", Json())));
  const std::string processing = text_of(body->value("processingType", Json()));
  if (name.empty() || type == nullptr ||
      (processing != "MANUAL" && processing != "SNAPSHOT" && processing != "DYNAMIC"))
    return problem_reply(
        {.category = "VALIDATION_ERROR",
         .message = "Some required fields were not set: [name, objectTypeId, processingType]"});
  if (store_.table("_lists").first("name", name) != nullptr)
    return problem_reply({.category = "VALIDATION_ERROR",
                          .message = fmt::format("A list with the name '{}' already exists.", name)});
  const std::string id = std::to_string(100 + store_.next_number());
  store_.changed_since_saved = true;
  return json_reply(
      200, {{"list",
             list_json(store_.table("_lists").add(
                 id, {{"name", name}, {"objectTypeId", type->id}, {"processingType", processing}}, now()))}});
}

Reply HubSpot::read_list(Call&, const Params& params) {
  const Record* list = store_.table("_lists").by_id(params.at("list"));
  return list == nullptr ? no_such_list(params.at("list")) : json_reply(200, {{"list", list_json(*list)}});
}

Reply HubSpot::read_lists(Call& call, const Params&) {
  Json lists = Json::array();
  for (const auto& [name, value] : call.request.query)
    if (name == "listIds")
      for (const std::string& id : split(value, ','))
        if (const Record* list = store_.table("_lists").by_id(id)) lists.push_back(list_json(*list));
  return json_reply(200, {{"lists", lists}});
}

Reply HubSpot::read_list_by_name(Call&, const Params& params) {
  const Record* list = store_.table("_lists").first("name", params.at("name"));
  return list == nullptr ? no_such_list(params.at("name")) : json_reply(200, {{"list", list_json(*list)}});
}

Reply HubSpot::search_lists(Call& call, const Params&) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const std::string wanted = lower(text_of(body->value("query", Json())));
  Json lists = Json::array();
  for (const auto& [place, list] : store_.table("_lists").records())
    if (lower(text_of(list.fields["name"])).find(wanted) != std::string::npos) {
      lists.push_back(list_json(list));
      lists.back()["additionalProperties"] = Json::object();
    }
  return json_reply(
      200, {{"lists", lists}, {"total", lists.size()}, {"offset", lists.size()}, {"hasMore", false}});
}

Reply HubSpot::rename_list(Call& call, const Params& params) {
  Record* list = store_.table("_lists").by_id(params.at("list"));
  if (list == nullptr) return no_such_list(params.at("list"));
  const auto name = call.request.query_value("listName");
  if (!name || name->empty())
    return problem_reply({.category = "VALIDATION_ERROR", .message = "listName is required"});
  store_.table("_lists").change(*list, {{"name", *name}}, now());
  store_.changed_since_saved = true;
  return json_reply(200, {{"updatedList", list_json(*list)}});
}

Reply HubSpot::remove_list(Call&, const Params& params) {
  if (!store_.table("_lists").remove(params.at("list"))) return no_such_list(params.at("list"));
  Table& members = store_.table("_list_members");
  for (const Record* member : members.find("list", params.at("list")))
    members.remove(std::string{member->id});
  store_.changed_since_saved = true;
  return Reply{.status = 204};
}

// By record, in pages; {results: [{recordId, membershipTimestamp}], total, paging?}.
Reply HubSpot::read_memberships(Call& call, const Params& params) {
  if (store_.table("_lists").by_id(params.at("list")) == nullptr) return no_such_list(params.at("list"));
  const auto number = [&](const char* name, std::size_t otherwise) {
    const auto text = call.request.query_value(name);
    return text ? static_cast<std::size_t>(std::max(0, std::atoi(text->c_str()))) : otherwise;
  };
  const std::size_t limit = number("limit", 100), from = number("after", 0);
  if (limit == 0 || limit > memberships_max)
    return problem_reply({.category = "VALIDATION_ERROR", .message = "limit must be between 1 and 250"});
  const auto members = store_.table("_list_members").find("list", params.at("list"));
  Json results = Json::array();
  for (std::size_t i = from; i < members.size() && results.size() < limit; ++i)
    results.push_back({{"recordId", members[i]->fields["record"]},
                       {"membershipTimestamp", hubspot_time(members[i]->created)}});
  Json body = {{"results", results}, {"total", members.size()}};
  if (const std::size_t to = from + results.size(); to < members.size())
    body["paging"] = {{"next",
                       {{"after", std::to_string(to)},
                        {"link", fmt::format("{}{}?limit={}&after={}", self(call.request), call.request.path,
                                             limit, to)}}}};
  return json_reply(200, body);
}

Reply HubSpot::clear_list(Call& call, const Params& params) {
  call.effect.write = true;
  if (auto refusal = not_by_hand(params.at("list"))) return *refusal;
  Table& members = store_.table("_list_members");
  for (const Record* member : members.find("list", params.at("list"))) {
    call.effect.keys.push_back(text_of(member->fields["record"]));
    members.remove(std::string{member->id});
  }
  call.effect.rows = call.effect.deleted = call.effect.keys.size();
  call.effect.applied = call.effect.deleted > 0;
  return Reply{.status = 204};
}

Reply HubSpot::add_from_list(Call& call, const Params& params) {
  call.effect.write = true;
  const std::string &list = params.at("list"), &source = params.at("source");
  if (auto refusal = not_by_hand(list)) return *refusal;
  if (store_.table("_lists").by_id(source) == nullptr) return no_such_list(source);
  Table& members = store_.table("_list_members");
  for (const Record* other : members.find("list", source)) {
    const std::string record = text_of(other->fields["record"]);
    ++call.effect.rows;
    if (members.by_id(list + "-" + record) != nullptr) continue;
    members.add(list + "-" + record, {{"list", list}, {"record", record}}, now());
    ++call.effect.created;
  }
  call.effect.applied = call.effect.created > 0;
  return Reply{.status = 204};
}

// The refusal when the members of a list cannot be changed by a call.
std::optional<Reply> HubSpot::not_by_hand(const std::string& id) {
  const Record* list = store_.table("_lists").by_id(id);
  if (list == nullptr) return no_such_list(id);
  if (list->fields["processingType"] != "DYNAMIC") return std::nullopt;
  return problem_reply(
      {.category = "VALIDATION_ERROR", .message = "Memberships of a DYNAMIC list cannot be changed"});
}

Reply HubSpot::lists_of_record(Call&, const Params& params) {
  Json results = Json::array();
  const ObjectType* type = objects_.type(params.at("type"));
  for (const Record* member : store_.table("_list_members").find("record", params.at("record"))) {
    const Record* list = store_.table("_lists").by_id(text_of(member->fields["list"]));
    if (list == nullptr || list->fields["objectTypeId"] != type->id) continue;
    results.push_back({{"listId", list->id},
                       {"listVersion", list->writes},
                       {"firstAddedTimestamp", hubspot_time(member->created)},
                       {"lastAddedTimestamp", hubspot_time(member->created)}});
  }
  return json_reply(200, {{"results", results}, {"total", results.size()}});
}

// The body is a bare list of record ids, or {recordIdsToAdd, recordIdsToRemove}.
Reply HubSpot::change_list(Call& call, const Params& params, bool add, bool remove) {
  const auto body = parse_json(call.request.body);
  const bool both = add && remove;
  call.effect.write = true;
  if (!body || (both ? !body->is_object() : !body->is_array()))
    return problem_reply(
        {.category = "VALIDATION_ERROR", .message = "Invalid input JSON on line 1, column 1"});
  if (auto refusal = not_by_hand(params.at("list"))) return *refusal;
  const Record* list = store_.table("_lists").by_id(params.at("list"));
  const ObjectType& type = *objects_.type(text_of(list->fields["objectTypeId"]));
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

}  // namespace eddy::sandbox::hubspot
