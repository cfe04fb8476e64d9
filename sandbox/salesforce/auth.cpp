#include "sandbox/salesforce/auth.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/text.h"

namespace eddy::sandbox::salesforce {
namespace {

constexpr const char *organization_id = "00D5g000000SANDBOX", *user_id = "0055g000000SANDBOX";

}  // namespace

std::optional<std::string> base64url_decode(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  unsigned bits = 0;
  int have = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (char c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<unsigned>(value);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>((bits >> static_cast<unsigned>(have)) & 0xFFU);
    }
  }
  return out;
}

bool rs256_verifies(const std::string& pem, const std::string& text, const std::string& signature) {
  const auto bytes = base64url_decode(signature);
  const std::unique_ptr<BIO, decltype(&BIO_free)> source(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PUBKEY(source.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (!bytes || !key || !context) return false;
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(bytes->data()), bytes->size(),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
}

Sessions::Sessions(Credentials credentials, Clock& clock, std::mt19937_64& random, std::string scheme)
    : credentials_(std::move(credentials)), clock_(clock), random_(random), scheme_(std::move(scheme)) {}

Reply Sessions::refusal(const std::string& error, const std::string& description) {
  return json_reply(400, {{"error", error}, {"error_description", description}},
                    "application/json;charset=UTF-8");
}

Reply Sessions::issue(const IncomingRequest& request) {
  const auto value = [&](std::string_view name) { return form_or_query(request, name).value_or(""); };
  const std::string grant = value("grant_type");
  if (grant == "urn:ietf:params:oauth:grant-type:jwt-bearer") return from_assertion(request);
  if (grant != "client_credentials" && grant != "refresh_token")
    return refusal("unsupported_grant_type", "grant type not supported");
  std::string id = value("client_id"), secret = value("client_secret");
  if (const std::string basic{request.header("Authorization")}; basic.starts_with("Basic ")) {
    const std::string pair = base64url_decode(trim(basic.substr(6))).value_or("");
    id = pair.substr(0, pair.find(':'));
    secret = pair.find(':') == std::string::npos ? "" : pair.substr(pair.find(':') + 1);
  }
  if (id != credentials_.client_id) return refusal("invalid_client_id", "client identifier invalid");
  const bool secret_may_be_absent = grant == "refresh_token" && secret.empty();
  if (secret != credentials_.client_secret && !secret_may_be_absent)
    return refusal("invalid_client", "invalid client credentials");
  if (grant == "refresh_token" && value("refresh_token") != credentials_.refresh_token)
    return refusal("invalid_grant", "expired access/refresh token");
  return session(request);
}

Reply Sessions::from_assertion(const IncomingRequest& request) {
  const std::string assertion = form_or_query(request, "assertion").value_or("");
  const auto parts = split(assertion, '.');
  if (parts.size() != 3 || parts[2].empty()) return refusal("invalid_grant", "invalid assertion");
  const Json header = Json::parse(base64url_decode(parts[0]).value_or(""), nullptr, false);
  const Json claims = Json::parse(base64url_decode(parts[1]).value_or(""), nullptr, false);
  if (!header.is_object() || !claims.is_object() || header.value("alg", "") != "RS256")
    return refusal("invalid_grant", "invalid assertion");
  if (claims.value("iss", Json()) != credentials_.client_id)
    return refusal("invalid_client_id", "client identifier invalid");
  const std::string audience = text_of(claims.value("aud", Json()));
  const std::string self = scheme_ + std::string{request.header("Host")};
  if (audience != "https://login.salesforce.com" && audience != "https://test.salesforce.com" &&
      audience != self)
    return refusal("invalid_grant", "audience is invalid");
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
  // A number, or one in quotes as a widely used client writes it.
  const std::int64_t expires = std::atoll(text_of(claims.value("exp", Json())).c_str());
  if (expires < now || expires > now + 330)
    return refusal("invalid_grant", "assertion is not valid: exp must be within five minutes");
  if (!credentials_.jwt_public_key.empty() &&
      !rs256_verifies(credentials_.jwt_public_key, parts[0] + "." + parts[1], parts[2]))
    return refusal("invalid_grant", "invalid assertion signature");
  if (claims.value("sub", Json()) != credentials_.username)
    return refusal("invalid_grant", "user hasn't approved this consumer");
  return session(request);
}

Reply Sessions::revoke(const IncomingRequest& request) {
  const std::string token = form_or_query(request, "token").value_or("");
  if (tokens_.erase(token) > 0 || token == credentials_.refresh_token) return Reply{.status = 200};
  return refusal("unsupported_token_type", "this token type is not supported");
}

Reply Sessions::identity(const IncomingRequest& request) const {
  const std::string here = scheme_ + std::string{request.header("Host")};
  const std::string url = fmt::format("{}/id/{}/{}", here, organization_id, user_id);
  Json body = {{"user_id", user_id},
               {"organization_id", organization_id},
               {"email", credentials_.username},
               {"email_verified", true},
               {"nickname", "integration"},
               {"active", true},
               {"user_type", "STANDARD"},
               {"language", "en_US"},
               {"locale", "en_US"},
               {"urls",
                {{"rest", here + "/services/data/v{version}/"},
                 {"sobjects", here + "/services/data/v{version}/sobjects/"},
                 {"query", here + "/services/data/v{version}/query/"}}}};
  if (request.path.starts_with("/id/"))
    body.update({{"id", url}, {"username", credentials_.username}, {"display_name", "Integration User"}});
  else
    body.update({{"sub", url}, {"preferred_username", credentials_.username}, {"name", "Integration User"}});
  return json_reply(200, body);
}

Reply Sessions::session(const IncomingRequest& request) {
  const std::string token = "00D5g000000SANDBOX!AQ" + random_hex(random_, 80);
  tokens_.insert(token);
  const auto issued =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now().time_since_epoch()).count();
  // Who logs in at a common host is sent to the org's own.
  std::string host{request.header("Host")};
  if (host == "login.salesforce.com" || host == "test.salesforce.com") host = "sandbox.my.salesforce.com";
  const std::string here = scheme_ + host;
  return json_reply(200,
                    {{"access_token", token},
                     {"instance_url", here},
                     {"id", fmt::format("{}/id/{}/{}", here, organization_id, user_id)},
                     {"token_type", "Bearer"},
                     {"issued_at", std::to_string(issued)},
                     {"signature", base64(random_hex(random_, 32))},
                     {"scope", "api"}},
                    "application/json;charset=UTF-8");
}

}  // namespace eddy::sandbox::salesforce
