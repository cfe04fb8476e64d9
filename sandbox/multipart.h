// Bodies of multipart/form-data, as far as the services take them: parts with a name, none within another.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "transport/http/server.h"

namespace eddy::sandbox {

struct Part {
  std::string name{}, content_type{}, content{};
};

// nullopt when the body is not of that type, has no boundary, or breaks off.
std::optional<std::vector<Part>> parse_multipart(const http::IncomingRequest& request);
// nullptr when there is none of that name.
const Part* part_named(const std::vector<Part>& parts, std::string_view name);

}  // namespace eddy::sandbox
