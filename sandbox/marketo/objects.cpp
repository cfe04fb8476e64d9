// Records beside leads: written, looked up, deleted and described, all kinds alike.
#include "core/text.h"
#include "sandbox/marketo/marketo.h"

namespace eddy::sandbox::marketo {
namespace {

constexpr std::size_t input_rows_max = 300;

LeadResult skipped(std::string code, std::string message) {
  return {.status = "skipped", .reasons = {{std::move(code), std::move(message)}}};
}

Json id_json(const ObjectKind& kind, const std::string& id) {
  return kind.id_field == "id" ? Json(std::atoll(id.c_str())) : Json(id);
}

// What identifies a record, as one text; "" when a part is missing.
std::string key_of(const ObjectKind& kind, const Json& values) {
  std::string key;
  for (const std::string& name : kind.dedupe) {
    const std::string part = lower(trim(text_of(values.value(name, Json()))));
    if (part.empty()) return {};
    key += part + "\x1f";
  }
  return key;
}

}  // namespace

const ObjectKind* Marketo::kind_of(const Params& params) const {
  const auto custom = params.find("custom");
  return custom != params.end() ? find_kind(custom->second, true) : find_kind(params.at("kind"), false);
}

Record* Marketo::object_with(const ObjectKind& kind, const Json& values) {
  const std::string key = key_of(kind, values);
  return key.empty() ? nullptr : store_.table(kind.table()).first("_key", key);
}

LeadResult Marketo::write_object(const ObjectKind& kind, const Json& input, const std::string& action,
                                 bool by_id) {
  Json values = Json::object();
  for (const auto& [name, given] : input.items()) {
    if (name == kind.id_field && by_id) continue;
    const Field* field = kind.field(name);
    if (field == nullptr) return skipped("1006", fmt::format("Field '{}' not found", name));
    if (!convert(*field, given, values[name]))
      return skipped("1001",
                     fmt::format("Invalid value '{}'. Required of type '{}'", text_of(given), field->type));
  }
  Table& table = store_.table(kind.table());
  Record* known =
      by_id ? table.by_id(text_of(input.value(kind.id_field, Json()))) : object_with(kind, values);
  if (!by_id && key_of(kind, values).empty())
    return skipped("1002", fmt::format("Missing value for required parameter '{}'", join(kind.dedupe, ", ")));
  if (kind.path == "opportunities/roles") {
    if (store_.table("leads").by_id(text_of(values.value("leadId", Json()))) == nullptr)
      return skipped("1004", "Lead not found");
    if (object_with(*find_kind("opportunities", false), values) == nullptr)
      return skipped("1013", "Object 'Opportunity' not found");
  }
  if (known == nullptr) {
    if (action == "updateOnly") return skipped("1013", fmt::format("Object '{}' not found", kind.label));
    values["_key"] = key_of(kind, values);
    const std::string id =
        kind.id_field == "id" ? std::to_string(1000 + store_.next_number()) : random_uuid(random_);
    return {.status = "created", .id = table.add(id, values, now()).id};
  }
  if (action == "createOnly") return skipped("1005", fmt::format("{} already exists", kind.label));
  table.change(*known, values, now());
  Json whole = known->fields;
  table.change(*known, {{"_key", key_of(kind, whole)}}, now());
  --known->writes;
  return {.status = "updated", .id = known->id};
}

std::optional<Reply> Marketo::object_refused(Call& call, const ObjectKind* kind) {
  if (kind == nullptr) return failure("1013", "Object not found");
  if (kind->crm_owned && (settings_.crm_sync || fault(call, "crm_enabled")))
    return failure("1018", fmt::format("{} API is disabled: CRM is enabled", kind->label));
  return std::nullopt;
}

// The rows of a body {action|deleteBy, dedupeBy, input}; a refusal instead when it is not as it must be.
std::optional<Json> Marketo::object_rows(Call& call, Json& body, Reply& refusal) {
  call.effect.write = true;
  if (call.request.content_type() != "application/json") {
    refusal = failure("612", "Invalid Content Type");
    return std::nullopt;
  }
  const auto parsed = parse_json(call.request.body);
  if (!parsed || !parsed->is_object()) {
    refusal = failure("609", "Invalid JSON");
    return std::nullopt;
  }
  body = *parsed;
  const Json rows = body.value("input", Json());
  if (!rows.is_array() || rows.empty())
    refusal = failure("1002", "Missing value for required parameter 'input'");
  else if (rows.size() > input_rows_max)
    refusal = failure("1003", fmt::format("Too many records: {}, the maximum is 300", rows.size()));
  else if (!std::ranges::all_of(rows, &Json::is_object))
    refusal = failure("609", "Invalid JSON");
  else
    return rows;
  return std::nullopt;
}

Json Marketo::object_result(Call& call, const ObjectKind& kind, std::size_t seq, const LeadResult& result) {
  Json out = {{"seq", seq}, {"status", result.status}};
  if (!result.id.empty()) out[kind.id_field] = id_json(kind, result.id);
  for (const Reason& reason : result.reasons)
    out["reasons"].push_back({{"code", reason.code}, {"message", reason.message}});
  call.effect.created += result.status == "created" ? 1 : 0;
  call.effect.updated += result.status == "updated" ? 1 : 0;
  call.effect.deleted += result.status == "deleted" ? 1 : 0;
  call.effect.rejected += result.status == "skipped" ? 1 : 0;
  call.effect.applied |= result.status != "skipped";
  return out;
}

Reply Marketo::post_objects(Call& call, const Params& params) {
  const ObjectKind* kind = kind_of(params);
  call.effect.write = true;
  if (auto refused = object_refused(call, kind)) return *refused;
  Json body;
  Reply refusal;
  const auto rows = object_rows(call, body, refusal);
  if (!rows) return refusal;
  const std::string action = text_of(body.value("action", Json("createOrUpdate")));
  const std::string dedupe = text_of(body.value("dedupeBy", Json("dedupeFields")));
  if (action != "createOrUpdate" && action != "createOnly" && action != "updateOnly")
    return failure("1003", fmt::format("Invalid value '{}' for parameter 'action'", action));
  if (dedupe != "dedupeFields" && dedupe != "idField")
    return failure("1003", fmt::format("Invalid value '{}' for parameter 'dedupeBy'", dedupe));
  if (dedupe == "idField" && action != "updateOnly")
    return failure("1003", "dedupeBy idField can be used with action updateOnly only");
  call.effect.rows = rows->size();
  std::set<std::string> seen;
  Json results = Json::array();
  for (const Json& row : *rows) {
    const std::string key =
        dedupe == "idField" ? text_of(row.value(kind->id_field, Json())) : key_of(*kind, row);
    std::vector<std::string> parts;
    for (const std::string& name : kind->dedupe) parts.push_back(text_of(row.value(name, Json())));
    call.effect.keys.push_back(dedupe == "idField" ? key : join(parts, ","));
    LeadResult result;
    if (!key.empty() && !seen.insert(key).second)
      result = skipped("1036", "Duplicate object found in input");
    else if (fault(call, "skip_row"))
      result = skipped("1022", "Object in use");
    else
      result = write_object(*kind, row, action, dedupe == "idField");
    results.push_back(object_result(call, *kind, results.size(), result));
  }
  return success(results);
}

Reply Marketo::delete_objects(Call& call, const Params& params) {
  const ObjectKind* kind = kind_of(params);
  call.effect.write = true;
  if (auto refused = object_refused(call, kind)) return *refused;
  Json body;
  Reply refusal;
  const auto rows = object_rows(call, body, refusal);
  if (!rows) return refusal;
  const bool by_id = text_of(body.value("deleteBy", Json("dedupeFields"))) == "idField";
  call.effect.rows = rows->size();
  Json results = Json::array();
  for (const Json& row : *rows) {
    Table& table = store_.table(kind->table());
    const Record* record =
        by_id ? table.by_id(text_of(row.value(kind->id_field, Json()))) : object_with(*kind, row);
    const std::string id = record != nullptr ? record->id : "";
    call.effect.keys.push_back(by_id ? text_of(row.value(kind->id_field, Json())) : row.dump());
    LeadResult result = skipped("1013", fmt::format("Object '{}' not found", kind->label));
    if (record != nullptr) {
      table.remove(id);
      result = {.status = "deleted", .id = id};
    }
    results.push_back(object_result(call, *kind, results.size(), result));
  }
  return success(results);
}

Reply Marketo::get_objects(Call& call, const Params& params) {
  const ObjectKind* kind = kind_of(params);
  if (auto refused = object_refused(call, kind)) return *refused;
  // Compound keys come as a JSON body; all else as a query or a form.
  const auto parsed = call.request.content_type() == "application/json" && !call.request.body.empty()
                          ? parse_json(call.request.body)
                          : std::optional<Json>{};
  const Json body = parsed && parsed->is_object() ? *parsed : Json::object();
  const auto value = [&](const char* name) {
    if (body.contains(name) && !body[name].is_structured()) return text_of(body[name]);
    return form_or_query(call.request, name).value_or("");
  };
  const std::string type = value("filterType");
  if (type.empty()) return failure("1002", "Missing value for required parameter 'filterType'");
  const bool by_key = type == "dedupeFields" || (kind->dedupe.size() == 1 && type == kind->dedupe.front());
  const bool by_id = type == "idField" || type == kind->id_field;
  if (!by_key && !by_id && std::ranges::find(kind->searchable, type) == kind->searchable.end())
    return failure("1003", fmt::format("Invalid filterType '{}'", type));
  std::vector<Json> wanted;
  const std::string& name = by_id ? kind->id_field : by_key ? kind->dedupe.front() : type;
  for (const std::string& one : split(value("filterValues"), ','))
    if (!trim(one).empty()) wanted.push_back({{name, trim(one)}});
  if (wanted.empty())
    for (const Json& one : body.value("input", Json::array()))
      if (one.is_object()) wanted.push_back(one);
  if (wanted.empty()) return failure("1002", "Missing value for required parameter 'filterValues'");
  if (wanted.size() > input_rows_max) return failure("1003", "Too many values, the maximum is 300");
  std::vector<std::string> fields = kind->dedupe;
  if (body.contains("fields") && body["fields"].is_array()) fields = body["fields"];
  if (const std::string asked = value("fields"); !asked.empty()) fields = split(asked, ',');
  std::vector<const Record*> found;
  Table& table = store_.table(kind->table());
  for (const Json& one : wanted) {
    if (by_key || by_id) {
      const Record* record =
          by_id ? table.by_id(text_of(one.value(kind->id_field, Json()))) : object_with(*kind, one);
      if (record != nullptr) found.push_back(record);
    } else {
      for (const Record* record : table.find(type, text_of(one.value(type, Json())))) found.push_back(record);
    }
  }
  return page_of(call, found.size(), [&](std::size_t i) {
    const Record& record = *found[i];
    Json out = {{"seq", i},
                {kind->id_field, id_json(*kind, record.id)},
                {"createdAt", format_utc(std::chrono::floor<std::chrono::seconds>(record.created))},
                {"updatedAt", format_utc(std::chrono::floor<std::chrono::seconds>(record.updated))}};
    for (const std::string& field : fields)
      if (kind->field(trim(field)) != nullptr) out[trim(field)] = record.fields.value(trim(field), Json());
    return out;
  });
}

Reply Marketo::describe_objects(Call& call, const Params& params) {
  const ObjectKind* kind = kind_of(params);
  if (auto refused = object_refused(call, kind)) return *refused;
  return success(Json::array({describe_kind(*kind, true)}));
}

Reply Marketo::list_custom_objects(Call& call, const Params&) {
  const auto names = call.request.query_value("names");
  Json result = Json::array();
  for (const ObjectKind& kind : object_kinds())
    if (kind.custom && (!names || ("," + *names + ",").find("," + kind.path + ",") != std::string::npos))
      result.push_back(describe_kind(kind, false));
  return success(result);
}

}  // namespace eddy::sandbox::marketo
