#include "core/email.h"

#include <algorithm>

#include "core/text.h"
#include "core/unicode.h"

namespace eddy {
namespace {

constexpr std::size_t address_bytes_max = 254, local_bytes_max = 64, label_bytes_max = 63;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_local(char c) {
  return is_letter_or_digit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_dotted(std::string_view text, std::size_t parts_min, std::size_t part_bytes_max,
               bool (*allowed)(char)) {
  const std::vector<std::string> parts = split(text, '.');
  return parts.size() >= parts_min && std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
           return !part.empty() && part.size() <= part_bytes_max &&
                  std::all_of(part.begin(), part.end(), allowed);
         });
}

bool is_domain(std::string_view domain) {
  if (domain.find("-.") != std::string_view::npos || domain.find(".-") != std::string_view::npos ||
      domain.starts_with('-') || domain.ends_with('-'))
    return false;
  return is_dotted(domain, 2, label_bytes_max, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

// `text` is trimmed and lower-cased already.
bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || text.size() > address_bytes_max || at > local_bytes_max) return false;
  // White space outside ASCII is made of bytes that letters are made of too.
  if (without_white_space(text).size() != text.size()) return false;
  return is_dotted(text.substr(0, at), 1, local_bytes_max, is_local) && is_domain(text.substr(at + 1));
}

}  // namespace

std::optional<std::string> email_address(std::string_view text) {
  std::string address = lower_unicode(trim_unicode(text));
  if (!is_address(address)) return std::nullopt;
  return address;
}

std::optional<std::string> google_email_address(std::string_view text) {
  std::string address = lower_unicode(without_white_space(text));
  if (const std::size_t at = address.find('@'); at != std::string::npos) {
    const std::string domain = address.substr(at);
    if (domain == "@gmail.com" || domain == "@googlemail.com") {
      const std::string local = address.substr(0, std::min(at, address.find('+')));
      address = replace_all(local, ".", "") + domain;
    }
  }
  if (!is_address(address)) return std::nullopt;
  return address;
}

}  // namespace eddy
