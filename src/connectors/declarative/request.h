// Requests as the words of connector.yml describe them, with all values in place.
#pragma once

#include <string>

#include "connectors/declarative/spec.h"
#include "connectors/declarative/template.h"
#include "transport/http/exchange.h"

namespace eddy::connectors {

// What goes into a request's body; an empty type: there is none.
struct Content {
  std::string type;
  std::string text;
};
Content encode(const RequestSpec& spec, const nlohmann::json& body);  // null: none
inline Content json_content(std::string text) { return {"application/json", std::move(text)}; }

// multipart/form-data: every member of the body is a part; one that is {rows.csv} is sent as a file.
Content encode_multipart(const Tree& body, const Lookup& lookup, std::string_view csv);

// Throws Error("connector.placeholder") when the URL has a placeholder without a value.
http::Request build_request(const RequestSpec& spec, const std::string& base_url, const Lookup& lookup,
                            const Content& content);

}  // namespace eddy::connectors
