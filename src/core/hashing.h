// SHA-256 and HMAC-SHA-256 of many short texts: an object is made once and used for all of them. Not
// thread-safe; digests are 64 lower-case digits.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace eddy {

using HexDigest = std::array<char, 64>;

class Sha256Series {
 public:
  Sha256Series();
  ~Sha256Series();
  Sha256Series(const Sha256Series&) = delete;
  Sha256Series& operator=(const Sha256Series&) = delete;
  HexDigest operator()(std::string_view text);

 private:
  void* context_;
};

// RFC 2104. The key's preparation is kept as long as the key stays the same.
class HmacSha256Series {
 public:
  HmacSha256Series();
  ~HmacSha256Series();
  HmacSha256Series(const HmacSha256Series&) = delete;
  HmacSha256Series& operator=(const HmacSha256Series&) = delete;
  HexDigest operator()(std::string_view text, std::string_view key);

 private:
  void* context_;
  std::string key_;
  bool keyed_ = false;
};

}  // namespace eddy
