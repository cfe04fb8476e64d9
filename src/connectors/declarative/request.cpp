#include "connectors/declarative/request.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

bool in_url_as_is(std::string_view name) {
  return !name.starts_with("row") && name != "object" && name != "key.field";
}

}  // namespace

Content encode(const RequestSpec& spec, const json& body) {
  if (body.is_null()) return {};
  if (spec.encoding != RequestSpec::Encoding::form) return json_content(body.dump());
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [name, value] : body.items()) pairs.emplace_back(name, plain_text(value));
  return {"application/x-www-form-urlencoded", http::form_encode(pairs)};
}

Content encode_multipart(const Tree& body, const Lookup& lookup, std::string_view csv) {
  // Stands for the file until the rest is known: the rows are not copied into a document.
  static const std::string here = "\x01rows.csv";
  const json parts = body.render(
      [&](std::string_view name) { return name == "rows.csv" ? std::optional<json>(here) : lookup(name); }, 0,
      {});
  const std::string boundary = "eddy-" + sha256_hex(csv).substr(0, 32);
  std::string text;
  text.reserve(csv.size() + 512);
  for (const auto& [name, value] : parts.items()) {
    const bool file = value == here;
    text += fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"{}\r\n", boundary, name,
                        file ? "; filename=\"rows.csv\"\r\nContent-Type: text/csv" : "");
    text += "\r\n";
    text += file ? csv : plain_text(value);
    text += "\r\n";
  }
  text += fmt::format("--{}--\r\n", boundary);
  return {"multipart/form-data; boundary=" + boundary, std::move(text)};
}

http::Request build_request(const RequestSpec& spec, const std::string& base_url, const Lookup& lookup,
                            const Content& content) {
  http::Request out;
  out.method = spec.method;
  const auto url = spec.url.text(lookup, [](std::string_view name, const std::string& value) {
    return in_url_as_is(name) ? value : percent_encode(value);
  });
  if (!url)
    throw Error("connector.placeholder",
                fmt::format("{} has a placeholder without a value", spec.url.source()),
                "the connector cannot write this object");
  out.url = url->starts_with('/') ? base_url + *url : *url;
  std::vector<std::pair<std::string, std::string>> query;
  for (const auto& [name, value] : spec.query)
    if (const auto text = value.text(lookup)) query.emplace_back(name, *text);
  if (!query.empty())
    out.url += (out.url.find('?') == std::string::npos ? "?" : "&") + http::form_encode(query);
  for (const auto& [name, value] : spec.headers)
    if (const auto text = value.text(lookup)) out.headers.set(name, *text);
  if (!out.headers.get("Accept")) out.headers.set("Accept", "application/json");
  if (content.type.empty()) return out;
  out.headers.set("Content-Type", content.type);
  out.body = content.text;
  return out;
}

}  // namespace eddy::connectors
