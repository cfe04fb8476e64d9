// Signatures of Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks,
// spec/standard-webhooks.md): HMAC-SHA256 over "<id>.<timestamp>.<body>", keyed with the bytes behind a
// `whsec_` secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace eddy::connectors {

// Immutable and thread-safe.
class Signer {
 public:
  Signer() = default;  // signs nothing
  // "whsec_<base64 of 24 to 64 bytes>", the prefix may be missing; several with commas between them: each
  // signs, so that a secret is changed without a gap. Every one is registered with core/secrets.h. Throws
  // Error("destination.settings").
  explicit Signer(std::string_view secrets);

  bool signs() const { return !keys_.empty(); }
  std::size_t secrets() const { return keys_.size(); }
  // The value of the header webhook-signature: "v1,<base64>", one for each secret, with spaces between them.
  std::string sign(std::string_view id, std::string_view timestamp, std::string_view body) const;

 private:
  std::vector<std::string> keys_;  // raw bytes
};

}  // namespace eddy::connectors
