// The token endpoint and the sessions it opened.
#pragma once

#include <set>
#include <string>

#include "sandbox/service.h"

namespace eddy::sandbox::salesforce {

struct Credentials {
  std::string client_id = "sandbox-client";
  std::string client_secret = "sandbox-secret";
  std::string refresh_token = "sandbox-refresh";
  std::string username = "integration@example.com";  // subject of a JWT assertion
  std::string jwt_public_key;  // PEM text; empty: a signature must be there but is not verified
};

class Sessions {
 public:
  Sessions(Credentials credentials, Clock& clock, std::mt19937_64& random, std::string scheme);
  // POST /services/oauth2/token: client_credentials, refresh_token, JWT bearer.
  Reply issue(const IncomingRequest& request);
  static Reply refusal(const std::string& error,
                       const std::string& description);  // 400 {error, error_description}
  // POST /services/oauth2/revoke, which needs no session.
  Reply revoke(const IncomingRequest& request);
  // Who the session belongs to, as /id/{org}/{user} and /services/oauth2/userinfo tell it.
  Reply identity(const IncomingRequest& request) const;
  bool valid(const std::string& token) const { return tokens_.contains(token); }
  void expire_all() { tokens_.clear(); }

 private:
  Reply session(const IncomingRequest& request);
  Reply from_assertion(const IncomingRequest& request);

  const Credentials credentials_;
  Clock& clock_;
  std::mt19937_64& random_;
  const std::string scheme_;  // "http://" or "https://"
  std::set<std::string> tokens_;
};

// Is `signature` (base64url) an RS256 signature of `text` by the owner of the PEM public key?
bool rs256_verifies(const std::string& pem, const std::string& text, const std::string& signature);
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace eddy::sandbox::salesforce
