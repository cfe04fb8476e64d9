#include "state/sealed_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace eddy::state {
namespace {

std::vector<std::string> names_of(const SealedTable& table) {
  std::vector<std::string> out;
  for (const std::string& name : split(std::string(table.columns), ',')) out.push_back(trim(name));
  return out;
}

std::string seal_of(const SealedTable& table, const std::vector<std::string>& values) {
  return fmt::format("eddy_seal('{}', {})", table.name, join(values, ", "));
}

}  // namespace

std::string SealedTable::insert(std::string_view verb) const {
  std::vector<std::string> values;
  for (std::size_t i = 1; i <= names_of(*this).size(); ++i) values.push_back(fmt::format("?{}", i));
  return fmt::format("{} into {}({}, seal) values ({}, {})", verb, name, columns, join(values, ", "),
                     seal_of(*this, values));
}

std::string SealedTable::seal() const { return seal_of(*this, names_of(*this)); }

std::string SealedTable::intact(std::string_view as) const {
  const std::string prefix = std::string(as.empty() ? name : as) + ".";
  std::vector<std::string> values = {"seal"};
  for (std::string& column : names_of(*this)) values.push_back(std::move(column));
  for (std::string& value : values) value = prefix + value;
  return fmt::format("eddy_intact('{}', {})", name, join(values, ", "));
}

std::string SealedTable::set(const std::vector<std::pair<std::string_view, std::string>>& changes) const {
  std::string out;
  std::vector<std::string> values;
  for (const std::string& column : names_of(*this)) {
    const auto change =
        std::find_if(changes.begin(), changes.end(), [&](const auto& one) { return one.first == column; });
    values.push_back(change == changes.end() ? fmt::format("{}.{}", name, column)
                                             : "(" + change->second + ")");
  }
  for (const auto& [column, value] : changes) out += fmt::format("{} = {}, ", column, value);
  return out + "seal = " + seal_of(*this, values);
}

}  // namespace eddy::state
