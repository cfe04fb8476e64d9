// The calls that read and write rows: one at a time, by external id, in collections, and several calls in
// one.
#include "core/error.h"
#include "core/text.h"
#include "sandbox/salesforce/salesforce.h"

namespace eddy::sandbox::salesforce {
namespace {

constexpr std::size_t collection_rows_max = 200, collection_reads_max = 2000;
constexpr std::size_t type_runs_max = 10;
constexpr std::size_t subrequests_max = 25, heavy_subrequests_max = 5;

Reply not_found() { return error_reply(404, "NOT_FOUND", "The requested resource does not exist"); }

RowError rolled_back() {
  return {"ALL_OR_NONE_OPERATION_ROLLED_BACK",
          "Record rolled back because not all records were valid and the request was using AllOrNone header"};
}

// A path and query as a request of its own, for the parts of a composite.
std::optional<IncomingRequest> inner_request(const std::string& method, const std::string& url,
                                             const std::string& body) {
  IncomingRequest request{.method = method, .target = url, .body = body};
  request.headers.emplace_back("Content-Type", "application/json");
  const std::size_t question = url.find('?');
  const auto path = http::percent_decode(url.substr(0, question));
  if (!path || !url.starts_with('/')) return std::nullopt;
  request.path = *path;
  for (const std::string& segment :
       split(url.substr(1, question == std::string::npos ? question : question - 1), '/'))
    request.segments.push_back(http::percent_decode(segment).value_or(segment));
  if (question != std::string::npos) {
    auto query = http::parse_query(url.substr(question + 1));
    if (!query) return std::nullopt;
    request.query = std::move(*query);
  }
  return request;
}

// "@{ref.id}" and "@{ref.field}" become what the earlier subrequest answered.
std::string with_references(std::string text, const std::map<std::string, Json>& answers) {
  for (std::size_t at = text.find("@{"); at != std::string::npos; at = text.find("@{", at + 1)) {
    const std::size_t end = text.find('}', at), dot = text.find('.', at);
    if (end == std::string::npos || dot == std::string::npos || dot > end) continue;
    const auto answer = answers.find(text.substr(at + 2, dot - at - 2));
    if (answer == answers.end() || !answer->second.is_object()) continue;
    text.replace(at, end - at + 1,
                 text_of(answer->second.value(text.substr(dot + 1, end - dot - 1), Json())));
  }
  return text;
}

}  // namespace

std::optional<Json> Salesforce::json_body(const Call& call, Reply& refusal) const {
  const std::string type = call.request.content_type();
  if (!type.empty() && type.find("json") == std::string::npos) {
    refusal = error_reply(415, "UNSUPPORTED_MEDIA_TYPE",
                          "The request entity is in a format that is not supported by this method");
    return std::nullopt;
  }
  auto body = parse_json(call.request.body);
  if (body && body->is_object()) return body;
  refusal = error_reply(
      400, "JSON_PARSER_ERROR",
      "Unexpected character or end-of-input: the body is not a JSON object at [line:1, column:1]");
  return std::nullopt;
}

const Field* Salesforce::key_field(const Object& object, const std::string& name, Reply& refusal) const {
  const Field* field = find_field(object, name);
  if (field != nullptr && (field->external_id || field->id_lookup)) return field;
  refusal = error_reply(404, "NOT_FOUND",
                        "Provided external ID field does not exist or is not accessible: " + name);
  return nullptr;
}

void Salesforce::count(Effect& effect, const RowResult& result, bool deleting) {
  effect.applied |= result.success;
  if (!result.success)
    ++effect.rejected;
  else if (deleting)
    ++effect.deleted;
  else
    ++(result.created ? effect.created : effect.updated);
}

void Salesforce::play_row_faults(Call& call, Draft& draft) {
  if (!draft.ok()) return;
  if (fault(call, "row_locked"))
    draft.errors.push_back({"UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", {}});
  else if (fault(call, "duplicates_detected"))
    draft.errors.push_back({"DUPLICATES_DETECTED", "Use one of these records?", {}});
}

Json Salesforce::record_json(const Object& object, const Record& record, const std::string& version) const {
  Json out = records_.read(object, record);
  out["attributes"] = {
      {"type", object.name},
      {"url", fmt::format("/services/data/{}/sobjects/{}/{}", version, object.name, record.id)}};
  return out;
}

Reply Salesforce::multiple_choices(const Object& object, const std::vector<std::string>& ids,
                                   const std::string& version) const {
  Json urls = Json::array();
  for (const std::string& id : ids)
    urls.push_back(fmt::format("/services/data/{}/sobjects/{}/{}", version, object.name, id));
  return json_reply(300, urls);
}

// Writes one row; 201 when created, error array otherwise. An update is answered by the caller.
Reply Salesforce::one_result(Call& call, Draft& draft, const std::string& key) {
  call.effect.write = true;
  call.effect.rows = 1;
  play_row_faults(call, draft);
  if (draft.request_error) {
    ++call.effect.rejected;
    return error_reply(400, draft.request_error->code, draft.request_error->message);
  }
  const RowResult result = records_.write(draft);
  call.effect.keys.push_back(key.empty() ? result.id : key);
  count(call.effect, result);
  if (!result.success) {
    const RowError& error = result.errors.front();
    return error_reply(error.code == "INVALID_CROSS_REFERENCE_KEY" ? 404 : 400, error.code, error.message,
                       error.fields);
  }
  return json_reply(result.created ? 201 : 200, result_json(result, true));
}

Reply Salesforce::create_one(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  Draft draft = records_.draft(Operation::insert, *find_object(params.at("object")), *body, {}, false);
  Reply reply = one_result(call, draft, {});
  if (reply.status != 201) return reply;
  return json_reply(201, {{"id", call.effect.keys.front()}, {"success", true}, {"errors", Json::array()}});
}

// All fields, or those of ?fields=.
Reply Salesforce::show_record(const Call& call, const Object& object, const Record& record,
                              const std::string& version) {
  const Json whole = record_json(object, record, version);
  const auto asked = call.request.query_value("fields");
  if (!asked) return json_reply(200, whole);
  Json out = {{"attributes", whole["attributes"]}, {"Id", record.id}};
  for (const std::string& name : split(*asked, ',')) {
    const Field* field = find_field(object, trim(name));
    if (field == nullptr)
      return error_reply(400, "INVALID_FIELD",
                         fmt::format("No such column '{}' on sobject of type {}", name, object.name));
    out[field->name] = whole[field->name];
  }
  return json_reply(200, out);
}

Reply Salesforce::read_one(const Call& call, const Params& params) {
  const Object& object = *find_object(params.at("object"));
  const Record* record = records_.find(object, params.at("id"));
  return record == nullptr ? not_found() : show_record(call, object, *record, params.at("version"));
}

// What changed or went between ?start= and ?end=.
Reply Salesforce::changed_rows(const Call& call, const Params& params, bool deleted) {
  const Object& object = *find_object(params.at("object"));
  Clock::WallTime from, to;
  try {
    const auto time = [&](const char* name) {
      std::string text = call.request.query_value(name).value_or("");
      return parse_utc(replace_all(replace_all(text, " 00:00", "Z"), "+00:00", "Z"));
    };
    from = time("start");
    to = time("end");
  } catch (const Error&) {
    return error_reply(400, "INVALID_TYPE", "start and end are times");
  }
  Json list = Json::array();
  const auto& records = store_.table(deleted ? "_deleted" : object.name).records();
  for (const auto& [place, record] : records) {
    if (record.updated < from || record.updated >= to) continue;
    if (!deleted)
      list.push_back(record.id);
    else if (record.fields["object"] == object.name)
      list.push_back({{"id", record.id}, {"deletedDate", salesforce_time(record.updated)}});
  }
  Json out = {{"latestDateCovered", salesforce_time(to)}, {deleted ? "deletedRecords" : "ids", list}};
  if (deleted) out["earliestDateAvailable"] = salesforce_time(from);
  return json_reply(200, out);
}

Reply Salesforce::update_one(Call& call, const Params& params) {
  Reply refusal;
  auto body = json_body(call, refusal);
  if (!body) return refusal;
  const Object& object = *find_object(params.at("object"));
  if (records_.find(object, params.at("id")) == nullptr) return not_found();
  (*body)["Id"] = params.at("id");
  Draft draft = records_.draft(Operation::update, object, *body, {}, false);
  Reply reply = one_result(call, draft, params.at("id"));
  return reply.status == 200 ? Reply{.status = 204} : reply;
}

Reply Salesforce::delete_one(Call& call, const Params& params) {
  call.effect.write = true;
  call.effect.rows = 1;
  call.effect.keys = {params.at("id")};
  const RowResult result = records_.remove(params.at("id"));
  count(call.effect, result, true);
  if (result.success) return Reply{.status = 204};
  return error_reply(404, result.errors.front().code, result.errors.front().message);
}

Reply Salesforce::upsert_by_key(Call& call, const Params& params) {
  Reply refusal;
  auto body = json_body(call, refusal);
  const Object& object = *find_object(params.at("object"));
  const Field* key = body ? key_field(object, params.at("field"), refusal) : nullptr;
  if (key == nullptr) return refusal;
  for (const auto& [name, value] : body->items())
    if (lower(name) == "id" || lower(name) == lower(key->name))
      return error_reply(400, "INVALID_FIELD",
                         fmt::format("The {} field should not be specified in the sobject data.", name));
  const std::string& value = params.at("value");
  (*body)[key->name] = value;
  Draft draft = records_.draft(Operation::upsert, object, *body, key->name, false);
  const std::string& version = params.at("version");
  if (draft.matches.size() > 1) return multiple_choices(object, draft.matches, version);
  if (draft.ok() && fault(call, "ambiguous_key"))
    return multiple_choices(object, {make_id(object.key_prefix, 1), make_id(object.key_prefix, 2)}, version);
  if (draft.record == nullptr && call.request.query_value("updateOnly") == "true") return not_found();
  Reply reply = one_result(call, draft, value);
  // Before v46 an update was answered by 204 without a body.
  const bool silent = std::atoi(version.c_str() + 1) < 46;
  return reply.status == 200 && silent ? Reply{.status = 204} : reply;
}

Reply Salesforce::read_by_key(const Call& call, const Params& params) {
  Reply refusal;
  const Object& object = *find_object(params.at("object"));
  const Field* key = key_field(object, params.at("field"), refusal);
  if (key == nullptr) return refusal;
  const auto found = store_.table(object.name).find(key->name, params.at("value"));
  if (found.empty()) return not_found();
  if (found.size() == 1) return show_record(call, object, *found.front(), params.at("version"));
  std::vector<std::string> ids;
  for (const Record* record : found) ids.push_back(record->id);
  return multiple_choices(object, ids, params.at("version"));
}

Reply Salesforce::delete_by_key(Call& call, const Params& params) {
  Reply refusal;
  const Object& object = *find_object(params.at("object"));
  const Field* key = key_field(object, params.at("field"), refusal);
  if (key == nullptr) return refusal;
  const auto found = store_.table(object.name).find(key->name, params.at("value"));
  if (found.empty()) return not_found();
  if (found.size() > 1) return read_by_key(call, params);
  Params one = params;
  one["id"] = found.front()->id;
  Reply reply = delete_one(call, one);
  call.effect.keys = {params.at("value")};
  return reply;
}

Reply Salesforce::write_collection(Call& call, Operation operation, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const Json rows = body->value("records", Json());
  if (!rows.is_array() || !body->value("allOrNone", Json(false)).is_boolean())
    return error_reply(400, "JSON_PARSER_ERROR", "records is a list and allOrNone true or false");
  call.effect.write = true;
  call.effect.rows = rows.size();
  if (rows.size() > collection_rows_max)
    return error_reply(400, "EXCEEDED_ID_LIMIT",
                       "record limit reached. cannot submit more than 200 records into this call");
  const Object* path_object = operation == Operation::upsert ? find_object(params.at("object")) : nullptr;
  const Field* key = path_object != nullptr ? key_field(*path_object, params.at("field"), refusal) : nullptr;
  if (operation == Operation::upsert && key == nullptr) return refusal;

  std::vector<Draft> drafts;
  std::size_t runs = 0;
  for (const Json& row : rows) {
    const std::string type = row.is_object() && row.contains("attributes") && row["attributes"].is_object()
                                 ? text_of(row["attributes"].value("type", Json()))
                                 : "";
    const Object* object = find_object(type);
    if (object == nullptr || (path_object != nullptr && object != path_object))
      return error_reply(400, "INVALID_TYPE",
                         type.empty() ? "Include the 'type' in the attributes of every record"
                                      : fmt::format("sObject type '{}' is not supported.", type));
    if (drafts.empty() || drafts.back().object != object) ++runs;
    Draft draft = records_.draft(operation, *object, row, key ? key->name : "", false);
    if (draft.request_error) {
      call.effect.rejected = rows.size();
      return error_reply(400, draft.request_error->code, draft.request_error->message);
    }
    std::string named;
    for (const auto& [name, value] : row.items())
      if (lower(name) == (key ? lower(key->name) : "id")) named = text_of(value);
    call.effect.keys.push_back(named);
    if (key != nullptr && draft.ok() && fault(call, "ambiguous_key"))
      draft.errors.push_back({"DUPLICATE_EXTERNAL_ID",
                              key->name + ": more than one record found for external id field",
                              {key->name}});
    play_row_faults(call, draft);
    drafts.push_back(std::move(draft));
  }
  if (runs > type_runs_max)
    return error_reply(400, "EXCEEDED_MAX_TYPES_LIMIT",
                       "records are of more than 10 types, one after the other");
  if (key != nullptr) records_.refuse_duplicate_keys(drafts, key->name);

  const bool all_good = std::ranges::all_of(drafts, &Draft::ok);
  const bool roll_back = body->value("allOrNone", false) && !all_good;
  Json results = Json::array();
  for (Draft& draft : drafts) {
    if (roll_back && draft.ok()) draft.errors.push_back(rolled_back());
    const RowResult result = records_.write(draft);
    count(call.effect, result);
    results.push_back(result_json(result, operation == Operation::upsert));
  }
  return json_reply(200, results);
}

Reply Salesforce::delete_collection(Call& call) {
  const auto ids = split(call.request.query_value("ids").value_or(""), ',');
  call.effect.write = true;
  call.effect.rows = ids.size();
  call.effect.keys = ids;
  if (ids.size() > collection_rows_max)
    return error_reply(400, "EXCEEDED_ID_LIMIT",
                       "record limit reached. cannot submit more than 200 records into this call");
  const auto known = [&](const std::string& id) {
    return std::ranges::any_of(objects(),
                               [&](const Object& object) { return records_.find(object, id) != nullptr; });
  };
  const bool roll_back = call.request.query_value("allOrNone") == "true" && !std::ranges::all_of(ids, known);
  Json results = Json::array();
  for (const std::string& id : ids) {
    const RowResult result =
        roll_back && known(id) ? RowResult{.errors = {rolled_back()}} : records_.remove(id);
    count(call.effect, result, true);
    results.push_back(result_json(result, false));
  }
  return json_reply(200, results);
}

// By ?ids= and ?fields=, or by a body with them for what is too long for an address.
Reply Salesforce::read_collection(Call& call, const Params& params) {
  const Object& object = *find_object(params.at("object"));
  std::vector<std::string> ids, names;
  if (call.request.method == "POST") {
    Reply refusal;
    const auto body = json_body(call, refusal);
    if (!body) return refusal;
    for (const Json& id : body->value("ids", Json::array())) ids.push_back(text_of(id));
    for (const Json& name : body->value("fields", Json::array())) names.push_back(text_of(name));
  } else {
    ids = split(call.request.query_value("ids").value_or(""), ',');
    names = split(call.request.query_value("fields").value_or(""), ',');
  }
  if (ids.size() > collection_reads_max)
    return error_reply(400, "EXCEEDED_ID_LIMIT",
                       "record limit reached. cannot retrieve more than 2000 records in this call");
  Json out = Json::array();
  for (const std::string& id : ids) {
    const Record* record = records_.find(object, id);
    if (record == nullptr) {
      out.push_back(nullptr);
      continue;
    }
    const Json whole = record_json(object, *record, params.at("version"));
    Json row = {{"attributes", whole["attributes"]}};
    for (const std::string& name : names) {
      const Field* field = find_field(object, trim(name));
      if (field == nullptr)
        return error_reply(400, "INVALID_FIELD",
                           fmt::format("No such column '{}' on sobject of type {}", name, object.name));
      row[field->name] = whole[field->name];
    }
    row["Id"] = record->id;
    out.push_back(std::move(row));
  }
  return json_reply(200, out);
}

Reply Salesforce::composite(Call& call, const Params&) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const Json parts = body->value("compositeRequest", Json());
  if (!parts.is_array() || parts.empty())
    return error_reply(400, "JSON_PARSER_ERROR", "compositeRequest is a list of subrequests");
  const auto heavy = std::ranges::count_if(parts, [](const Json& part) {
    const std::string url = part.is_object() ? text_of(part.value("url", Json())) : "";
    return url.find("/composite/") != std::string::npos || url.find("/query") != std::string::npos;
  });
  if (parts.size() > subrequests_max || static_cast<std::size_t>(heavy) > heavy_subrequests_max)
    return error_reply(400, "LIMIT_EXCEEDED",
                       "a composite has at most 25 subrequests, 5 of them collections or queries");

  const bool all_or_none = body->value("allOrNone", Json(false)) == Json(true);
  const Json before = all_or_none ? store_.to_json() : Json();
  std::map<std::string, Json> answers;
  Json out = Json::array();
  bool failed = false;
  for (const Json& part : parts) {
    const std::string reference = part.is_object() ? text_of(part.value("referenceId", Json())) : "";
    if (reference.empty())
      return error_reply(400, "JSON_PARSER_ERROR", "a subrequest needs method, url and referenceId");
    const std::string sent = part.contains("body") ? with_references(part["body"].dump(), answers) : "";
    const auto request = inner_request(text_of(part.value("method", Json())),
                                       with_references(text_of(part.value("url", Json())), answers), sent);
    Reply reply = not_found();
    if (request) {
      Call inner{.request = *request};
      reply = dispatch(inner);
      call.effect.write |= inner.effect.write;
      call.effect.applied |= inner.effect.applied;
      call.effect.rows += inner.effect.rows;
      call.effect.created += inner.effect.created;
      call.effect.updated += inner.effect.updated;
      call.effect.deleted += inner.effect.deleted;
      call.effect.rejected += inner.effect.rejected;
      std::ranges::copy(inner.effect.keys, std::back_inserter(call.effect.keys));
      if (!inner.fault.empty()) call.fault = inner.fault;
    }
    answers[reference] = reply.body.empty() ? Json(nullptr) : Json::parse(reply.body);
    failed |= reply.status >= 300;
    out.push_back({{"body", answers[reference]},
                   {"httpHeaders", Json::object()},
                   {"httpStatusCode", reply.status},
                   {"referenceId", reference}});
  }
  if (failed && all_or_none) {
    store_.from_json(before);
    call.effect.applied = false;
    call.effect.rejected = call.effect.rows;
    call.effect.created = call.effect.updated = call.effect.deleted = 0;
    for (Json& part : out)
      if (part["httpStatusCode"] < 300) {
        part["httpStatusCode"] = 400;
        part["body"] = Json::array({{{"errorCode", "PROCESSING_HALTED"},
                                     {"message",
                                      "The transaction was rolled back since another operation in the "
                                      "same transaction failed."}}});
      }
  }
  return json_reply(200, {{"compositeResponse", out}});
}

}  // namespace eddy::sandbox::salesforce
