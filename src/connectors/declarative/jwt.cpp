#include "connectors/declarative/jwt.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {

namespace {

std::string base64url(std::string_view bytes) {
  std::string out = base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

[[noreturn]] void no_key(const std::string& why) {
  throw Error(
      "destination.credentials", "the private key cannot be used: " + why,
      "give an unencrypted RSA key in PEM form (-----BEGIN PRIVATE KEY-----), or the path of its file");
}

// An environment variable often has its lines as "\n".
std::string as_pem(const std::string& text) {
  if (!text.starts_with("-----BEGIN")) {
    try {
      return read_file(text);
    } catch (const Error&) {
      no_key("it is no PEM text, and there is no such file");
    }
  }
  return replace_all(text, "\\n", "\n");
}

int no_password(char*, int, int, void*) { return 0; }

}  // namespace

std::string sign_rs256(const nlohmann::json& claims, const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> source(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(source.get(), nullptr, no_password, nullptr), &EVP_PKEY_free);
  if (!key) no_key("it is no private key in PEM form, or needs a password");
  if (EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) no_key("it is no RSA key");
  const std::string head = nlohmann::json({{"alg", "RS256"}, {"typ", "JWT"}}).dump();
  std::string text = base64url(head) + "." + base64url(claims.dump());
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t length = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &length, bytes, text.size()) != 1)
    no_key("it does not sign");
  std::string signature(length, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length, bytes,
                     text.size()) != 1)
    no_key("it does not sign");
  signature.resize(length);
  return text + "." + base64url(signature);
}

std::string assertion(const JwtSpec& spec, const Lookup& lookup, Clock::WallTime now) {
  const std::string pem = as_pem(spec.key.text(lookup).value_or(""));
  register_secret(pem);
  nlohmann::json claims = nlohmann::json::object();
  for (const auto& [name, value] : spec.claims)
    if (const auto text = value.text(lookup)) claims[name] = *text;
  const auto issued = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  claims["iat"] = issued;
  claims["exp"] = issued + spec.lifetime.count();
  std::string out = sign_rs256(claims, pem);
  register_secret(out);
  return out;
}

}  // namespace eddy::connectors
