#include "sandbox/salesforce/salesforce.h"

#include "core/text.h"
#include "sandbox/multipart.h"

namespace eddy::sandbox::salesforce {
namespace {

constexpr int oldest_version = 31, newest_version = 68;

// "v68.0" → 68; 0 when it is no version of this org.
int version_number(const std::string& text) {
  if (!text.starts_with('v') || !text.ends_with(".0") || text.size() != 5) return 0;
  const int number = std::atoi(text.c_str() + 1);
  return number >= oldest_version && number <= newest_version ? number : 0;
}

Reply not_found() { return error_reply(404, "NOT_FOUND", "The requested resource does not exist"); }

}  // namespace

Reply error_reply(int status, const std::string& code, const std::string& message,
                  const std::vector<std::string>& fields) {
  Json error = {{"message", message}, {"errorCode", code}};
  if (!fields.empty()) error["fields"] = fields;
  return json_reply(status, Json::array({error}), "application/json;charset=UTF-8");
}

const std::vector<FaultKind>& own_faults() {
  static const std::vector<FaultKind> kinds = {
      {"bulk_shuffle", "rows of bulk result files come in another order than the upload", 1},
      {"bulk_missing_row", "one row of a bulk job is not written and is in none of the three result files"},
      {"bulk_failed_partial",
       "a bulk job ends as Failed with half of its rows written, the rest unprocessed"},
      {"bulk_session_expiry",
       "the session expires while a bulk job is under way: 401 on a call about the job"},
      {"quota", "403 REQUEST_LIMIT_EXCEEDED: the quota of the day is used up"},
      {"ambiguous_key",
       "an upsert by external id finds several records: 300, or DUPLICATE_EXTERNAL_ID for a row"},
      {"row_locked", "a row fails with UNABLE_TO_LOCK_ROW"},
      {"duplicates_detected", "a row fails with DUPLICATES_DETECTED (a duplicate rule of the org)"},
      {"refresh_in_progress",
       "the token endpoint says invalid_grant: the token request is already being processed"},
  };
  return kinds;
}

Salesforce::Salesforce(Settings settings, const Surroundings& around)
    : Service("salesforce", around),
      settings_(std::move(settings)),
      sessions_(settings_.credentials, clock_, random_, scheme_),
      records_(store_, clock_),
      bulk_(records_, store_, clock_),
      bulk_queries_(records_, store_, clock_),
      bulk_one_(records_, store_, clock_) {
  add_routes();
  add_bulk_routes();
  add_bulk_query_routes();
  add_bulk_one_routes();
  add_organization();
}

void Salesforce::add_organization() {
  if (store_.table("Organization").size() == 0)
    store_.table("Organization")
        .add(full_id("00D5g000000SAND"),
             {{"Name", "Eddy Sandbox"}, {"IsSandbox", true}, {"InstanceName", "LOCAL"}}, now());
}

void Salesforce::add_routes() {
  for (const char* path : {"/id/{org}/{user}", "/services/oauth2/userinfo"})
    router_.add("GET", path, [this](Call& call, const Params&) { return sessions_.identity(call.request); });
  const std::string base = "/services/data/{version}";
  const auto add = [&](const char* method, const std::string& path, auto handler) {
    router_.add(method, base + path,
                [handler](Call& call, const Params& params) { return handler(call, params); });
  };
  add("GET", "/sobjects", [this](Call&, const Params& p) { return list_objects(p); });
  add("GET", "/sobjects/{object}/describe", [this](Call&, const Params& p) { return describe_object(p); });
  add("GET", "/sobjects/{object}", [this](Call&, const Params& p) { return object_summary(p); });
  add("GET", "/sobjects/{object}/updated",
      [this](Call& c, const Params& p) { return changed_rows(c, p, false); });
  add("GET", "/sobjects/{object}/deleted",
      [this](Call& c, const Params& p) { return changed_rows(c, p, true); });
  add("POST", "/sobjects/{object}", [this](Call& c, const Params& p) { return create_one(c, p); });
  add("GET", "/sobjects/{object}/{id}", [this](Call& c, const Params& p) { return read_one(c, p); });
  add("PATCH", "/sobjects/{object}/{id}", [this](Call& c, const Params& p) { return update_one(c, p); });
  add("DELETE", "/sobjects/{object}/{id}", [this](Call& c, const Params& p) { return delete_one(c, p); });
  add("GET", "/sobjects/{object}/{field}/{value}",
      [this](Call& c, const Params& p) { return read_by_key(c, p); });
  add("PATCH", "/sobjects/{object}/{field}/{value}",
      [this](Call& c, const Params& p) { return upsert_by_key(c, p); });
  add("DELETE", "/sobjects/{object}/{field}/{value}",
      [this](Call& c, const Params& p) { return delete_by_key(c, p); });
  add("POST", "/composite/sobjects",
      [this](Call& c, const Params& p) { return write_collection(c, Operation::insert, p); });
  add("PATCH", "/composite/sobjects",
      [this](Call& c, const Params& p) { return write_collection(c, Operation::update, p); });
  add("DELETE", "/composite/sobjects", [this](Call& c, const Params&) { return delete_collection(c); });
  add("GET", "/composite/sobjects/{object}",
      [this](Call& c, const Params& p) { return read_collection(c, p); });
  add("POST", "/composite/sobjects/{object}",
      [this](Call& c, const Params& p) { return read_collection(c, p); });
  add("PATCH", "/composite/sobjects/{object}/{field}",
      [this](Call& c, const Params& p) { return write_collection(c, Operation::upsert, p); });
  add("POST", "/composite", [this](Call& c, const Params& p) { return composite(c, p); });
  add("GET", "/query", [this](Call& c, const Params& p) { return query(c, p); });
  add("GET", "/queryAll", [this](Call& c, const Params& p) { return query(c, p); });
  add("GET", "/query/{locator}", [this](Call&, const Params& p) { return more_of_query(p); });
  add("GET", "/limits", [this](Call&, const Params&) { return limits(); });
}

void Salesforce::add_bulk_routes() {
  const std::string base = "/services/data/{version}/jobs/ingest";
  router_.add("POST", base, [this](Call& call, const Params& params) { return create_job(call, params); });
  router_.add("GET", base, [this](Call& call, const Params& params) {
    return bulk_.list(params.at("version"), call.request.query_value("queryLocator").value_or(""));
  });
  router_.add("PUT", base + "/{id}/batches", [this](Call& call, const Params& params) {
    return bulk_.upload(params.at("id"), call.request);
  });
  router_.add("PATCH", base + "/{id}", [this](Call& call, const Params& params) {
    Reply refusal;
    const auto body = json_body(call, refusal);
    if (!body) return refusal;
    const BulkFaults faults = bulk_faults(call, text_of(body->value("state", Json())) == "UploadComplete");
    return bulk_.change_state(params.at("id"), *body, faults, call.effect,
                              [this](std::vector<std::string>& lines) { shuffle(lines); });
  });
  router_.add("GET", base + "/{id}",
              [this](Call&, const Params& params) { return bulk_.poll(params.at("id")); });
  router_.add("DELETE", base + "/{id}",
              [this](Call&, const Params& params) { return bulk_.remove(params.at("id")); });
  for (const std::string file :
       {"successfulResults", "failedResults", "unprocessedrecords", "unprocessedRecords"})
    router_.add("GET", base + "/{id}/" + file,
                [this, file](Call&, const Params& params) { return bulk_.result(params.at("id"), file); });
}

BulkFaults Salesforce::bulk_faults(Call& call, bool closing) {
  BulkFaults faults{.shuffle = fault_on("bulk_shuffle")};
  if (!closing) return faults;
  faults.missing_row = fault(call, "bulk_missing_row");
  faults.failed_partial = fault(call, "bulk_failed_partial");
  return faults;
}

// The job alone, or the job and its rows in the parts `job` and `content`.
Reply Salesforce::create_job(Call& call, const Params& params) {
  const std::string& version = params.at("version");
  if (call.request.content_type() != "multipart/form-data") {
    Reply refusal;
    const auto body = json_body(call, refusal);
    return body ? bulk_.create(*body, version, call.effect) : refusal;
  }
  const auto parts = parse_multipart(call.request);
  const Part* job = parts ? part_named(*parts, "job") : nullptr;
  const Part* rows = parts ? part_named(*parts, "content") : nullptr;
  const auto body = job == nullptr ? std::nullopt : parse_json(job->content);
  if (!body || !body->is_object() || rows == nullptr)
    return error_reply(400, "INVALIDJOB", "A multipart request has the parts job (JSON) and content (CSV)");
  if (rows->content.size() > multipart_characters_max)
    return error_reply(400, "INVALIDJOB",
                       "The content of a multipart request has at most 100,000 characters");
  return bulk_.create_with_rows(*body, rows->content, version, bulk_faults(call, true), call.effect,
                                [this](std::vector<std::string>& lines) { shuffle(lines); });
}

void Salesforce::add_bulk_query_routes() {
  const std::string base = "/services/data/{version}/jobs/query";
  const auto with_body = [this](auto handler) {
    return [this, handler](Call& call, const Params& params) {
      Reply refusal;
      const auto body = json_body(call, refusal);
      return body ? handler(call, params, *body) : refusal;
    };
  };
  router_.add("POST", base, with_body([this](Call& call, const Params& params, const Json& body) {
                return bulk_queries_.create(body, params.at("version"), call.effect);
              }));
  router_.add("GET", base, [this](Call& call, const Params& params) {
    return bulk_queries_.list(params.at("version"), call.request.query_value("queryLocator").value_or(""));
  });
  router_.add("PATCH", base + "/{id}", with_body([this](Call&, const Params& params, const Json& body) {
                return bulk_queries_.abort(params.at("id"), body);
              }));
  router_.add("GET", base + "/{id}",
              [this](Call&, const Params& params) { return bulk_queries_.poll(params.at("id")); });
  router_.add("DELETE", base + "/{id}",
              [this](Call&, const Params& params) { return bulk_queries_.remove(params.at("id")); });
  router_.add("GET", base + "/{id}/results", [this](Call& call, const Params& params) {
    return bulk_queries_.results(params.at("id"), call.request.query_value("locator").value_or(""),
                                 call.request.query_value("maxRecords").value_or(""));
  });
}

void Salesforce::add_bulk_one_routes() {
  const std::string base = "/services/async/{async}/job";
  const auto add = [&](const char* method, const std::string& path, auto handler) {
    router_.add(method, base + path,
                [handler](Call& call, const Params& params) { return handler(call, params); });
  };
  add("POST", "", [this](Call& call, const Params&) {
    Reply refusal;
    const auto body = json_body(call, refusal);
    return body ? bulk_one_.create(*body, call.effect) : refusal;
  });
  add("POST", "/{id}", [this](Call& call, const Params& params) {
    Reply refusal;
    const auto body = json_body(call, refusal);
    return body ? bulk_one_.change(params.at("id"), *body) : refusal;
  });
  add("GET", "/{id}", [this](Call&, const Params& params) { return bulk_one_.show(params.at("id")); });
  add("POST", "/{id}/batch", [this](Call& call, const Params& params) {
    return bulk_one_.add_batch(params.at("id"), call.request.body, call.effect);
  });
  using Page = Reply (BulkOne::*)(const std::string&, const std::string&);
  for (const auto& [path, page] : {std::pair<const char*, Page>{"", &BulkOne::poll},
                                   {"/result", &BulkOne::result},
                                   {"/result/{result}", &BulkOne::query_result},
                                   {"/request", &BulkOne::request}})
    add("GET", std::string{"/{id}/batch/{batch}"} + path, [this, page = page](Call&, const Params& params) {
      return (bulk_one_.*page)(params.at("id"), params.at("batch"));
    });
}

bool Salesforce::issues_tokens(const IncomingRequest& request) const {
  return request.path == "/services/oauth2/token";
}

Reply Salesforce::answer(Call& call) {
  const IncomingRequest& request = call.request;
  if (issues_tokens(request)) {
    if (request.method != "POST") return Sessions::refusal("invalid_request", "must use HTTP POST");
    if (fault(call, "refresh_in_progress"))
      return Sessions::refusal("invalid_grant", "token request is already being processed");
    return sessions_.issue(request);
  }
  if (request.method == "GET" && (request.path == "/services/data" || request.path == "/services/data/"))
    return versions();
  if (request.method == "POST" && request.path == "/services/oauth2/revoke") return sessions_.revoke(request);
  // Between the creation of a job and its results.
  const bool in_a_job = request.segments.size() > 5 && request.segments[3] == "jobs";
  if (in_a_job && fault(call, "bulk_session_expiry")) sessions_.expire_all();
  const bool old_bulk = request.path.starts_with("/services/async/");
  const std::string token = old_bulk ? std::string{request.header("X-SFDC-Session")} : bearer_of(request);
  if (!sessions_.valid(token) && old_bulk)
    return json_reply(400,
                      {{"exceptionCode", "InvalidSessionId"}, {"exceptionMessage", "Invalid session id"}});
  if (!sessions_.valid(token)) return error_reply(401, "INVALID_SESSION_ID", "Session expired or invalid");
  if (fault(call, "quota") || calls_today_ >= settings_.daily_calls) {
    call.throttled = true;
    return error_reply(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
  }
  ++calls_today_;
  return dispatch(call);
}

Reply Salesforce::dispatch(Call& call) {
  const Router::Match match = router_.find(call.request);
  if (match.handler == nullptr && match.path_known)
    return error_reply(405, "METHOD_NOT_ALLOWED",
                       fmt::format("HTTP Method '{}' not allowed.", call.request.method));
  if (match.handler == nullptr) return not_found();
  if (const auto version = match.params.find("version");
      version != match.params.end() && version_number(version->second) == 0)
    return not_found();
  if (const auto object = match.params.find("object");
      object != match.params.end() && find_object(object->second) == nullptr)
    return not_found();
  return (*match.handler)(call, match.params);
}

Reply Salesforce::answer_trouble(Trouble trouble, Call&) {
  if (trouble == Trouble::throttled)
    return error_reply(403, "REQUEST_LIMIT_EXCEEDED",
                       "ConcurrentRequests (Concurrent API Requests) Limit exceeded.");
  if (trouble == Trouble::unavailable)
    return error_reply(503, "SERVER_UNAVAILABLE",
                       "The server is too busy to handle your request; please wait a moment");
  return error_reply(500, "UNKNOWN_EXCEPTION",
                     "An unexpected error occurred. Please include this ErrorId if you contact support");
}

void Salesforce::add_rate_headers(const Call& call, Reply& reply) {
  if (call.request.segments.size() > 2 && !call.request.segments[2].empty() && reply.status != 401)
    reply.set("Sforce-Limit-Info", fmt::format("api-usage={}/{}", calls_today_, settings_.daily_calls));
}

void Salesforce::reset() {
  Service::reset();
  bulk_.clear();
  bulk_queries_.clear();
  bulk_one_.clear();
  add_organization();
  open_queries_.clear();
  calls_today_ = 0;
}

const Record& Salesforce::seed(const std::string& object, Json fields) {
  const Object* known = find_object(object);
  const std::string given = text_of(fields.value("Id", Json()));
  fields.erase("Id");
  const std::string id =
      given.empty() ? make_id(known ? known->key_prefix : "a00", store_.next_number()) : full_id(given);
  return store_.table(known ? known->name : object).add(id, fields, now());
}

Reply Salesforce::versions() const {
  Json list = Json::array();
  for (int number = oldest_version; number <= newest_version; ++number) {
    // Three releases a year; the newest here is Summer '26.
    constexpr std::array<const char*, 3> seasons = {"Summer", "Spring", "Winter"};
    const int back = newest_version - number;
    list.push_back(
        {{"label", fmt::format("{} '{:02}", seasons[static_cast<std::size_t>(back % 3)], 26 - back / 3)},
         {"url", fmt::format("/services/data/v{}.0", number)},
         {"version", fmt::format("{}.0", number)}});
  }
  return json_reply(200, list, "application/json;charset=UTF-8");
}

Reply Salesforce::list_objects(const Params& params) const {
  Json list = Json::array();
  for (const Object& object : objects()) list.push_back(describe_shortly(object, params.at("version")));
  return json_reply(200, {{"encoding", "UTF-8"}, {"maxBatchSize", 200}, {"sobjects", list}});
}

Reply Salesforce::object_summary(const Params& params) const {
  return json_reply(
      200, {{"objectDescribe", describe_shortly(*find_object(params.at("object")), params.at("version"))},
            {"recentItems", Json::array()}});
}

Reply Salesforce::describe_object(const Params& params) const {
  return json_reply(200, describe(*find_object(params.at("object")), params.at("version")));
}

Reply Salesforce::limits() const {
  const std::uint64_t left = settings_.daily_calls - std::min(settings_.daily_calls, calls_today_);
  return json_reply(200, {{"DailyApiRequests", {{"Max", settings_.daily_calls}, {"Remaining", left}}},
                          {"DailyBulkApiBatches", {{"Max", 15000}, {"Remaining", 15000}}},
                          {"DailyBulkV2QueryJobs", {{"Max", 10000}, {"Remaining", 10000}}},
                          {"DailyBulkV2QueryFileStorageMB", {{"Max", 976562}, {"Remaining", 976562}}}});
}

Reply Salesforce::query(Call& call, const Params& params) {
  ParsedQuery parsed = parse_query(call.request.query_value("q").value_or(""), now());
  if (parsed.error) return error_reply(400, parsed.error->code, parsed.error->message);
  Query& query = parsed.query;
  query.with_deleted = call.request.segments.size() > 3 && call.request.segments[3] == "queryAll";
  std::size_t page = 2000;
  const std::string options = lower(call.request.header("Sforce-Query-Options"));
  if (const std::size_t at = options.find("batchsize="); at != std::string::npos)
    page = std::clamp<std::size_t>(static_cast<std::size_t>(std::atoi(options.c_str() + at + 10)), 200, 2000);
  const auto found = run_query(query, records_, store_);
  if (query.count_rows)
    return json_reply(200, {{"totalSize", found.size()}, {"done", true}, {"records", Json::array()}});
  if (query.counted) {
    const auto filled = std::ranges::count_if(found, [&](const Found& one) {
      return !value_at(*query.object, one, *query.counted, records_).is_null();
    });
    return json_reply(200,
                      {{"totalSize", 1},
                       {"done", true},
                       {"records", {{{"attributes", {{"type", "AggregateResult"}}}, {"expr0", filled}}}}});
  }
  std::vector<Json> rows;
  for (const Found& one : found) rows.push_back(row_json(query, one, records_, params.at("version")));
  return page_of(std::move(rows), found.size(), page, params.at("version"));
}

Reply Salesforce::page_of(std::vector<Json> rows, std::size_t total, std::size_t page_rows,
                          const std::string& version) {
  Json out = {{"totalSize", total}, {"done", rows.size() <= page_rows}, {"records", Json::array()}};
  const std::size_t shown_rows = std::min(page_rows, rows.size());
  for (std::size_t i = 0; i < shown_rows; ++i) out["records"].push_back(std::move(rows[i]));
  if (rows.size() > shown_rows) {
    rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(shown_rows));
    const std::string locator =
        fmt::format("{}-{}-{}", make_id("01g", store_.next_number()), total, page_rows);
    out["nextRecordsUrl"] = "/services/data/" + version + "/query/" + locator;
    open_queries_[locator] = std::move(rows);
  }
  return json_reply(200, out);
}

Reply Salesforce::more_of_query(const Params& params) {
  const std::string& locator = params.at("locator");
  const auto open = open_queries_.find(locator);
  if (open == open_queries_.end()) return error_reply(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
  const auto parts = split(locator, '-');
  return page_of(open->second, std::stoul(parts[1]), std::stoul(parts[2]), params.at("version"));
}

}  // namespace eddy::sandbox::salesforce
