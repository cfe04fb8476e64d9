#include "connectors/tables/columns.h"

#include <fmt/format.h>

#include "core/text.h"

namespace eddy::connectors {

std::vector<std::string> names_of(const Schema& columns) {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

std::string each(const std::vector<std::string>& names, std::string (*quote)(std::string_view),
                 const std::string& pattern, std::string_view separator) {
  std::vector<std::string> parts;
  for (const std::string& name : names) parts.push_back(fmt::format(fmt::runtime(pattern), quote(name)));
  return join(parts, separator);
}

}  // namespace eddy::connectors
