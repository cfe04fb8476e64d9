// Small text tools shared by all. All functions are pure and thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace eddy {

std::string trim(std::string_view text);   // ASCII white space
std::string lower(std::string_view text);  // ASCII only
std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string replace_all(std::string text, std::string_view from, std::string_view to);
// `*`, `?` and `[…]` match within one path segment, `**` across segments.
bool glob_match(std::string_view pattern, std::string_view text);
// The candidate most like `word`, when it is close enough to be a typo of it.
std::optional<std::string> did_you_mean(std::string_view word, std::span<const std::string> candidates);
// "did you mean `x`?" or "" — ready to be a hint.
std::string did_you_mean_hint(std::string_view word, std::span<const std::string> candidates);

// Bytes of the UTF-8 character that starts at `at` (RFC 3629: no surrogates, no overlong forms); 0 when there
// is none.
std::size_t utf8_length_at(std::string_view text, std::size_t at);
bool is_utf8(std::string_view text);
std::string base64(std::string_view bytes);
std::string hex(std::string_view bytes);            // lower case
std::string sha256_hex(std::string_view bytes);     // 64 lower-case digits
std::string percent_encode(std::string_view text);  // everything but unreserved characters (RFC 3986)
// A new identifier that sorts by time: 26 characters of Crockford base 32 (ULID form), unique across
// processes.
std::string new_id();
// 1234567 -> "1,234,567"
std::string with_commas(std::uint64_t number);
// 1536 -> "1.5 KiB"
std::string human_bytes(std::uint64_t bytes);

// Incremental SHA-256 for files that do not fit in memory.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view bytes);
  std::string hex_digest();  // ends the computation

 private:
  void* context_;
};

}  // namespace eddy
