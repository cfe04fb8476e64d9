#include "connectors/webhook/signature.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <optional>

#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {
namespace {

constexpr std::size_t key_bytes_min = 24, key_bytes_max = 64;  // "192 bits, 512 maximum"

// Strict: the standard alphabet, padding only at the end and only as much as is missing.
std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const bool padded = text.ends_with('=');
  if (padded && text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>((bits >> held) & 0xFF);
  }
  return out;
}

[[noreturn]] void refuse(std::string why) {
  throw Error(
      "destination.settings", "webhook: " + std::move(why),
      "a secret looks like whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw; make one with: echo whsec_$(openssl rand "
      "-base64 32)");
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size) == nullptr)
    throw Error("destination.connector_failed", "webhook: the message cannot be signed");
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

Signer::Signer(std::string_view secrets) {
  for (const std::string& part : split(secrets, ',')) {
    std::string secret = trim(part);
    if (secret.empty()) continue;
    register_secret(secret);
    if (const auto prefix = secret.find('_'); prefix != std::string::npos)
      register_secret(secret.substr(prefix + 1));
    if (secret.starts_with("whsk_") || secret.starts_with("whpk_"))
      refuse("this is a secret for asymmetric signatures, which are not supported");
    if (secret.starts_with("whsec_")) secret.erase(0, 6);
    register_secret(secret);
    auto key = from_base64(secret);
    if (!key) refuse("the secret is not base64");
    if (key->size() < key_bytes_min || key->size() > key_bytes_max)
      refuse(fmt::format("the secret has {} bytes, the standard asks for {} to {}", key->size(),
                         key_bytes_min, key_bytes_max));
    keys_.push_back(*key);  // a move makes GCC 12 warn of nothing
  }
  if (keys_.empty()) refuse("the secret is empty");
}

std::string Signer::sign(std::string_view id, std::string_view timestamp, std::string_view body) const {
  const std::string content = fmt::format("{}.{}.{}", id, timestamp, body);
  std::string out;
  for (const std::string& key : keys_) {
    if (!out.empty()) out += ' ';
    out += "v1," + base64(hmac_sha256(key, content));
  }
  return out;
}

}  // namespace eddy::connectors
