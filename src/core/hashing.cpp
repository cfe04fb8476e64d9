#include "core/hashing.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>

#include "core/error.h"

namespace eddy {
namespace {

using Bytes = std::array<unsigned char, 32>;

HexDigest hex_of(const Bytes& bytes) {
  constexpr char digits[] = "0123456789abcdef";
  HexDigest out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = digits[bytes[i] >> 4];
    out[2 * i + 1] = digits[bytes[i] & 15];
  }
  return out;
}

void check(int succeeded) {
  if (succeeded != 1) throw Error("core.hash_failed", "OpenSSL cannot compute SHA-256");
}

EVP_MD_CTX* digest(void* context) { return static_cast<EVP_MD_CTX*>(context); }
EVP_MAC_CTX* mac(void* context) { return static_cast<EVP_MAC_CTX*>(context); }

// An empty key must still be given as one: a null pointer means "the key of before".
const unsigned char* key_bytes(std::string_view key) {
  return reinterpret_cast<const unsigned char*>(key.empty() ? "" : key.data());
}

}  // namespace

Sha256Series::Sha256Series() : context_(EVP_MD_CTX_new()) {
  check(EVP_DigestInit_ex2(digest(context_), EVP_sha256(), nullptr));
}
Sha256Series::~Sha256Series() { EVP_MD_CTX_free(digest(context_)); }

HexDigest Sha256Series::operator()(std::string_view text) {
  Bytes bytes;
  check(EVP_DigestInit_ex2(digest(context_), nullptr, nullptr));
  check(EVP_DigestUpdate(digest(context_), text.data(), text.size()));
  check(EVP_DigestFinal_ex(digest(context_), bytes.data(), nullptr));
  return hex_of(bytes);
}

HmacSha256Series::HmacSha256Series() {
  EVP_MAC* algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  context_ = EVP_MAC_CTX_new(algorithm);
  EVP_MAC_free(algorithm);
  char name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                   OSSL_PARAM_construct_end()};
  check(context_ != nullptr ? EVP_MAC_CTX_set_params(mac(context_), parameters) : 0);
}
HmacSha256Series::~HmacSha256Series() { EVP_MAC_CTX_free(mac(context_)); }

HexDigest HmacSha256Series::operator()(std::string_view text, std::string_view key) {
  const bool same = keyed_ && key == key_;
  check(EVP_MAC_init(mac(context_), same ? nullptr : key_bytes(key), same ? 0 : key.size(), nullptr));
  if (!same) key_ = key;
  keyed_ = true;
  check(EVP_MAC_update(mac(context_), reinterpret_cast<const unsigned char*>(text.data()), text.size()));
  Bytes bytes;
  std::size_t size = 0;
  check(EVP_MAC_final(mac(context_), bytes.data(), &size, bytes.size()));
  return hex_of(bytes);
}

}  // namespace eddy
