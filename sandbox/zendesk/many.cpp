// Calls on up to 100 items. Their answer is a job, their result is in the job.
#include "core/text.h"
#include "sandbox/zendesk/zendesk.h"

namespace eddy::sandbox::zendesk {
namespace {

constexpr std::size_t items_max = 100;
constexpr std::size_t jobs_waiting_max = 30;
constexpr std::chrono::hours jobs_kept_for{24};

bool ended(const Job& job) { return job.status == "completed" || job.status == "failed"; }

// The e-mail or external id by which a result of a user upsert can be told.
void name_row(Json& result, const Json& item) {
  for (const char* name : {"external_id", "email"})
    if (item.is_object() && !text_of(item.value(name, Json())).empty()) {
      result[name] = item[name];
      return;
    }
}

std::string first_description(const Json& details) {
  for (const auto& [field, list] : details.items()) return text_of(list.at(0).value("description", Json()));
  return {};
}

}  // namespace

std::optional<Reply> Zendesk::no_room_for_job(Call& call) {
  const auto waiting = std::ranges::count_if(jobs_, [](const auto& entry) { return !ended(entry.second); });
  if (!fault(call, "too_many_jobs") && static_cast<std::size_t>(waiting) < jobs_waiting_max)
    return std::nullopt;
  call.throttled = true;
  Reply reply =
      error(429, "TooManyJobs", fmt::format("At most {} jobs may be queued or running", jobs_waiting_max));
  return reply.set("Retry-After", "1");
}

Reply Zendesk::start_job(Call& call, const std::string& type, Json results) {
  Job job{
      .id = random_hex(random_, 32), .type = type, .total = call.effect.rows, .results = std::move(results)};
  // Results that carry nothing to know them by are left in order.
  const bool nameless = !job.results.empty() && job.results.is_array() && job.results[0].contains("status") &&
                        type == "organizations_create";
  if (job.results.is_object()) job.ends_failed = true;
  if (job.results.is_array() && fault_on("job_shuffle") && !nameless) {
    auto rows = job.results.get<std::vector<Json>>();
    shuffle(rows);
    job.results = rows;
  }
  job.made = now();
  call.effect.jobs = 1;
  jobs_[job.id] = job;
  return json_reply(200, {{"job_status", job_json(job)}}, "application/json; charset=utf-8");
}

Json Zendesk::job_json(const Job& job) const {
  const bool over = ended(job);
  const Json progress = job.status == "queued" ? Json(nullptr) : Json(over ? job.total : job.total / 2);
  return {{"id", job.id},
          {"job_type", job.type},
          {"url", fmt::format("{}/api/v2/job_statuses/{}.json", base_url_, job.id)},
          {"total", job.total},
          {"progress", progress},
          {"status", job.status},
          {"message", over ? Json("Completed at " + format_utc(clock_.now())) : Json(nullptr)},
          {"results", over ? job.results : Json(nullptr)}};
}

Json Zendesk::poll(Job& job) const {
  if (job.status == "working")
    job.status = job.ends_failed ? "failed" : "completed";
  else if (job.status == "queued")
    job.status = "working";
  return job_json(job);
}

Reply Zendesk::show_job(Call& call, const Params& params) {
  forget_old_jobs();
  const auto job = jobs_.find(params.at("id"));
  if (job == jobs_.end() || fault(call, "job_gone")) return record_not_found();
  return json_reply(200, {{"job_status", poll(job->second)}}, "application/json; charset=utf-8");
}

void Zendesk::forget_old_jobs() {
  std::erase_if(jobs_, [&](const auto& entry) { return now() - entry.second.made > jobs_kept_for; });
}

Reply Zendesk::list_jobs(Call& call, const Params&) {
  forget_old_jobs();
  std::vector<Json> list;
  for (const auto& [id, job] : jobs_) list.push_back(job_json(job));
  return json_reply(200, paged("job_statuses", std::move(list), call.request),
                    "application/json; charset=utf-8");
}

Reply Zendesk::show_jobs(Call& call, const Params&) {
  forget_old_jobs();
  Json list = Json::array();
  for (const std::string& id : split(call.request.query_value("ids").value_or(""), ','))
    if (const auto job = jobs_.find(trim(id)); job != jobs_.end() && !fault(call, "job_gone"))
      list.push_back(poll(job->second));
  return json_reply(
      200,
      {{"job_statuses", list}, {"count", list.size()}, {"next_page", nullptr}, {"previous_page", nullptr}},
      "application/json; charset=utf-8");
}

Reply Zendesk::create_or_update_many(Call& call, const Params& params) {
  call.effect.write = true;
  if (!settings_.bulk_import || fault(call, "bulk_forbidden"))
    return error(403, "Forbidden",
                 "Bulk user imports are not enabled for this account. Contact support to enable them.");
  const auto body = parse_json(call.request.body);
  const Json items = body && body->is_object() ? body->value("users", Json()) : Json();
  if (!items.is_array()) return error(400, "InvalidAttribute", "Parameter users is required and is a list");
  if (items.size() > items_max)
    return error(400, "TooManyValues", "Parameter users must have no more than 100 items");
  if (auto full = no_room_for_job(call)) return *full;
  call.effect.rows = items.size();
  if (fault(call, "job_failed"))
    return start_job(call, "users_create_or_update",
                     {{"success", false}, {"message", "The job was stopped"}});
  Json results = Json::array();
  for (const Json& item : items) {
    call.effect.keys.push_back(key_of(item));
    Outcome outcome;
    if (fault(call, "job_failed_rows"))
      outcome = {.details = {{"base",
                              Json::array({{{"description", "Database collision"}, {"error", "Conflict"}}})}},
                 .error = "Conflict"};
    else
      outcome = write(object_of(params), item, Write::create_or_update, nullptr);
    count(call.effect, outcome);
    Json result = Json::object();
    if (outcome.record != nullptr) {
      result = {{"id", std::atoll(outcome.record->id.c_str())},
                {"status", outcome.created ? "Created" : "Updated"}};
    } else {
      result = {
          {"status", "Failed"}, {"error", outcome.error}, {"details", first_description(outcome.details)}};
    }
    name_row(result, item);
    results.push_back(std::move(result));
  }
  return start_job(call, "users_create_or_update", results);
}

Reply Zendesk::create_many(Call& call, const Params& params) {
  const std::string object = object_of(params);
  call.effect.write = true;
  if (object == "users" && (!settings_.bulk_import || fault(call, "bulk_forbidden")))
    return error(403, "Forbidden",
                 "Bulk user imports are not enabled for this account. Contact support to enable them.");
  const auto body = parse_json(call.request.body);
  const Json items = body && body->is_object() ? body->value(object, Json()) : Json();
  if (!items.is_array())
    return error(400, "InvalidAttribute", fmt::format("Parameter {} is required and is a list", object));
  if (items.size() > items_max)
    return error(400, "TooManyValues", fmt::format("Parameter {} must have no more than 100 items", object));
  if (auto full = no_room_for_job(call)) return *full;
  call.effect.rows = items.size();
  if (fault(call, "job_failed"))
    return start_job(call, object + "_create", {{"success", false}, {"message", "The job was stopped"}});
  Json results = Json::array();
  std::size_t index = 0;
  for (const Json& item : items) {
    call.effect.keys.push_back(key_of(item));
    Outcome outcome;
    if (!fault(call, "job_failed_rows"))
      outcome = write(object, item, Write::create, nullptr);
    else
      outcome.error = "Conflict";
    count(call.effect, outcome);
    Json result = Json::object();
    if (outcome.record != nullptr)
      result = {{"id", std::atoll(outcome.record->id.c_str())}, {"status", "Created"}};
    else
      result = {
          {"status", "Failed"}, {"error", outcome.error}, {"details", first_description(outcome.details)}};
    if (object == "users") name_row(result, item);
    if (object == "tickets") {
      result.erase("status");
      result["account_id"] = 4242;
      if (outcome.record == nullptr) result["success"] = false;
      if (!fault_on("results_without_index")) result["index"] = index;
    }
    ++index;
    results.push_back(std::move(result));
  }
  return start_job(call, object + "_create", results);
}

// Either one set of values for all of ?ids= or ?external_ids=, or a list of items that name their record
// themselves.
Reply Zendesk::update_many(Call& call, const Params& params) {
  const std::string object = object_of(params);
  call.effect.write = true;
  const auto body = parse_json(call.request.body);
  if (!body || !body->is_object()) return error(400, "InvalidJson", "The body is not a JSON object");
  Json items = body->value(object, Json());
  const auto ids = call.request.query_value("ids"), external = call.request.query_value("external_ids");
  if ((ids || external) && !items.is_array()) {
    const Json values = body->value(singular(object), Json());
    if (!values.is_object())
      return error(400, "InvalidAttribute", fmt::format("Parameter {} is required", singular(object)));
    items = Json::array();
    for (const std::string& one : split(ids ? *ids : *external, ',')) {
      Json item = values;
      item[ids ? "id" : "external_id"] = trim(one);
      items.push_back(std::move(item));
    }
  }
  if (!items.is_array())
    return error(400, "InvalidAttribute", fmt::format("Parameter {} is required and is a list", object));
  if (items.size() > items_max)
    return error(400, "TooManyValues", fmt::format("Parameter {} must have no more than 100 items", object));
  if (auto full = no_room_for_job(call)) return *full;
  call.effect.rows = items.size();
  if (fault(call, "job_failed"))
    return start_job(call, object + "_update", {{"success", false}, {"message", "The job was stopped"}});
  Json results = Json::array();
  for (const Json& item : items) {
    call.effect.keys.push_back(key_of(item));
    Record* target = nullptr;
    if (const std::string id = item.is_object() ? text_of(item.value("id", Json())) : ""; !id.empty())
      target = store_.table(object).by_id(id);
    else if (item.is_object())
      target = store_.table(object).first("external_id", text_of(item.value("external_id", Json())));
    const std::string id =
        target != nullptr ? target->id : text_of(item.is_object() ? item.value("id", Json()) : Json());
    Outcome outcome{.error = "Conflict"};
    if (!fault(call, "job_failed_rows")) outcome = write(object, item, Write::update, target);
    count(call.effect, outcome);
    const bool good = outcome.record != nullptr;
    Json result = {{"id", std::atoll(id.c_str())},
                   {"action", "update"},
                   {"success", good},
                   {"status", good ? "Updated" : "Failed"}};
    if (!good) {
      result["error"] = outcome.error;
      result["errors"] = first_description(outcome.details);
    }
    results.push_back(std::move(result));
  }
  return start_job(call, object + "_update", results);
}

Reply Zendesk::destroy_many(Call& call, const Params& params) {
  const std::string object = object_of(params);
  call.effect.write = true;
  const auto ids = call.request.query_value("ids"), external = call.request.query_value("external_ids");
  const auto wanted = split(ids ? *ids : external.value_or(""), ',');
  if (!ids && !external) return error(400, "InvalidAttribute", "Parameter ids or external_ids is required");
  if (wanted.size() > items_max)
    return error(400, "TooManyValues", "Parameter ids must have no more than 100 items");
  if (auto full = no_room_for_job(call)) return *full;
  call.effect.rows = wanted.size();
  call.effect.keys = wanted;
  Table& table = store_.table(object);
  Json results = Json::array();
  for (const std::string& one : wanted) {
    const Record* record = ids ? table.by_id(trim(one)) : table.first("external_id", trim(one));
    const std::string id = record != nullptr ? record->id : trim(one);
    const bool removed = record != nullptr && table.remove(id);
    ++(removed ? call.effect.deleted : call.effect.rejected);
    results.push_back({{"id", std::atoll(id.c_str())},
                       {"action", "delete"},
                       {"success", removed},
                       {"status", removed ? "Deleted" : "Failed"}});
    if (!removed) results.back()["error"] = "RecordNotFound";
  }
  call.effect.applied = call.effect.deleted > 0;
  return start_job(call, object + "_destroy", results);
}

}  // namespace eddy::sandbox::zendesk
