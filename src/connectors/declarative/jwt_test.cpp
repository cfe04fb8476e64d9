#include "connectors/declarative/jwt.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/secrets.h"
#include "core/text.h"
#include "support/scratch.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Key rsa_key() { return {EVP_RSA_gen(2048), &EVP_PKEY_free}; }

std::string pem_of(EVP_PKEY* key) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long length = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

std::string decode(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const std::size_t padding = (4 - text.size() % 4) % 4;
  text.append(padding, '=');
  std::string out(text.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                  reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  return out.substr(0, out.size() - padding);
}

bool verifies(EVP_PKEY* key, const std::string& token) {
  const auto parts = split(token, '.');
  if (parts.size() != 3) return false;
  const std::string text = parts[0] + "." + parts[1], signature = decode(parts[2]);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                          text.size()) == 1;
}

JwtSpec spec() {
  return {Template::parse("{private_key}"),
          {{"iss", Template::parse("{client_id}")}, {"aud", Template::parse("https://login.example.com")}},
          std::chrono::seconds{180}};
}

Lookup with_key(const std::string& key) {
  return [key](std::string_view name) -> std::optional<json> {
    if (name == "private_key") return json(key);
    if (name == "client_id") return json("app");
    return std::nullopt;
  };
}

TEST(Jwt, IsSignedByTheKeyAndEndsSoon) {
  const Key key = rsa_key(), other = rsa_key();
  const std::string pem = pem_of(key.get());
  const Clock::WallTime now{std::chrono::seconds{1'700'000'000}};
  const std::string token = assertion(spec(), with_key(pem), now);
  EXPECT_TRUE(verifies(key.get(), token));
  EXPECT_FALSE(verifies(other.get(), token));
  const auto parts = split(token, '.');
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(json::parse(decode(parts[0])), json({{"alg", "RS256"}, {"typ", "JWT"}}));
  EXPECT_EQ(json::parse(decode(parts[1])), json({{"iss", "app"},
                                                 {"aud", "https://login.example.com"},
                                                 {"iat", 1'700'000'000},
                                                 {"exp", 1'700'000'180}}));
  EXPECT_EQ(redact("x " + token).find(token), std::string::npos);
}

TEST(Jwt, TheKeyMayBeAFileOrOneLine) {
  const Key key = rsa_key();
  const std::string pem = pem_of(key.get());
  const testing::Scratch scratch;
  write_file_atomically(scratch / "app.pem", pem);
  EXPECT_TRUE(verifies(key.get(), assertion(spec(), with_key((scratch / "app.pem").string()), {})));
  EXPECT_TRUE(verifies(key.get(), assertion(spec(), with_key(replace_all(pem, "\n", "\\n")), {})));
}

TEST(Jwt, WhatIsNoRsaKeyIsSaidWithoutShowingIt) {
  const Key curve(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  for (const std::string& bad :
       {std::string("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"),
        std::string("not-a-key"), std::string(), pem_of(curve.get())}) {
    try {
      assertion(spec(), with_key(bad), {});
      FAIL() << "it is signed";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), "destination.credentials");
      EXPECT_EQ(std::string(e.what()).find("c2VjcmV0"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace eddy::connectors
