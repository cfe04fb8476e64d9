#include "transport/http/exchange.h"

#include <algorithm>

#include "core/text.h"

namespace eddy::http {

void Headers::set(std::string name, std::string value) {
  const std::string wanted = lower(name);
  std::erase_if(lines_, [&](const auto& line) { return lower(line.first) == wanted; });
  add(std::move(name), std::move(value));
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  const std::string wanted = lower(name);
  for (const auto& [key, value] : lines_)
    if (lower(key) == wanted) return value;
  return std::nullopt;
}

std::string form_encode(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out += percent_encode(name) + '=' + percent_encode(value);
  }
  return out;
}

bool is_loopback(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  std::string_view authority = url.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#\\"));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1) == "[::1]";
  const std::string host = lower(authority.substr(0, authority.find(':')));
  if (host == "localhost") return true;
  if (!host.starts_with("127.") || host.find_first_not_of("0123456789.") != std::string::npos) return false;
  return std::count(host.begin(), host.end(), '.') == 3;
}

}  // namespace eddy::http
