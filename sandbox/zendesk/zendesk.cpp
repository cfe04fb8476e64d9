#include "sandbox/zendesk/zendesk.h"

#include "core/text.h"

namespace eddy::sandbox::zendesk {

const std::vector<FaultKind>& own_faults() {
  static const std::vector<FaultKind> kinds = {
      {"job_shuffle", "results of a job come in another order than its items, where they can be told apart",
       1},
      {"job_failed_rows", "a good row of a job fails though the job completes"},
      {"bulk_forbidden", "403 for users/create_many and create_or_update_many though they are enabled"},
      {"job_failed", "the whole job ends as failed, nothing done; results is one object"},
      {"job_gone", "the job is unknown when it is polled: 404"},
      {"results_without_index", "results of ticket jobs have no index"},
      {"too_many_jobs", "429 TooManyJobs: more jobs waiting than allowed"},
      {"row_rate", "the limits per record hold: 5 updates a minute per user, 30 in ten minutes per ticket"},
  };
  return kinds;
}

Zendesk::Zendesk(Settings settings, const Surroundings& around)
    : Service("zendesk", around),
      settings_(std::move(settings)),
      export_bucket_(settings_.export_rate, clock_) {
  store_.declare("users", {{"external_id", true}, {"email", true}});
  store_.declare("organizations", {{"external_id", true}, {"name", true}});
  store_.declare("tickets", {{"external_id", false}});
  on("GET", "/api/v2/users/me", &Zendesk::me);
  on("GET", "/api/v2/users/search", &Zendesk::search);
  on("GET", "/api/v2/organizations/search", &Zendesk::search);
  on("POST", "/api/v2/users/create_or_update", &Zendesk::create_or_update);
  on("POST", "/api/v2/organizations/create_or_update", &Zendesk::create_or_update);
  on("POST", "/api/v2/users/create_or_update_many", &Zendesk::create_or_update_many);
  on("GET", "/api/v2/user_fields", &Zendesk::fields);
  on("GET", "/api/v2/organization_fields", &Zendesk::fields);
  on("GET", "/api/v2/ticket_fields", &Zendesk::fields);
  for (const std::string fields : {"user_fields", "organization_fields", "ticket_fields"})
    on("GET", "/api/v2/" + fields + "/{id}", &Zendesk::field);
  on("GET", "/api/v2/search", &Zendesk::search_all);
  on("GET", "/api/v2/search/count", &Zendesk::search_count);
  on("GET", "/api/v2/search/export", &Zendesk::search_all);
  on("GET", "/api/v2/incremental/{kind}/cursor", &Zendesk::export_by_cursor);
  on("GET", "/api/v2/incremental/{kind}", &Zendesk::export_by_time);
  on("POST", "/api/v2/imports/tickets/create_many", &Zendesk::import_tickets);
  on("POST", "/api/v2/imports/tickets", &Zendesk::import_ticket);
  on("GET", "/api/v2/tickets/{id}/comments", &Zendesk::comments);
  on("GET", "/api/v2/users/autocomplete", &Zendesk::autocomplete);
  on("GET", "/api/v2/organizations/autocomplete", &Zendesk::autocomplete);
  on("GET", "/api/v2/organizations/{id}/users", &Zendesk::users_of_organization);
  on("GET", "/api/v2/job_statuses", &Zendesk::list_jobs);
  on("GET", "/api/v2/job_statuses/show_many", &Zendesk::show_jobs);
  on("GET", "/api/v2/job_statuses/{id}", &Zendesk::show_job);
  for (const std::string object : {"users", "organizations", "tickets"}) {
    const std::string base = "/api/v2/" + object;
    on("POST", base + "/create_many", &Zendesk::create_many);
    on("PUT", base + "/update_many", &Zendesk::update_many);
    on("DELETE", base + "/destroy_many", &Zendesk::destroy_many);
    on("GET", base + "/show_many", &Zendesk::show_many);
    on("GET", base + "/count", &Zendesk::count_all);
    on("GET", base, &Zendesk::list);
    on("POST", base, &Zendesk::create_one);
    on("GET", base + "/{id}", &Zendesk::read_one);
    on("PUT", base + "/{id}", &Zendesk::update_one);
    on("DELETE", base + "/{id}", &Zendesk::delete_one);
    on("GET", base + "/{id}/tags", &Zendesk::show_tags);
    for (const char* method : {"POST", "PUT", "DELETE"})
      on(method, base + "/{id}/tags", &Zendesk::change_tags);
  }
}

// Every endpoint gets params["object"]: the third part of its path.
void Zendesk::on(const char* method, const std::string& pattern, Endpoint endpoint) {
  const std::string object = split(pattern, '/').at(3);
  router_.add(method, pattern, [this, endpoint, object](Call& call, const Params& given) {
    Params params = given;
    params["object"] = object;
    return (this->*endpoint)(call, params);
  });
}

bool Zendesk::authenticated(const IncomingRequest& request) {
  const std::string given{request.header("Authorization")};
  const std::string expected = "Basic " + base64(settings_.email + "/token:" + settings_.api_token);
  if (given != expected && bearer_of(request) != settings_.oauth_token) return false;
  return !std::exchange(refuse_once_, false);
}

Reply Zendesk::answer(Call& call) {
  base_url_ = self(call.request);
  if (!authenticated(call.request)) return Reply::text(401, "Couldn't authenticate you", "text/plain");
  IncomingRequest plain{.method = call.request.method,
                        .segments = call.request.segments};  // without the ".json"
  if (!plain.segments.empty() && plain.segments.back().ends_with(".json"))
    plain.segments.back().resize(plain.segments.back().size() - 5);
  const Router::Match match = router_.find(plain);
  if (const auto kind = match.params.find("kind"); kind != match.params.end())
    if (kind->second != "users" && kind->second != "organizations" && kind->second != "tickets")
      return error(404, "InvalidEndpoint", "Not found");
  if (match.handler == nullptr) return error(404, "InvalidEndpoint", "Not found");
  return (*match.handler)(call, match.params);
}

Reply Zendesk::answer_trouble(Trouble trouble, Call&) {
  if (trouble == Trouble::throttled) {
    Reply reply = Reply::text(429, "Number of allowed API requests per minute exceeded", "text/plain");
    reply.set("Retry-After", std::to_string(bucket_.until_next().count()));
    return reply;
  }
  if (trouble == Trouble::unavailable) {
    Reply reply = error(503, "ServiceUnavailable", "The service is temporarily unavailable");
    return reply.set("Retry-After", "1");
  }
  return error(500, "InternalError", "Internal server error");
}

void Zendesk::add_rate_headers(const Call& call, Reply& reply) {
  if (reply.status == 401) return;
  if (call.request.path.starts_with("/api/v2/incremental/"))
    reply.set("zendesk-ratelimit-incremental-exports",
              fmt::format("total={}; remaining={}; resets={}", settings_.export_rate.calls,
                          export_bucket_.remaining(), settings_.export_rate.window.count()));
  const bool limited = bucket_.rate().calls > 0;
  const std::uint64_t limit = limited ? bucket_.rate().calls : 700;
  const std::uint64_t left = limited ? bucket_.remaining() : limit - 1;
  const auto reset = limited ? bucket_.rate().window.count() : 60;
  reply.set("X-Rate-Limit", std::to_string(limit));
  reply.set("X-Rate-Limit-Remaining", std::to_string(left));
  reply.set("ratelimit-limit", std::to_string(limit));
  reply.set("ratelimit-remaining", std::to_string(left));
  reply.set("ratelimit-reset", std::to_string(reset));
}

void Zendesk::reset() {
  Service::reset();
  jobs_.clear();
  export_bucket_.refill();
  recent_writes_.clear();
}

const Record& Zendesk::seed(const std::string& object, Json fields) {
  const std::string given = text_of(fields.value("id", Json()));
  fields.erase("id");
  return store_.table(object).add(given.empty() ? std::to_string(10'000 + store_.next_number()) : given,
                                  fields, now());
}

Reply Zendesk::error(int status, const std::string& error, const std::string& description, Json details) {
  Json body = {{"error", error}, {"description", description}};
  if (!details.is_null()) body["details"] = std::move(details);
  return json_reply(status, body, "application/json; charset=utf-8");
}

Reply Zendesk::refusal(const Outcome& outcome) {
  if (outcome.error == "RecordNotFound") return record_not_found();
  return error(422, "RecordInvalid", "Record validation errors", outcome.details);
}

Reply Zendesk::too_often(Call& call) {
  call.throttled = true;
  Reply reply = Reply::text(429, "Too many updates of one record", "text/plain");
  return reply.set("Retry-After", "60");
}

}  // namespace eddy::sandbox::zendesk
