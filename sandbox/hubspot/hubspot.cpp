#include "sandbox/hubspot/hubspot.h"

#include "core/text.h"

namespace eddy::sandbox::hubspot {

const std::vector<FaultKind>& own_faults() {
  static const std::vector<FaultKind> kinds = {
      {"shuffle", "results of a batch come in another order than its inputs", 1},
      {"errors_under_200",
       "partly failed batches answer 200/201 instead of 207 on every path, as 2026-09 does"},
      {"empty_results", "a batch is accepted with a 2xx that has no results and no errors; nothing is done"},
      {"atomic_validation",
       "one invalid row refuses the whole batch with 400 even when inputs carry trace ids"},
      {"throttle_legacy", "429 in the shape of 2022: category RATE_LIMITS, secondly limit"},
      {"daily_limit", "429 with policyName DAILY"},
      {"missing_scopes", "403 MISSING_SCOPES: the app may not do this"},
      {"migration", "477: the portal is being moved to another data centre"},
      {"search_lag",
       "searches show records as they were a while ago (5s, or what is said after `@`); what is newer is not "
       "found",
       0, std::chrono::seconds{5}},
      {"locked", "423 for the whole call: the records are being changed by somebody else"},
  };
  return kinds;
}

HubSpot::HubSpot(Settings settings, const Surroundings& around)
    : Service("hubspot", around),
      settings_(std::move(settings)),
      objects_(store_, clock_),
      calls_today_(clock_),
      search_bucket_(settings_.search_rate, clock_) {
  add_object_routes();
  add_other_routes();
  add_association_routes();
  add_list_routes();
  store_.declare("_list_members", {{.field = "list"}, {.field = "record"}});
  add_default_lists();
}

void HubSpot::on(const char* method, const std::string& pattern, Endpoint endpoint) {
  router_.add(method, pattern,
              [this, endpoint](Call& call, const Params& params) { return (this->*endpoint)(call, params); });
}

void HubSpot::add_object_routes() {
  // /crm/v3/objects/{type} is as old as /crm/objects/{date}/{type} is new; both mean the same.
  for (const std::string base : {"/crm/v3/objects/{type}", "/crm/objects/{version}/{type}"}) {
    on("POST", base + "/batch/create", &HubSpot::batch_create);
    on("POST", base + "/batch/update", &HubSpot::batch_update);
    on("POST", base + "/batch/upsert", &HubSpot::batch_upsert);
    on("POST", base + "/batch/read", &HubSpot::batch_read);
    on("POST", base + "/batch/archive", &HubSpot::batch_archive);
    on("POST", base + "/search", &HubSpot::search);
    on("GET", base, &HubSpot::list);
    on("POST", base, &HubSpot::create_one);
    on("GET", base + "/{id}", &HubSpot::read_one);
    on("PATCH", base + "/{id}", &HubSpot::update_one);
    on("DELETE", base + "/{id}", &HubSpot::archive_one);
  }
}

void HubSpot::add_other_routes() {
  for (const std::string base : {"/crm/v3/properties/{type}", "/crm/properties/{version}/{type}"}) {
    on("GET", base, &HubSpot::list_properties);
    on("POST", base, &HubSpot::create_property);
    on("GET", base + "/groups", &HubSpot::property_groups);
    on("POST", base + "/groups", &HubSpot::write_group);
    on("GET", base + "/groups/{name}", &HubSpot::read_group);
    on("PATCH", base + "/groups/{name}", &HubSpot::write_group);
    on("DELETE", base + "/groups/{name}", &HubSpot::archive_group);
    on("POST", base + "/batch/create", &HubSpot::create_properties);
    on("POST", base + "/batch/read", &HubSpot::read_properties);
    on("POST", base + "/batch/archive", &HubSpot::archive_properties);
    on("GET", base + "/{name}", &HubSpot::read_property);
    on("PATCH", base + "/{name}", &HubSpot::update_property);
    on("DELETE", base + "/{name}", &HubSpot::archive_property);
  }
  for (const std::string base : {"/crm-object-schemas/v3/schemas", "/crm-object-schemas/{version}/schemas"}) {
    on("GET", base, &HubSpot::schemas);
    on("POST", base, &HubSpot::create_schema);
    on("GET", base + "/{type}", &HubSpot::read_schema);
    on("DELETE", base + "/{type}", &HubSpot::archive_schema);
  }
  for (const std::string base : {"/crm/v3/pipelines/{type}", "/crm/pipelines/{version}/{type}"}) {
    on("GET", base, &HubSpot::pipelines);
    on("GET", base + "/{pipeline}", &HubSpot::read_pipeline);
    on("GET", base + "/{pipeline}/stages", &HubSpot::read_pipeline);
  }
  for (const std::string base : {"/crm/v3/owners", "/crm/owners/{version}"}) {
    on("GET", base, &HubSpot::owners);
    on("GET", base + "/{owner}", &HubSpot::owners);
  }
  on("GET", "/account-info/v3/api-usage/daily/private-apps", &HubSpot::daily_usage);
  on("GET", "/account-info/v3/details", &HubSpot::account);
}

void HubSpot::add_association_routes() {
  for (const std::string base :
       {"/crm/v4/associations/{from}/{to}", "/crm/associations/{version}/{from}/{to}"}) {
    on("POST", base + "/batch/create", &HubSpot::associate);
    on("POST", base + "/batch/associate/default", &HubSpot::associate_default);
    on("POST", base + "/batch/archive", &HubSpot::dissociate);
    on("POST", base + "/batch/labels/archive", &HubSpot::archive_labels);
    on("POST", base + "/batch/read", &HubSpot::read_associations);
    on("GET", base + "/labels", &HubSpot::association_labels);
    on("POST", base + "/labels", &HubSpot::create_label);
    on("PUT", base + "/labels", &HubSpot::update_label);
    on("DELETE", base + "/labels/{label}", &HubSpot::remove_label);
  }
  for (const std::string base : {"/crm/v4/objects/{from}/{a}", "/crm/objects/{version}/{from}/{a}"}) {
    on("GET", base + "/associations/{to}", &HubSpot::list_associations);
    on("PUT", base + "/associations/default/{to}/{b}", &HubSpot::associate_one);
    on("PUT", base + "/associations/{to}/{b}", &HubSpot::associate_one);
    on("DELETE", base + "/associations/{to}/{b}", &HubSpot::dissociate_one);
  }
  const std::string one = "/crm/v3/objects/{from}/{a}/associations/{to}";
  on("GET", one, &HubSpot::list_associations_v3);
  on("PUT", one + "/{b}/{kind}", &HubSpot::change_association_v3);
  on("DELETE", one + "/{b}/{kind}", &HubSpot::change_association_v3);
  const std::string old = "/crm/v3/associations/{from}/{to}";
  on("POST", old + "/batch/create", &HubSpot::associate_v3);
  on("POST", old + "/batch/archive", &HubSpot::dissociate);
  on("POST", old + "/batch/read", &HubSpot::read_associations_v3);
}

void HubSpot::add_list_routes() {
  for (const std::string base : {"/crm/v3/lists", "/crm/lists/{version}"}) {
    on("POST", base, &HubSpot::create_list);
    on("GET", base, &HubSpot::read_lists);
    on("POST", base + "/search", &HubSpot::search_lists);
    on("GET", base + "/{list}", &HubSpot::read_list);
    on("DELETE", base + "/{list}", &HubSpot::remove_list);
    on("PUT", base + "/{list}/update-list-name", &HubSpot::rename_list);
    on("GET", base + "/object-type-id/{type}/name/{name}", &HubSpot::read_list_by_name);
    on("GET", base + "/records/{type}/{record}/memberships", &HubSpot::lists_of_record);
    on("GET", base + "/{list}/memberships", &HubSpot::read_memberships);
    on("GET", base + "/{list}/memberships/join-order", &HubSpot::read_memberships);
    on("DELETE", base + "/{list}/memberships", &HubSpot::clear_list);
    on("PUT", base + "/{list}/memberships/add-from/{source}", &HubSpot::add_from_list);
    on("PUT", base + "/{list}/memberships/add", &HubSpot::add_to_list);
    on("PUT", base + "/{list}/memberships/remove", &HubSpot::remove_from_list);
    on("PUT", base + "/{list}/memberships/add-and-remove", &HubSpot::change_list_both);
  }
}

Reply HubSpot::answer(Call& call) {
  if (issues_tokens(call.request))
    return call.request.method == "GET" ? token_info(call.request) : issue_token(call.request);
  if (auto refusal = unauthorized(call.request)) return *refusal;
  if (fault(call, "daily_limit") || calls_today_.count() >= settings_.daily_calls) {
    call.throttled = true;
    return json_reply(429, {{"status", "error"},
                            {"message", "You have reached your daily limit."},
                            {"errorType", "RATE_LIMIT"},
                            {"correlationId", random_uuid(random_)},
                            {"policyName", "DAILY"},
                            {"requestId", random_hex(random_, 32)}});
  }
  calls_today_.add();
  remember_for_search("search_lag");
  if (fault(call, "throttle_legacy")) {
    call.throttled = true;
    return problem_reply(
        {.status = 429, .category = "RATE_LIMITS", .message = "You have reached your secondly limit."});
  }
  if (fault(call, "locked"))
    return problem_reply(
        {.status = 423, .category = "LOCKED", .message = "The resource is locked, try again later"});
  if (fault(call, "missing_scopes"))
    return problem_reply(
        {.status = 403,
         .category = "MISSING_SCOPES",
         .message = "This app hasn't been granted all required scopes to make this call. Read more about "
                    "required scopes here: https://developers.hubspot.com/scopes."});
  if (fault(call, "migration"))
    return problem_reply({.status = 477,
                          .category = "MIGRATION_IN_PROGRESS",
                          .message = "The portal is being migrated between data hosting locations"})
        .set("Retry-After", "86400");
  const Router::Match match = router_.find(call.request);
  if (match.handler == nullptr) {
    if (match.path_known) return Reply::text(405, "");
    return problem_reply({.status = 404, .category = "OBJECT_NOT_FOUND", .message = "resource not found"});
  }
  for (const char* name : {"type", "from", "to"})
    if (const auto given = match.params.find(name);
        given != match.params.end() && objects_.type(given->second) == nullptr)
      return problem_reply({.status = 400,
                            .category = "VALIDATION_ERROR",
                            .message = "Unable to infer object type from: " + given->second});
  return (*match.handler)(call, match.params);
}

Reply HubSpot::answer_trouble(Trouble trouble, Call&) {
  if (trouble == Trouble::throttled) {
    const bool secondly = bucket_.rate().calls > 0 && bucket_.rate().window.count() <= 1;
    return json_reply(429, {{"status", "error"},
                            {"message", secondly ? "You have reached your secondly limit."
                                                 : "You have reached your ten_secondly_rolling limit."},
                            {"errorType", "RATE_LIMIT"},
                            {"correlationId", random_uuid(random_)},
                            {"policyName", secondly ? "SECONDLY" : "TEN_SECONDLY_ROLLING"},
                            {"requestId", random_hex(random_, 32)}});
  }
  if (trouble == Trouble::unavailable)
    return problem_reply({.status = 503,
                          .category = "SERVICE_UNAVAILABLE",
                          .message = "The service is temporarily unavailable"});
  return problem_reply({.status = 500, .category = "INTERNAL_ERROR", .message = "internal error"});
}

void HubSpot::add_rate_headers(const Call& call, Reply& reply) {
  if (reply.status == 401) return;
  const Rate rate =
      bucket_.rate().calls > 0 ? bucket_.rate() : Rate{.calls = 190, .window = std::chrono::seconds{10}};
  const std::uint64_t left = bucket_.rate().calls > 0 ? bucket_.remaining() : rate.calls - 1;
  if (!tokens_.contains(bearer_of(call.request))) {  // the daily ones are not sent to OAuth apps
    reply.set("X-HubSpot-RateLimit-Daily", std::to_string(settings_.daily_calls));
    reply.set("X-HubSpot-RateLimit-Daily-Remaining",
              std::to_string(settings_.daily_calls - std::min(settings_.daily_calls, calls_today_.count())));
  }
  // The search API has a limit of its own and says nothing about it.
  if (call.request.path.ends_with("/search")) return;
  reply.set("X-HubSpot-RateLimit-Interval-Milliseconds", std::to_string(rate.window.count() * 1000));
  reply.set("X-HubSpot-RateLimit-Max", std::to_string(rate.calls));
  reply.set("X-HubSpot-RateLimit-Remaining", std::to_string(left));
}

void HubSpot::reset() {
  Service::reset();
  objects_.reset();
  add_default_lists();
  calls_today_.clear();
  search_bucket_.refill();
}

const Record& HubSpot::seed(const std::string& object, Json fields) {
  const ObjectType* type = objects_.type(object);
  const std::string given = text_of(fields.value("id", Json()));
  fields.erase("id");
  for (auto& [name, value] : fields.items())
    if (type != nullptr && !value.is_null()) value = name == "email" ? lower(text_of(value)) : text_of(value);
  const std::string id = given.empty() ? std::to_string(100 + store_.next_number()) : given;
  return store_.table(type ? type->name : object).add(id, fields, now());
}

Reply HubSpot::problem_reply(const Problem& problem) {
  Json body = {{"status", "error"},
               {"message", problem.message},
               {"correlationId", random_uuid(random_)},
               {"category", problem.category}};
  if (!problem.context.empty()) body["context"] = problem.context;
  if (!problem.errors.empty()) body["errors"] = problem.errors;
  return json_reply(problem.status, body);
}

std::optional<Json> HubSpot::json_body(const Call& call, Reply& refusal) {
  const std::string type = call.request.content_type();
  if (!type.empty() && type != "application/json") {
    refusal = problem_reply(
        {.status = 415, .category = "VALIDATION_ERROR", .message = "Unsupported Media Type: " + type});
    return std::nullopt;
  }
  auto body = parse_json(call.request.body);
  if (body && body->is_object()) return body;
  refusal =
      problem_reply({.category = "VALIDATION_ERROR",
                     .message = "Invalid input JSON on line 1, column 1: the body is not a JSON object"});
  return std::nullopt;
}

std::optional<std::vector<Json>> HubSpot::inputs_of(const Json& body, std::size_t most, Reply& refusal) {
  const Json inputs = body.value("inputs", Json::array());
  if (!inputs.is_array() || !std::ranges::all_of(inputs, &Json::is_object)) {
    refusal = problem_reply(
        {.category = "VALIDATION_ERROR", .message = "Invalid input JSON: inputs is a list of objects"});
    return std::nullopt;
  }
  if (inputs.size() > most) {
    refusal = problem_reply(
        {.category = "VALIDATION_ERROR",
         .message = fmt::format("The batch has {} inputs, at most {} are allowed", inputs.size(), most)});
    return std::nullopt;
  }
  return inputs.get<std::vector<Json>>();
}

std::vector<std::string> HubSpot::read_names(const ObjectType& type, std::vector<std::string> asked) {
  if (asked.empty()) return type.default_properties;
  // Names that do not exist are left out without a word.
  std::erase_if(asked, [&](const std::string& name) { return objects_.property(type, name) == nullptr; });
  return asked;
}

}  // namespace eddy::sandbox::hubspot
