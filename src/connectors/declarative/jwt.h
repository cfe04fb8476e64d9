// Signed assertions (RFC 7519, RFC 7523): who we are, told by a private key instead of a password.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connectors/declarative/template.h"
#include "core/clock.h"

namespace eddy::connectors {

// Of `jwt` in connector.yml.
struct JwtSpec {
  Template key;  // PEM, or the path of a file with it
  std::vector<std::pair<std::string, Template>> claims;
  std::chrono::seconds lifetime{180};  // `exp` and `iat` are added
};

// "eyJ…": header, claims and signature, RS256. Throws Error("destination.credentials") when that is no RSA
// key; what it says holds nothing of the key.
std::string sign_rs256(const nlohmann::json& claims, const std::string& pem);

// Reads the key, fills the claims in and signs. What is read or made is registered as a secret.
std::string assertion(const JwtSpec& spec, const Lookup& lookup, Clock::WallTime now);

}  // namespace eddy::connectors
