// Columns by their names: which of a delivery's are written, and how a statement lists them. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"

namespace eddy::connectors {

std::vector<std::string> names_of(const Schema& columns);

// The columns that are not kept (rows.h): any list with one element per field.
template <class Column>
std::vector<Column> written(const std::vector<Column>& fields, const std::vector<bool>& kept) {
  if (kept.empty()) return fields;
  std::vector<Column> out;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (i >= kept.size() || !kept[i]) out.push_back(fields[i]);
  return out;
}

// Each name through `pattern`, where {0} is the name as `quote` writes it: each(names, quote_identifier,
// "t.{0} = s.{0}", " and ").
std::string each(const std::vector<std::string>& names, std::string (*quote)(std::string_view),
                 const std::string& pattern, std::string_view separator);

}  // namespace eddy::connectors
