// Tokens: the static one of a private app, and OAuth access tokens of 30 minutes.
#include "core/text.h"
#include "sandbox/hubspot/hubspot.h"

namespace eddy::sandbox::hubspot {
namespace {
constexpr std::chrono::seconds token_lifetime{1800};
}

bool HubSpot::issues_tokens(const IncomingRequest& request) const {
  return request.path.starts_with("/oauth/v1/") || request.path == "/oauth/v3/token";
}

// GET /oauth/v1/access-tokens/{token} and /refresh-tokens/{token}
Reply HubSpot::token_info(const IncomingRequest& request) {
  const std::string token = request.segments.back();
  const auto known = tokens_.find(token);
  const bool refresh = token == settings_.refresh_token;
  if (!refresh && (known == tokens_.end() || now() >= known->second.expires))
    return problem_reply({.status = 404, .category = "OBJECT_NOT_FOUND", .message = "token not found"});
  Json out = {{"token", token},
              {"user", "api@example.com"},
              {"hub_domain", "sandbox.example.com"},
              {"hub_id", 4242},
              {"app_id", 1},
              {"user_id", 1},
              {"client_id", settings_.client_id},
              {"scopes", {"crm.objects.contacts.read", "crm.objects.contacts.write"}},
              {"token_type", refresh ? "refresh" : "access"}};
  if (!refresh)
    out["expires_in"] =
        std::chrono::duration_cast<std::chrono::seconds>(known->second.expires - now()).count();
  return json_reply(200, out);
}

Reply HubSpot::issue_token(const IncomingRequest& request) {
  const auto value = [&](std::string_view name) { return form_or_query(request, name).value_or(""); };
  const auto refuse = [&](const char* status, const std::string& message) {
    return json_reply(400,
                      {{"status", status}, {"message", message}, {"correlationId", random_uuid(random_)}});
  };
  const std::string grant = value("grant_type");
  if (request.method != "POST") return Reply::text(405, "");
  if (grant != "refresh_token" && grant != "client_credentials" && grant != "authorization_code")
    return refuse("BAD_GRANT_TYPE", "missing or unknown grant type");
  if (value("client_id") != settings_.client_id)
    return refuse("BAD_CLIENT_ID", "missing or unknown client id");
  if (value("client_secret") != settings_.client_secret)
    return refuse("BAD_CLIENT_SECRET", "missing or invalid client secret");
  if (grant == "refresh_token" && value("refresh_token") != settings_.refresh_token)
    return refuse("BAD_REFRESH_TOKEN", "missing or invalid refresh token");
  if (grant == "authorization_code" && value("code").empty())
    return refuse("BAD_AUTH_CODE", "missing or unknown auth code");
  const std::string token = "C" + random_hex(random_, 60);
  tokens_[token] = {.expires = now() + token_lifetime};
  Json body = {{"access_token", token}, {"expires_in", token_lifetime.count()}, {"token_type", "bearer"}};
  if (grant != "client_credentials") body["refresh_token"] = settings_.refresh_token;
  if (request.path == "/oauth/v3/token") {
    body["hub_id"] = 4242;
    body["scopes"] = {"crm.objects.contacts.read", "crm.objects.contacts.write"};
  }
  return json_reply(200, body);
}

std::optional<Reply> HubSpot::unauthorized(const IncomingRequest& request) {
  const std::string token = bearer_of(request);
  const auto refuse = [&](const char* category, const std::string& message) {
    return problem_reply({.status = 401, .category = category, .message = message});
  };
  if (token.empty())
    return refuse("INVALID_AUTHENTICATION",
                  "Authentication credentials not found. This API supports OAuth 2.0 "
                  "authentication and private app access tokens.");
  if (token == settings_.token) {
    if (!std::exchange(static_token_fails_once_, false)) return std::nullopt;
    return refuse("EXPIRED_AUTHENTICATION", "The access token used to make this call expired.");
  }
  const auto known = tokens_.find(token);
  if (known == tokens_.end()) return refuse("INVALID_AUTHENTICATION", "The access token is not known.");
  if (now() >= known->second.expires)
    return refuse("EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired.");
  return std::nullopt;
}

// A static token cannot be asked for anew, so it is refused once and good again.
void HubSpot::expire_tokens() {
  static_token_fails_once_ = true;
  for (auto& [text, token] : tokens_) token.expires = now();
}

}  // namespace eddy::sandbox::hubspot
