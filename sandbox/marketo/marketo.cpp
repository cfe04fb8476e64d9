#include "sandbox/marketo/marketo.h"

#include "core/text.h"

namespace eddy::sandbox::marketo {
namespace {

constexpr std::chrono::seconds token_lifetime{3600};
constexpr std::size_t body_bytes_max = 1 << 20, import_bytes_max = 10 << 20, target_bytes_max = 8 << 10;

}  // namespace

const std::vector<FaultKind>& own_faults() {
  static const std::vector<FaultKind> kinds = {
      {"invalid_token", "601 access token invalid for one call, though it is good"},
      {"early_zero", "the token endpoint says expires_in 0"},
      {"concurrency", "615: more calls at once than allowed"},
      {"daily_quota", "607: the calls of the day are used up"},
      {"system_error", "611 under 200: system error, nothing done"},
      {"timed_out", "604 under 200: request timed out, nothing done"},
      {"crm_enabled", "1018: companies, opportunities, roles and sales persons belong to a CRM"},
      {"too_many_imports", "1016: too many imports are waiting"},
      {"skip_row", "a good row is skipped: a lead with reason 1008, another object with 1022"},
      {"bulk_warning", "a good row of an import is also in the warnings file"},
      {"bulk_failed",
       "an import ends as Failed with half of its rows written and no failures file for the rest"},
  };
  return kinds;
}

Marketo::Marketo(Settings settings, const Surroundings& around)
    : Service("marketo", around), settings_(std::move(settings)), calls_today_(clock_, true) {
  store_.declare("leads", {{"email", true}, {"externalId", true}});
  for (const ObjectKind& kind : object_kinds()) store_.declare(kind.table(), {{"_key", true}});
  add_default_lists();
  add_object_routes();
  add_program_routes();
  on("POST", "/rest/v1/leads.json", &Marketo::post_leads);
  on("GET", "/rest/v1/leads.json", &Marketo::get_leads);
  on("GET", "/rest/v1/lead/{id}", &Marketo::get_lead);
  on("POST", "/rest/v1/leads/delete.json", &Marketo::delete_leads);
  on("DELETE", "/rest/v1/leads.json", &Marketo::delete_leads);
  on("GET", "/rest/v1/leads/describe.json", &Marketo::describe);
  on("GET", "/rest/v1/leads/describe2.json", &Marketo::describe2);
  on("GET", "/rest/v1/leads/schema/fields.json", &Marketo::schema_fields);
  on("POST", "/rest/v1/lists/{list}/leads.json", &Marketo::add_to_list);
  on("DELETE", "/rest/v1/lists/{list}/leads.json", &Marketo::remove_from_list);
  on("GET", "/rest/v1/lists/{list}/leads.json", &Marketo::list_members);
  on("GET", "/rest/v1/lists/{list}/leads/ismember.json", &Marketo::is_member);
  on("GET", "/rest/v1/list/{list}/leads.json", &Marketo::list_members);
  on("POST", "/rest/v1/lists/{list}/leads/ismember.json", &Marketo::is_member);
  on("GET", "/rest/v1/lists.json", &Marketo::browse_lists);
  on("GET", "/rest/v1/lists/{list}", &Marketo::read_list);
  on("GET", "/rest/asset/v1/staticLists.json", &Marketo::browse_lists);
  on("POST", "/rest/asset/v1/staticLists.json", &Marketo::create_list);
  on("GET", "/rest/asset/v1/staticList/byName.json", &Marketo::browse_lists);
  on("GET", "/rest/asset/v1/staticList/{list}", &Marketo::read_list);
  on("POST", "/rest/asset/v1/staticList/{list}/delete.json", &Marketo::delete_list);
  on("GET", "/rest/v1/leads/partitions.json", &Marketo::partitions);
  on("POST", "/rest/v1/leads/partitions.json", &Marketo::change_partitions);
  on("GET", "/rest/v1/stats/usage.json", &Marketo::usage);
  on("GET", "/rest/v1/stats/usage/last7days.json", &Marketo::usage);
  on("GET", "/rest/v1/stats/errors.json", &Marketo::error_usage);
  on("GET", "/rest/v1/stats/errors/last7days.json", &Marketo::error_usage);
  on("POST", "/bulk/v1/leads.json", &Marketo::start_import);
  on("GET", "/bulk/v1/leads/batch/{batch}", &Marketo::poll_import);
  on("GET", "/bulk/v1/leads/batch/{batch}/failures.json", &Marketo::import_failures);
  on("GET", "/bulk/v1/leads/batch/{batch}/warnings.json", &Marketo::import_warnings);
}

const std::vector<std::string>& Marketo::partition_names() {
  static const std::vector<std::string> names = {"Default", "Europe"};
  return names;
}

// Custom objects are named in their paths; the other kinds have paths of their own.
void Marketo::add_object_routes() {
  const auto on_kind = [this](const char* method, const std::string& kind, const std::string& path,
                              Endpoint endpoint) {
    router_.add(method, path, [this, endpoint, kind](Call& call, const Params& given) {
      Params params = given;
      for (auto& [name, value] : params)
        if (value.ends_with(".json")) value.resize(value.size() - 5);
      if (!kind.empty()) params["kind"] = kind;
      return (this->*endpoint)(call, params);
    });
  };
  const auto add = [&](const std::string& kind, const std::string& base, const std::string& named) {
    on_kind("POST", kind, named, &Marketo::post_objects);
    on_kind("GET", kind, named, &Marketo::get_objects);
    on_kind("POST", kind, base + "/delete.json", &Marketo::delete_objects);
    on_kind("GET", kind, base + "/describe.json", &Marketo::describe_objects);
  };
  for (const ObjectKind& kind : object_kinds())
    if (!kind.custom) add(kind.path, "/rest/v1/" + kind.path, "/rest/v1/" + kind.path + ".json");
  add("", "/rest/v1/customobjects/{custom}", "/rest/v1/customobjects/{custom}");
  on_kind("GET", "", "/rest/v1/customobjects.json", &Marketo::list_custom_objects);
  const std::string bulk = "/bulk/v1/customobjects/{custom}/import";
  on_kind("POST", "", bulk + ".json", &Marketo::start_object_import);
  on_kind("GET", "", bulk + "/{batch}/status.json", &Marketo::poll_import);
  on_kind("GET", "", bulk + "/{batch}/failures.json", &Marketo::import_failures);
  on_kind("GET", "", bulk + "/{batch}/warnings.json", &Marketo::import_warnings);
}

void Marketo::on(const char* method, const std::string& pattern, Endpoint endpoint) {
  router_.add(method, pattern, [this, endpoint](Call& call, const Params& given) {
    Params params = given;
    for (auto& [name, value] : params)
      if (value.ends_with(".json")) value.resize(value.size() - 5);
    return (this->*endpoint)(call, params);
  });
}

bool Marketo::issues_tokens(const IncomingRequest& request) const {
  return request.path == "/identity/oauth/token";
}

Reply Marketo::issue_token(Call& call) {
  const auto value = [&](std::string_view name) { return form_or_query(call.request, name).value_or(""); };
  const auto refuse = [](const char* error, const std::string& description) {
    return json_reply(401, {{"error", error}, {"error_description", description}},
                      "application/json;charset=UTF-8");
  };
  if (value("grant_type") != "client_credentials")
    return json_reply(400, {{"error", "unsupported_grant_type"},
                            {"error_description", "Unsupported grant type: " + value("grant_type")}});
  if (value("client_id") != settings_.client_id)
    return refuse("unauthorized", "No client with requested id: " + value("client_id"));
  if (value("client_secret") != settings_.client_secret)
    return refuse("invalid_client", "Bad client credentials");
  if (token_.empty() || now() >= token_expires_) {
    if (!token_.empty()) expired_tokens_.insert(token_);
    token_ = random_uuid(random_) + ":sb";
    token_expires_ = now() + token_lifetime;
  }
  // Asked early, the same token comes with what is left of its life.
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(token_expires_ - now());
  return json_reply(200,
                    {{"access_token", token_},
                     {"token_type", "bearer"},
                     {"expires_in", fault(call, "early_zero") ? 0 : left.count()},
                     {"scope", "api@example.com"}},
                    "application/json;charset=UTF-8");
}

void Marketo::expire_tokens() {
  if (!token_.empty()) expired_tokens_.insert(token_);
  token_.clear();
}

// Limits of size, the token, the quotas: in this order.
std::optional<Reply> Marketo::refused(Call& call) {
  const bool bulk = call.request.path.starts_with("/bulk/");
  if (call.request.body.size() > (bulk ? import_bytes_max : body_bytes_max))
    return Reply::text(413, "<html><body><h1>413 Request Entity Too Large</h1></body></html>", "text/html");
  if (call.request.target.size() > target_bytes_max)
    return Reply::text(414, "<html><body><h1>414 Request-URI Too Large</h1></body></html>", "text/html");
  const std::string token = bearer_of(call.request);
  if (token.empty()) return failure("600", "Access token not specified");
  if (expired_tokens_.contains(token) || (token == token_ && now() >= token_expires_))
    return failure("602", "Access token expired");
  if (token != token_ || fault(call, "invalid_token")) return failure("601", "Access token invalid");
  call.throttled = true;
  if (fault(call, "daily_quota") || calls_today_.count() >= settings_.daily_calls)
    return failure("607", fmt::format("Daily API Request Limit Reached: {}", settings_.daily_calls));
  if (fault(call, "concurrency") || call.in_flight > settings_.concurrent_calls)
    return failure("615", fmt::format("Concurrent access limit reached: {}", settings_.concurrent_calls));
  call.throttled = false;
  if (fault(call, "system_error")) return failure("611", "System error");
  if (fault(call, "timed_out")) return failure("604", "Request timed out");
  calls_today_.add();
  return std::nullopt;
}

Reply Marketo::answer(Call& call) {
  if (issues_tokens(call.request)) return issue_token(call);
  if (auto refusal = refused(call)) return *refusal;
  // A lookup too long for a URI is a POST that says it is a GET.
  IncomingRequest routed{.method = call.request.method, .segments = call.request.segments};
  if (routed.method == "POST" && form_or_query(call.request, "_method") == "GET") routed.method = "GET";
  const Router::Match match = router_.find(routed);
  if (match.handler != nullptr) return (*match.handler)(call, match.params);
  if (match.path_known) return failure("605", fmt::format("HTTP Method '{}' not supported", routed.method));
  return failure("610", "Requested resource not found");
}

Reply Marketo::answer_trouble(Trouble trouble, Call&) {
  if (trouble == Trouble::throttled) {
    const Rate rate =
        bucket_.rate().calls > 0 ? bucket_.rate() : Rate{.calls = 100, .window = std::chrono::seconds{20}};
    return failure("606", fmt::format("Max rate limit '{}' exceeded with in '{}' secs", rate.calls,
                                      rate.window.count()));
  }
  if (trouble == Trouble::unavailable) return failure("608", "API Temporarily Unavailable", 503);
  return failure("611", "System error", 500);
}

void Marketo::reset() {
  Service::reset();
  add_default_lists();
  add_default_programs();
  imports_.clear();
  calls_today_.clear();
  errors_today_.clear();
}

const Record& Marketo::seed(const std::string& object, Json fields) {
  const std::string given = text_of(fields.value("id", Json()));
  fields.erase("id");
  const std::string id = given.empty() ? std::to_string(1000 + store_.next_number()) : given;
  for (const ObjectKind& kind : object_kinds()) {
    if (kind.table() != object) continue;
    std::string key;
    for (const std::string& name : kind.dedupe)
      key += lower(trim(text_of(fields.value(name, Json())))) + "\x1f";
    fields["_key"] = key;
  }
  return store_.table(object).add(id, fields, now());
}

std::string Marketo::request_id() { return random_hex(random_, 4) + "#" + random_hex(random_, 11); }

Reply Marketo::success(Json result, Json more) {
  Json body = {{"requestId", request_id()}, {"success", true}, {"result", std::move(result)}};
  body.update(more);
  return json_reply(200, body, "application/json;charset=UTF-8");
}

Reply Marketo::failure(const std::string& code, const std::string& message, int status) {
  ++errors_today_[code];
  return json_reply(status,
                    {{"requestId", request_id()},
                     {"success", false},
                     {"errors", Json::array({{{"code", code}, {"message", message}}})}},
                    "application/json;charset=UTF-8");
}

}  // namespace eddy::sandbox::marketo
