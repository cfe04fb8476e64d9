#include "sandbox/multipart.h"

#include "core/text.h"

namespace eddy::sandbox {
namespace {

// `key="value"` or `key=value` of a header; "" when it is not there.
std::string parameter(std::string_view header, std::string_view key) {
  for (const std::string& word : split(header, ';')) {
    const std::string text = trim(word);
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || lower(text.substr(0, equals)) != key) continue;
    const std::string value = text.substr(equals + 1);
    return value.size() > 1 && value.front() == '"' && value.back() == '"' ? value.substr(1, value.size() - 2)
                                                                           : value;
  }
  return {};
}

}  // namespace

std::optional<std::vector<Part>> parse_multipart(const http::IncomingRequest& request) {
  const std::string boundary = parameter(request.header("Content-Type"), "boundary");
  if (request.content_type() != "multipart/form-data" || boundary.empty()) return std::nullopt;
  const std::string delimiter = "--" + boundary;
  const std::string& body = request.body;
  std::vector<Part> parts;
  for (std::size_t at = body.find(delimiter); at != std::string::npos;) {
    const std::size_t head = at + delimiter.size();
    if (body.compare(head, 2, "--") == 0) return parts;
    const std::size_t blank = body.find("\r\n\r\n", head), next = body.find("\r\n" + delimiter, head);
    if (blank == std::string::npos || next == std::string::npos || blank > next) return std::nullopt;
    Part part{.content = blank + 4 > next ? "" : body.substr(blank + 4, next - blank - 4)};
    for (const std::string& line : split(body.substr(head, blank - head), '\n')) {
      const std::string header = trim(line);
      if (lower(header).starts_with("content-disposition:")) part.name = parameter(header.substr(20), "name");
      if (lower(header).starts_with("content-type:")) part.content_type = lower(trim(header.substr(13)));
    }
    parts.push_back(std::move(part));
    at = next + 2;
  }
  return std::nullopt;
}

const Part* part_named(const std::vector<Part>& parts, std::string_view name) {
  const auto at = std::ranges::find(parts, name, &Part::name);
  return at == parts.end() ? nullptr : &*at;
}

}  // namespace eddy::sandbox
