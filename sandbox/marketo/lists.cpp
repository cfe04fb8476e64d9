// Static lists, who is on them, and what was used today.
#include "core/text.h"
#include "sandbox/marketo/marketo.h"

namespace eddy::sandbox::marketo {
namespace {

constexpr std::size_t input_rows_max = 300;

std::string day_of(Clock::WallTime time) { return format_utc(us_central(time)).substr(0, 10); }

}  // namespace

void Marketo::add_default_lists() { store_.table("_lists").add("1001", {{"name", "Sandbox list"}}, now()); }

Reply Marketo::change_list(Call& call, const Params& params, bool add) {
  const std::string& list = params.at("list");
  call.effect.write = true;
  if (store_.table("_lists").by_id(list) == nullptr)
    return failure("1013", fmt::format("List '{}' not found", list));
  std::vector<std::string> ids;
  const auto body = parse_json(call.request.body);
  const Json input = body && body->is_object() ? body->value("input", Json::array()) : Json::array();
  for (const Json& row : input) ids.push_back(row.is_object() ? text_of(row.value("id", Json())) : "");
  for (const auto& [name, value] : call.request.query)
    if (name == "id")
      for (const std::string& id : split(value, ',')) ids.push_back(id);
  if (ids.empty()) return failure("1002", "Missing value for required parameter 'id'");
  if (ids.size() > input_rows_max) return failure("1003", "Too many records, the maximum is 300");
  call.effect.rows = ids.size();
  call.effect.keys = ids;
  Table& members = store_.table("_list_members");
  Json results = Json::array();
  for (const std::string& id : ids) {
    const std::string member = list + "-" + id;
    Json out = {{"id", std::atoll(id.c_str())}, {"status", add ? "added" : "removed"}};
    if (store_.table("leads").by_id(id) == nullptr) {
      ++call.effect.rejected;
      out["status"] = "skipped";
      out["reasons"] = Json::array({{{"code", "1004"}, {"message", "Lead not found"}}});
    } else if (add) {
      if (members.by_id(member) == nullptr) members.add(member, {{"list", list}, {"lead", id}}, now());
      ++call.effect.created;
    } else if (members.remove(member)) {
      ++call.effect.deleted;
    } else {
      ++call.effect.rejected;
      out["status"] = "skipped";
      out["reasons"] = Json::array({{{"code", "1015"}, {"message", "Lead not in list"}}});
    }
    results.push_back(std::move(out));
  }
  call.effect.applied = call.effect.created + call.effect.deleted > 0;
  return success(results);
}

Reply Marketo::list_members(Call& call, const Params& params) {
  if (store_.table("_lists").by_id(params.at("list")) == nullptr)
    return failure("1013", fmt::format("List '{}' not found", params.at("list")));
  std::vector<const Record*> leads;
  for (const Record* member : store_.table("_list_members").find("list", params.at("list")))
    if (const Record* lead = store_.table("leads").by_id(text_of(member->fields["lead"])))
      leads.push_back(lead);
  const std::vector<std::string> fields = asked_fields(call);
  return page_of(call, leads.size(), [&](std::size_t i) { return lead_json(*leads[i], fields); });
}

Reply Marketo::is_member(Call& call, const Params& params) {
  std::vector<std::string> ids;
  const auto body = parse_json(call.request.body);
  const Json input = body && body->is_object() ? body->value("input", Json::array()) : Json::array();
  for (const Json& row : input) ids.push_back(row.is_object() ? text_of(row.value("id", Json())) : "");
  for (const auto& [name, value] : call.request.query)
    if (name == "id")
      for (const std::string& id : split(value, ',')) ids.push_back(id);
  Json results = Json::array();
  for (const std::string& id : ids) {
    const bool member = store_.table("_list_members").by_id(params.at("list") + "-" + id) != nullptr;
    results.push_back({{"id", std::atoll(id.c_str())},
                       {"membership", member},
                       {"status", member ? "memberof" : "notmemberof"}});
  }
  return success(results);
}

Json Marketo::list_json(const Record& list) const {
  const std::string made = format_utc(std::chrono::floor<std::chrono::seconds>(list.created));
  return {{"id", std::atoll(list.id.c_str())},
          {"name", list.fields["name"]},
          {"description", list.fields.value("description", Json(""))},
          {"workspaceName", "Default"},
          {"createdAt", made},
          {"updatedAt", format_utc(std::chrono::floor<std::chrono::seconds>(list.updated))},
          {"folder", list.fields.value("folder", Json{{"id", 1}, {"type", "Folder"}})}};
}

Reply Marketo::browse_lists(Call& call, const Params&) {
  std::vector<const Record*> found;
  const auto id = call.request.query_value("id"), name = call.request.query_value("name");
  for (const auto& [place, list] : store_.table("_lists").records())
    if ((!id || ("," + *id + ",").find("," + list.id + ",") != std::string::npos) &&
        (!name || list.fields["name"] == *name))
      found.push_back(&list);
  if (const auto offset = call.request.query_value("offset"))  // of the asset API
    found.erase(found.begin(),
                found.begin() + std::min<std::ptrdiff_t>(std::atoi(offset->c_str()), std::ssize(found)));
  if (found.empty() && call.request.path.starts_with("/rest/asset/"))
    return json_reply(200, {{"success", true},
                            {"requestId", request_id()},
                            {"errors", Json::array()},
                            {"warnings", {"No assets found for the given search criteria."}}});
  return page_of(call, found.size(), [&](std::size_t i) { return list_json(*found[i]); });
}

Reply Marketo::read_list(Call&, const Params& params) {
  const Record* list = store_.table("_lists").by_id(params.at("list"));
  if (list == nullptr) return failure("1013", fmt::format("List '{}' not found", params.at("list")));
  return success(Json::array({list_json(*list)}));
}

// Made by a form with a folder in JSON.
Reply Marketo::create_list(Call& call, const Params&) {
  const std::string name = form_or_query(call.request, "name").value_or("");
  const auto folder = parse_json(form_or_query(call.request, "folder").value_or(""));
  call.effect.write = true;
  if (name.empty() || !folder || !folder->is_object())
    return failure("701", name.empty() ? "name cannot be blank" : "folder is not valid JSON");
  if (store_.table("_lists").first("name", name) != nullptr)
    return failure("709", "Static List with the same name already exists");
  const Record& list = store_.table("_lists").add(std::to_string(1001 + store_.next_number()),
                                                  {{"name", name}, {"folder", *folder}}, now());
  store_.changed_since_saved = true;
  return success(Json::array({list_json(list)}));
}

Reply Marketo::delete_list(Call& call, const Params& params) {
  call.effect.write = true;
  if (!store_.table("_lists").remove(params.at("list")))
    return failure("702", fmt::format("Static List with id {} not found", params.at("list")));
  store_.changed_since_saved = true;
  return success(Json::array({{{"id", std::atoll(params.at("list").c_str())}}}));
}

Reply Marketo::partitions(Call&, const Params&) {
  Json result = Json::array();
  int id = 0;
  for (const std::string& name : partition_names())
    result.push_back({{"id", ++id}, {"name", name}, {"description", name}});
  return success(result);
}

Reply Marketo::change_partitions(Call& call, const Params&) {
  call.effect.write = true;
  const auto body = parse_json(call.request.body);
  const Json input = body && body->is_object() ? body->value("input", Json::array()) : Json::array();
  if (input.empty()) return failure("1002", "Missing value for required parameter 'input'");
  call.effect.rows = input.size();
  Json results = Json::array();
  for (const Json& row : input) {
    const std::string id = text_of(row.value("id", Json())),
                      name = text_of(row.value("partitionName", Json()));
    Record* lead = store_.table("leads").by_id(id);
    const auto& known = partition_names();
    const bool good = lead != nullptr && std::ranges::find(known, name) != known.end();
    call.effect.keys.push_back(id);
    Json out = {{"id", std::atoll(id.c_str())}, {"status", good ? "updated" : "skipped"}};
    if (good)
      store_.table("leads").change(*lead, {{"leadPartitionName", name}}, now());
    else
      out["reasons"] =
          Json::array({{{"code", lead == nullptr ? "1004" : "1008"},
                        {"message", lead == nullptr ? "Lead not found" : "Access denied to partition"}}});
    ++(good ? call.effect.updated : call.effect.rejected);
    results.push_back(std::move(out));
  }
  call.effect.applied = call.effect.updated > 0;
  return success(results);
}

// Of today, or of the last seven days, of which only today is known here.
Reply Marketo::usage(Call&, const Params&) {
  return success(Json::array(
      {{{"date", day_of(now())},
        {"total", calls_today_.count()},
        {"users", Json::array({{{"userId", "api@example.com"}, {"count", calls_today_.count()}}})}}}));
}

Reply Marketo::error_usage(Call&, const Params&) {
  Json errors = Json::array();
  std::uint64_t total = 0;
  for (const auto& [code, count] : errors_today_) {
    errors.push_back({{"errorCode", code}, {"count", count}});
    total += count;
  }
  return success(Json::array({{{"date", day_of(now())}, {"total", total}, {"errors", errors}}}));
}

}  // namespace eddy::sandbox::marketo
