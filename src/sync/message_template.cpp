#include "sync/message_template.h"

#include <algorithm>
#include <cctype>
#include <regex>

#include "core/text.h"

namespace eddy::sync {

namespace {

constexpr std::size_t length_max = 300;
constexpr std::size_t id_length_min = 10;
constexpr std::size_t digits_min = 4;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_digit(c) || is_letter(c) || c == '_'; }
// Bytes of a token that is looked at as a whole; bytes of longer UTF-8 characters belong to words.
bool in_token(char c) {
  return is_word(c) || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("@.+-:/%?&=#~").find(c) != std::string_view::npos;
}

bool matches(std::string_view text, const std::regex& pattern) {
  return std::regex_match(text.begin(), text.end(), pattern);
}

// The comma of "12,345".
bool groups_digits(std::string_view text, std::size_t at) {
  return text[at] == ',' && at > 0 && is_digit(text[at - 1]) && at + 1 < text.size() &&
         is_digit(text[at + 1]);
}

std::string word_of(std::string_view word) {
  const auto digits = static_cast<std::size_t>(std::count_if(word.begin(), word.end(), is_digit));
  if (digits == word.size()) return "<n>";
  if (word.size() >= id_length_min && digits >= 2 && std::any_of(word.begin(), word.end(), is_letter))
    return "<id>";
  // "user1234"; but "sha256", "v3" and "utf8mb4" are names.
  std::string out;
  for (std::size_t i = 0; i < word.size();) {
    std::size_t end = i;
    while (end < word.size() && is_digit(word[end])) ++end;
    if (end - i >= digits_min)
      out += "<n>";
    else
      out += word.substr(i, std::max<std::size_t>(end - i, 1));
    i = std::max(end, i + 1);
  }
  return out;
}

// Ends of sentences and lists do not belong to what they end.
std::string token_of(std::string_view token) {
  std::size_t end = token.size();
  while (end > 0 && std::string_view(".:?-=").find(token[end - 1]) != std::string_view::npos) --end;
  const std::string_view body = token.substr(0, end);
  const std::string tail(token.substr(end));
  if (body.find("://") != std::string_view::npos) return "<url>" + tail;
  const auto at = body.find('@');
  if (at != std::string_view::npos && at > 0 && body.find('.', at) != std::string_view::npos)
    return "<email>" + tail;
  if (std::none_of(body.begin(), body.end(), is_digit)) return std::string(token);
  static const std::regex uuid("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
  static const std::regex time(
      R"(\d{4}-\d\d-\d\d([T ]?\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?|\d\d:\d\d(:\d\d(\.\d+)?)?)");
  static const std::regex number(R"([+-]?\d+([.,]\d+)*%?)");
  if (matches(body, uuid)) return "<id>" + tail;
  if (matches(body, time)) return "<time>" + tail;
  if (matches(body, number)) return "<n>" + tail;
  std::string out;
  for (std::size_t i = 0; i < body.size();) {
    std::size_t next = i;
    while (next < body.size() && is_word(body[next])) ++next;
    out += next > i ? word_of(body.substr(i, next - i)) : std::string(1, body[i]);
    i = std::max(next, i + 1);
  }
  return out + tail;
}

// Where the quoted text that begins at `at` ends (its closing quote); npos when that is no quotation.
std::size_t closing(std::string_view text, std::size_t at) {
  const char quote = text[at];
  if (quote != '\'' && quote != '"' && quote != '`') return std::string_view::npos;
  if (at > 0 && is_word(text[at - 1])) return std::string_view::npos;  // the apostrophe of "can't"
  for (std::size_t end = text.find(quote, at + 1); end != std::string_view::npos;
       end = text.find(quote, end + 1))
    if (end + 1 == text.size() || !is_word(text[end + 1])) return end;
  return std::string_view::npos;
}

// A JSON member's name, or a constant: {"error":"INVALID_EMAIL"}.
bool is_word_of_theirs(std::string_view text, std::size_t begin, std::size_t end) {
  if (text[begin] != '"') return false;
  if (end + 1 < text.size() && text[end + 1] == ':') return true;
  const std::string_view inside = text.substr(begin + 1, end - begin - 1);
  return inside.size() > 2 &&
         std::all_of(inside.begin(), inside.end(), [](char c) { return c == '_' || (c >= 'A' && c <= 'Z'); });
}

}  // namespace

std::string message_template(std::string_view message) {
  std::string out;
  for (std::size_t i = 0; i < message.size() && out.size() < length_max;) {
    if (const std::size_t end = closing(message, i); end != std::string_view::npos) {
      out += is_word_of_theirs(message, i, end) ? message.substr(i, end + 1 - i) : "<value>";
      i = end + 1;
    } else if (message.substr(i).starts_with(")=(") && message.find(')', i + 3) != std::string_view::npos) {
      out += ")=(<value>)";  // Key (email)=(ada@example.com) already exists.
      i = message.find(')', i + 3) + 1;
    } else if (in_token(message[i])) {
      std::size_t next = i;
      while (next < message.size() && (in_token(message[next]) || groups_digits(message, next))) ++next;
      out += token_of(message.substr(i, next - i));
      i = next;
    } else {
      out += message[i++];
    }
  }
  if (out.size() <= length_max) return out;
  std::size_t end = length_max;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
  return out.substr(0, end) + "…";
}

}  // namespace eddy::sync
