// Batch calls: at most 100 inputs, results in any order, failures per row or for the whole batch.
#include "core/text.h"
#include "sandbox/hubspot/hubspot.h"

namespace eddy::sandbox::hubspot {
namespace {

constexpr std::size_t batch_inputs_max = 100;

std::string trace_of(const Json& input) { return text_of(input.value("objectWriteTraceId", Json())); }

// From this version on a partly failed batch is answered like a good one, with errors in its body.
bool errors_come_under_200(const Router::Params& params) {
  const auto version = params.find("version");
  return version != params.end() && version->second.starts_with("20") && version->second >= "2026-09";
}

}  // namespace

// Row by row is answered only when every input can be told apart by its objectWriteTraceId; otherwise one
// invalid row refuses the whole batch.
Reply HubSpot::batch_write(Call& call, const Params& params, BatchWrite kind) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, batch_inputs_max, refusal) : std::nullopt;
  call.effect.write = true;
  if (!inputs) return refusal;
  const ObjectType& type = *objects_.type(params.at("type"));
  call.effect.rows = inputs->size();
  const int good = kind == BatchWrite::create ? 201 : 200;
  // Recorded: a body without inputs is a success without results. So is every batch when the fault is on.
  if (inputs->empty() || fault(call, "empty_results")) return batch_reply(good, {}, Json::array());

  std::set<std::string> traces;
  for (const Json& input : *inputs) traces.insert(trace_of(input));
  const bool traced = traces.size() == inputs->size() && !traces.contains("");
  if (auto duplicates = duplicate_ids(*inputs, kind)) {
    call.effect.rejected = inputs->size();
    return *duplicates;
  }
  const bool atomic = !traced || fault(call, "atomic_validation");
  std::vector<Draft> drafts;
  for (const Json& input : *inputs) {
    drafts.push_back(draft(type, input, kind));
    call.effect.keys.push_back(drafts.back().key);
    const auto& problem = drafts.back().problem;
    if (problem && problem->category != "OBJECT_NOT_FOUND" && atomic) {
      call.effect.rejected = inputs->size();
      return problem_reply(*problem);
    }
  }

  std::vector<Json> results;
  Json errors = Json::array();
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    const Json& input = (*inputs)[i];
    if (drafts[i].problem) {
      ++call.effect.rejected;
      errors.push_back(error_item(*drafts[i].problem, input));
      continue;
    }
    const bool created = drafts[i].record == nullptr;
    std::vector<std::string> names;
    for (const auto& [name, value] : drafts[i].properties.items()) names.push_back(name);
    // The property by which the row named its record comes back, as the service writes it.
    if (const std::string by = text_of(input.value("idProperty", Json()));
        !by.empty() && !drafts[i].properties.contains(by))
      names.push_back(by);
    const Record& record = objects_.write(drafts[i]);
    for (const WantedLink& wanted : drafts[i].links)
      link(type, record.id, *wanted.type, wanted.id, wanted.types);
    ++(created ? call.effect.created : call.effect.updated);
    call.effect.applied = true;
    Json result = objects_.read(type, record, names);
    if (kind == BatchWrite::upsert) result["new"] = created;
    if (const std::string trace = trace_of(input); !trace.empty()) result["objectWriteTraceId"] = trace;
    results.push_back(std::move(result));
  }
  const bool quiet = errors.empty() || errors_come_under_200(params) || fault_on("errors_under_200");
  return batch_reply(quiet ? good : 207, std::move(results), errors);
}

Draft HubSpot::draft(const ObjectType& type, const Json& input, BatchWrite kind) {
  Draft draft{.type = &type};
  const std::string id = text_of(input.value("id", Json()));
  const std::string id_property = text_of(input.value("idProperty", Json()));
  const Json given = input.value("properties", Json::object());
  draft.key =
      kind == BatchWrite::create ? (given.is_object() ? text_of(given.value("email", Json())) : "") : id;
  if (kind != BatchWrite::create) {
    if (id.empty()) {
      draft.problem =
          Problem{.category = "VALIDATION_ERROR", .message = "Some required fields were not set: [id]"};
      return draft;
    }
    draft.problem = objects_.find(type, id, id_property, draft.record);
    if (draft.problem) return draft;
    const bool by_record_id = id_property.empty() || id_property == "hs_object_id";
    if (draft.record == nullptr && (kind == BatchWrite::update || by_record_id)) {
      draft.problem = not_found(type, id);
      return draft;
    }
  }
  draft.problem = objects_.take_properties(type, given, draft.properties);
  if (draft.problem) return draft;
  if (kind == BatchWrite::upsert && draft.record == nullptr && !draft.properties.contains(id_property)) {
    Json key = {{id_property, id}};
    draft.problem = objects_.take_properties(type, key, draft.properties);
    if (draft.problem) return draft;
  }
  if (draft.record == nullptr) {
    draft.problem = objects_.missing_properties(draft);
    if (!draft.problem) draft.problem = take_associations(type, input, draft.links);
    if (draft.problem) return draft;
  }
  for (const auto& [name, property] : objects_.known_properties(type)) {
    const std::string value =
        property.unique ? text_of(draft.properties.value(property.name, Json())) : std::string{};
    const Record* taken = value.empty() ? nullptr : objects_.table(type).first(property.name, value);
    if (taken == nullptr || taken == draft.record) continue;
    draft.problem =
        Problem{.category = "VALIDATION_ERROR",
                .message = fmt::format(
                    "Cannot set PropertyValueCoordinates{{propertyName={}, value={}}} on {}. {} "
                    "already has that value.",
                    property.name, value, draft.record ? draft.record->id : "a new record", taken->id),
                .context = {{"propertyName", {property.name}}}};
    return draft;
  }
  const std::string email = text_of(draft.properties.value("email", Json()));
  const Record* holder = objects_.holder_of_email(type, email);
  if (holder != nullptr && holder != draft.record)
    draft.problem = Problem{.status = 409,
                            .category = "CONFLICT",
                            .message = "Contact already exists. Existing ID: " + holder->id};
  return draft;
}

std::optional<Reply> HubSpot::duplicate_ids(const Json& inputs, BatchWrite kind) {
  std::set<std::string> seen;
  std::vector<std::string> twice;
  for (const Json& input : inputs) {
    const Json properties = input.value("properties", Json::object());
    std::string id = kind == BatchWrite::create && properties.is_object()
                         ? text_of(properties.value("email", Json()))
                         : text_of(input.value("id", Json()));
    if (kind == BatchWrite::create || text_of(input.value("idProperty", Json())) == "email")
      id = lower(trim(id));
    if (!id.empty() && !seen.insert(id).second) twice.push_back(id);
  }
  if (twice.empty()) return std::nullopt;
  return problem_reply({.category = "VALIDATION_ERROR",
                        .message = fmt::format("Duplicate IDs found in batch input: [{}]. IDs must be unique",
                                               join(twice, ", ")),
                        .context = {{"ids", twice}}});
}

Json HubSpot::error_item(const Problem& problem, const Json& input) const {
  Json context = problem.context;
  if (const std::string trace = trace_of(input); !trace.empty()) context["objectWriteTraceId"] = {trace};
  Json item = {{"status", "error"},
               {"category", problem.category},
               {"message", problem.message},
               {"context", context}};
  item["errors"] = problem.errors;
  item["links"] = Json::object();
  return item;
}

Reply HubSpot::batch_reply(int status, std::vector<Json> results, const Json& errors) {
  if (fault_on("shuffle")) shuffle(results);
  Json body = {{"status", "COMPLETE"},
               {"results", results},
               {"startedAt", hubspot_time(now())},
               {"completedAt", hubspot_time(now())}};
  if (!errors.empty()) {
    body["numErrors"] = errors.size();
    body["errors"] = errors;
  }
  return json_reply(status, body);
}

Reply HubSpot::batch_read(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, batch_inputs_max, refusal) : std::nullopt;
  if (!inputs) return refusal;
  const ObjectType& type = *objects_.type(params.at("type"));
  const std::string id_property = text_of(body->value("idProperty", Json()));
  std::vector<std::string> asked;
  for (const Json& name : body->value("properties", Json::array())) asked.push_back(text_of(name));
  const std::vector<std::string> names = read_names(type, asked);
  const bool archived = lower(call.request.query_value("archived").value_or("")) == "true";
  std::vector<Json> results;
  std::vector<std::string> missing;
  std::set<std::string> seen;
  for (const Json& input : *inputs) {
    const std::string id = text_of(input.value("id", Json()));
    Record* record = nullptr;
    if (const auto problem = objects_.find(type, id, id_property, record)) return problem_reply(*problem);
    if (archived) record = objects_.archived(type).by_id(id);
    if (record == nullptr) {
      missing.push_back(id);
    } else if (seen.insert(record->id).second) {
      results.push_back(objects_.read(type, *record, names, archived));
      for (const Json& name : body->value("propertiesWithHistory", Json::array()))
        results.back()["propertiesWithHistory"][text_of(name)] = history_of(type, *record, text_of(name));
    }
  }
  call.effect.rows = inputs->size();
  Json errors = Json::array();
  if (!missing.empty()) {
    Problem problem = not_found(type, "");
    problem.context["ids"] = missing;
    errors.push_back(error_item(problem, Json::object()));
  }
  const bool quiet = errors.empty() || errors_come_under_200(params) || fault_on("errors_under_200");
  return batch_reply(quiet ? 200 : 207, std::move(results), errors);
}

Reply HubSpot::batch_archive(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, batch_inputs_max, refusal) : std::nullopt;
  call.effect.write = true;
  if (!inputs) return refusal;
  call.effect.rows = inputs->size();
  for (const Json& input : *inputs) {
    const std::string id = text_of(input.value("id", Json()));
    call.effect.keys.push_back(id);
    // Ids that are not there are passed over: archiving is safe to repeat.
    if (!archive(*objects_.type(params.at("type")), id)) continue;
    ++call.effect.deleted;
    call.effect.applied = true;
  }
  return Reply{.status = 204};
}

}  // namespace eddy::sandbox::hubspot
