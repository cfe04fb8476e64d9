// Leads: written, looked up, deleted, described; static lists; usage.
#include <charconv>

#include "core/text.h"
#include "sandbox/marketo/marketo.h"

namespace eddy::sandbox::marketo {
namespace {

constexpr std::size_t input_rows_max = 300;
constexpr std::size_t matches_max = 1000;

Json reasons_json(const std::vector<Reason>& reasons) {
  Json out = Json::array();
  for (const Reason& reason : reasons) out.push_back({{"code", reason.code}, {"message", reason.message}});
  return out;
}

LeadResult skipped(std::string code, std::string message) {
  return {.status = "skipped", .reasons = {{std::move(code), std::move(message)}}};
}

std::string marketo_time(Clock::WallTime time) {
  return format_utc(std::chrono::floor<std::chrono::seconds>(time));
}

std::int64_t number_of(const std::string& id) { return std::atoll(id.c_str()); }

}  // namespace

std::vector<Record*> Marketo::leads_with(const std::string& field, const std::string& value) {
  Table& table = store_.table("leads");
  if (field != "id") return table.find(field, value);
  Record* record = table.by_id(value);
  return record == nullptr ? std::vector<Record*>{} : std::vector<Record*>{record};
}

Json Marketo::lead_json(const Record& record, const std::vector<std::string>& fields) const {
  Json out = {{"id", number_of(record.id)}};
  for (const std::string& name : fields) {
    if (name == "id") continue;
    if (name == "createdAt")
      out[name] = marketo_time(record.created);
    else if (name == "updatedAt")
      out[name] = marketo_time(record.updated);
    else
      out[name] = record.fields.value(name, Json());
  }
  return out;
}

LeadResult Marketo::write_lead(const Json& input, const std::string& action, const std::string& lookup) {
  Json values = Json::object();
  for (const auto& [name, given] : input.items()) {
    if (name == "id" && lookup == "id") continue;
    const Field* field = find_field(name);
    if (field == nullptr) return skipped("1006", fmt::format("Field '{}' not found", name));
    if (field->read_only && (name == "company" || name == "industry" || name == "website"))
      return skipped("1021", "Company update not allowed");
    if (field->read_only) return skipped("1011", fmt::format("Field '{}' not supported", name));
    if (!convert(*field, given, values[name]))
      return skipped("1001",
                     fmt::format("Invalid value '{}'. Required of type '{}'", text_of(given), field->type));
  }
  const std::string key =
      lower(trim(text_of(lookup == "id" ? input.value("id", Json()) : values.value(lookup, Json()))));
  if (key.empty() && action != "createDuplicate")
    return skipped("1002", fmt::format("Missing value for required parameter '{}'", lookup));
  const auto found = action == "createDuplicate" ? std::vector<Record*>{} : leads_with(lookup, key);
  if (found.size() > 1) return skipped("1007", "Multiple lead match lookup criteria");
  Table& table = store_.table("leads");
  if (found.empty()) {
    if (action == "updateOnly") return skipped("1004", "Lead not found");
    return {.status = "created",
            .id = table.add(std::to_string(1000 + store_.next_number()), values, now()).id};
  }
  if (action == "createOnly") return skipped("1005", "Lead already exists");
  table.change(*found.front(), values, now());
  return {.status = "updated", .id = found.front()->id};
}

Reply Marketo::post_leads(Call& call, const Params&) {
  if (call.request.content_type() != "application/json") return failure("612", "Invalid Content Type");
  const auto body = parse_json(call.request.body);
  if (!body || !body->is_object()) return failure("609", "Invalid JSON");
  call.effect.write = true;
  const std::string action = text_of(body->value("action", Json("createOrUpdate")));
  const std::string lookup = text_of(body->value("lookupField", Json("email")));
  const std::set<std::string> actions = {"createOrUpdate", "createOnly", "updateOnly", "createDuplicate"};
  if (!actions.contains(action))
    return failure("1003", fmt::format("Invalid value '{}' for parameter 'action'", action));
  const Field* key = find_field(lookup);
  if (key == nullptr || !key->searchable)
    return failure("1011", fmt::format("Field '{}' not supported as lookup field", lookup));
  if (lookup == "id" && action != "updateOnly")
    return failure("1003", "Lookup field 'id' can be used with action 'updateOnly' only");
  const Json rows = body->value("input", Json());
  if (!rows.is_array() || rows.empty())
    return failure("1002", "Missing value for required parameter 'input'");
  if (rows.size() > input_rows_max)
    return failure("1003", fmt::format("Too many records: {}, the maximum is 300", rows.size()));
  if (!std::ranges::all_of(rows, &Json::is_object)) return failure("609", "Invalid JSON");
  const std::string partition = text_of(body->value("partitionName", Json("Default")));
  const auto& known = partition_names();
  const bool partition_known = std::ranges::find(known, partition) != known.end();
  call.effect.rows = rows.size();
  std::set<std::string> seen;
  Json results = Json::array();
  for (const Json& row : rows) {
    const std::string value = lower(trim(text_of(row.value(lookup, Json()))));
    call.effect.keys.push_back(text_of(row.value(lookup, Json())));
    LeadResult result;
    if (action != "createDuplicate" && !value.empty() && !seen.insert(value).second)
      result = skipped("1036", "Duplicate object found in input");
    else if (!partition_known || fault(call, "skip_row"))
      result = skipped("1008", fmt::format("Access denied to partition '{}'", partition));
    else
      result = write_lead(row, action, lookup);
    if (result.status == "created") {
      Table& leads = store_.table("leads");
      if (partition != "Default") leads.by_id(result.id)->fields["leadPartitionName"] = partition;
    }
    Json out = {{"status", result.status}};
    if (!result.id.empty()) out["id"] = number_of(result.id);
    if (!result.reasons.empty()) out["reasons"] = reasons_json(result.reasons);
    results.push_back(std::move(out));
    call.effect.created += result.status == "created" ? 1 : 0;
    call.effect.updated += result.status == "updated" ? 1 : 0;
    call.effect.rejected += result.status == "skipped" ? 1 : 0;
  }
  call.effect.applied = call.effect.created + call.effect.updated > 0;
  return success(results);
}

Reply Marketo::get_leads(Call& call, const Params&) {
  const auto value = [&](std::string_view name) { return form_or_query(call.request, name).value_or(""); };
  const std::string type = value("filterType");
  if (type.empty()) return failure("1002", "Missing value for required parameter 'filterType'");
  const Field* filter = find_field(type);
  if (filter == nullptr || !filter->searchable)
    return failure("1003", fmt::format("Invalid filterType '{}'", type));
  if (value("filterValues").empty())
    return failure("1002", "Missing value for required parameter 'filterValues'");
  const auto values = split(value("filterValues"), ',');
  if (values.size() > input_rows_max)
    return failure("1003", "Too many values specified for 'filterValues', the maximum is 300");
  const std::vector<std::string> fields = asked_fields(call);
  for (const std::string& name : fields) {
    if (find_field(name) == nullptr) return failure("1006", fmt::format("Field '{}' not found", name));
  }
  std::vector<const Record*> found;
  for (const std::string& one : values)
    for (const Record* record : leads_with(type, trim(one))) found.push_back(record);
  if (found.size() > matches_max) return failure("1003", "Too many results match the filter");
  return page_of(call, found.size(), [&](std::size_t i) { return lead_json(*found[i], fields); });
}

// ?fields=, repeated or separated by commas, in the query or the form.
std::vector<std::string> Marketo::asked_fields(const Call& call) {
  std::vector<std::string> fields;
  const auto take = [&](const std::vector<http::NamedText>& words) {
    for (const auto& [key, value] : words)
      if (key == "fields")
        for (const std::string& name : split(value, ','))
          if (!trim(name).empty()) fields.push_back(trim(name));
  };
  take(call.request.query);
  if (call.request.content_type() == "application/x-www-form-urlencoded")
    take(http::parse_query(call.request.body).value_or(std::vector<http::NamedText>{}));
  if (fields.empty()) fields = {"updatedAt", "lastName", "email", "createdAt", "firstName"};
  return fields;
}

// ?batchSize= of `count` items, beginning where ?nextPageToken= says.
Reply Marketo::page_of(Call& call, std::size_t count, const std::function<Json(std::size_t)>& item) {
  std::size_t size = input_rows_max, from = 0;
  const auto number = [&](const char* name, std::size_t least, std::size_t otherwise) {
    const auto text = form_or_query(call.request, name);
    return text && !text->empty()
               ? std::max(least, static_cast<std::size_t>(std::max(0, std::atoi(text->c_str()))))
               : otherwise;
  };
  size = std::min(number("batchSize", 1, size), input_rows_max);
  from = number("nextPageToken", 0, from);
  Json results = Json::array();
  for (std::size_t i = from; i < count && results.size() < size; ++i) results.push_back(item(i));
  Json more = Json::object();
  if (from + results.size() < count) more["nextPageToken"] = std::to_string(from + results.size());
  return success(results, more);
}

Reply Marketo::get_lead(Call& call, const Params& params) {
  const Record* record = store_.table("leads").by_id(params.at("id"));
  if (record == nullptr) return failure("1004", fmt::format("Lead '{}' not found", params.at("id")));
  const std::vector<std::string> fields = asked_fields(call);
  return success(Json::array({lead_json(*record, fields)}));
}

Reply Marketo::delete_leads(Call& call, const Params&) {
  std::vector<std::string> ids;
  const auto body = parse_json(call.request.body);
  const Json input = body && body->is_object() ? body->value("input", Json::array()) : Json::array();
  for (const Json& row : input)
    ids.push_back(row.is_object() ? text_of(row.value("id", Json())) : text_of(row));
  for (const auto& [name, value] : call.request.query)
    if (name == "id")
      for (const std::string& id : split(value, ',')) ids.push_back(id);
  call.effect.write = true;
  if (ids.empty()) return failure("1002", "Missing value for required parameter 'id'");
  if (ids.size() > input_rows_max) return failure("1003", "Too many records, the maximum is 300");
  call.effect.rows = ids.size();
  call.effect.keys = ids;
  Json results = Json::array();
  for (const std::string& id : ids) {
    const bool removed = store_.table("leads").remove(id);
    ++(removed ? call.effect.deleted : call.effect.rejected);
    Json out = {{"id", number_of(id)}, {"status", removed ? "deleted" : "skipped"}};
    if (!removed) out["reasons"] = reasons_json({{"1004", "Lead not found"}});
    results.push_back(std::move(out));
  }
  call.effect.applied = call.effect.deleted > 0;
  return success(results);
}

Reply Marketo::describe(Call&, const Params&) {
  Json result = Json::array();
  for (const Field& field : lead_fields()) result.push_back(describe_one(field));
  return success(result);
}

Reply Marketo::describe2(Call&, const Params&) { return success(describe_all()); }

Reply Marketo::schema_fields(Call&, const Params&) {
  Json result = Json::array();
  for (const Field& field : lead_fields()) {
    Json entry = {{"name", field.name},       {"displayName", field.label},    {"dataType", field.type},
                  {"isHidden", false},        {"isHtmlEncodingInEmail", true}, {"isSensitive", false},
                  {"isCustom", field.custom}, {"isApiCreated", false}};
    if (field.length > 0) entry["length"] = field.length;
    result.push_back(std::move(entry));
  }
  return success(result, {{"moreResult", false}});
}

}  // namespace eddy::sandbox::marketo
