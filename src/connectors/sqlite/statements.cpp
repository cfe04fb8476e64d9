#include "connectors/sqlite/statements.h"

#include <fmt/format.h>

#include "connectors/tables/columns.h"
#include "core/text.h"
#include "transport/sqlite/table.h"

namespace eddy::connectors {
namespace {
using sqlite::quote_identifier;

// Date-like and boolean names have NUMERIC affinity, which leaves such texts and 0/1 as they are. Decimals
// and JSON are kept as text, because NUMERIC would turn "12345678901234567890.1" into the nearest double.
std::string_view declared_type(Type type) {
  switch (type) {
    case Type::boolean:
      return "BOOLEAN";
    case Type::integer:
      return "INTEGER";
    case Type::real:
      return "REAL";
    case Type::decimal:
      return "DECIMAL TEXT";
    case Type::date:
      return "DATE";
    case Type::timestamp:
      return "TIMESTAMP";
    case Type::json:
      return "JSON TEXT";
    case Type::blob:
      return "BLOB";
    case Type::null:
    case Type::text:
      break;
  }
  return "TEXT";
}

// "name" = ?n for each column, numbered from `first`.
std::string assignments(const Schema& columns, std::size_t first, std::string_view separator) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < columns.size(); ++i)
    parts.push_back(fmt::format("{} = ?{}", quote_identifier(columns[i].name), first + i));
  return join(parts, separator);
}

std::string listed(const Schema& columns) { return each(names_of(columns), quote_identifier, "{0}", ", "); }

}  // namespace

SqliteStatements sqlite_statements(const std::string& table, const sync::Delivery& delivery,
                                   const std::vector<bool>& kept, bool update_first) {
  const std::string target = quote_identifier(table);
  const std::size_t first_field = delivery.key.size() + 1;
  const Schema fields = written(delivery.fields, kept);
  Schema all = delivery.key, every = delivery.key;
  all.insert(all.end(), fields.begin(), fields.end());
  every.insert(every.end(), delivery.fields.begin(), delivery.fields.end());
  std::vector<std::string> places, lines;
  for (std::size_t i = 0; i < all.size(); ++i) places.push_back(fmt::format("?{}", i + 1));
  for (std::size_t i = 0; i < every.size(); ++i)
    lines.push_back(fmt::format("{} {}{}", quote_identifier(every[i].name), declared_type(every[i].type),
                                i < delivery.key.size() ? " NOT NULL" : ""));
  const std::string keys = listed(delivery.key);
  const std::string match = assignments(delivery.key, 1, " and ");
  const std::string set = assignments(fields, first_field, ", ");
  const std::string insert =
      fmt::format("insert into {} ({}) values ({})", target, listed(all), join(places, ", "));
  const std::string update = fmt::format("update {} set {} where {}", target,
                                         fields.empty() ? assignments(delivery.key, 1, ", ") : set, match);

  SqliteStatements out;
  out.create_table =
      fmt::format("create table if not exists {} ({}, primary key ({}))", target, join(lines, ", "), keys);
  switch (delivery.mode) {
    case sync::Mode::upsert:
      if (update_first) out.update = update;
      out.write = fmt::format("{} on conflict ({}) do {}", insert, keys,
                              fields.empty() ? "nothing" : "update set " + set);
      break;
    case sync::Mode::update:
      out.write = update;
      break;
    case sync::Mode::insert:
      out.write = insert;
      break;
  }
  if (delivery.removed == sync::Removal::erase)
    out.remove = fmt::format("delete from {} where {}", target, match);
  return out;
}

std::string create_unique_index_statement(const std::string& table, const Schema& key) {
  return fmt::format("create unique index {} on {} ({});",
                     quote_identifier(table + "_" + join(names_of(key), "_")), quote_identifier(table),
                     listed(key));
}

}  // namespace eddy::connectors
