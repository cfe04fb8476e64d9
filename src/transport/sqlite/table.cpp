#include "transport/sqlite/table.h"

#include <algorithm>

#include "core/text.h"

namespace eddy::sqlite {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// The declared type is a hint for people; the order of the questions follows the affinity rules where they
// agree with sense.
Type type_of(std::string_view declared) {
  const std::string name = lower(declared);
  if (has(name, "bool")) return Type::boolean;
  if (has(name, "json")) return Type::json;
  if (has(name, "timestamp") || has(name, "datetime")) return Type::timestamp;
  if (has(name, "date")) return Type::date;
  if (has(name, "dec") || has(name, "numeric") || has(name, "money")) return Type::decimal;
  if (has(name, "int")) return Type::integer;
  if (has(name, "char") || has(name, "clob") || has(name, "text")) return Type::text;
  if (has(name, "blob")) return Type::blob;
  if (has(name, "real") || has(name, "floa") || has(name, "doub")) return Type::real;
  return Type::text;
}

}  // namespace

Affinity affinity_of(std::string_view declared_type) {
  const std::string name = lower(declared_type);
  if (has(name, "int")) return Affinity::integer;
  if (has(name, "char") || has(name, "clob") || has(name, "text")) return Affinity::text;
  if (name.empty() || has(name, "blob")) return Affinity::blob;
  if (has(name, "real") || has(name, "floa") || has(name, "doub")) return Affinity::real;
  return Affinity::numeric;
}

const TableColumn* Table::find(std::string_view column) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const TableColumn& c) { return c.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

bool Table::has_unique_key(std::vector<std::string> wanted) const {
  std::sort(wanted.begin(), wanted.end());
  return std::any_of(unique_keys.begin(), unique_keys.end(), [&](std::vector<std::string> key) {
    std::sort(key.begin(), key.end());
    return key == wanted;
  });
}

std::optional<Table> describe_table(Database& database, const std::string& name) {
  Statement found(database, "select type from sqlite_schema where name = ?1 and type in ('table', 'view')");
  const Value name_value = Value::text(name);
  found.bind(1, name_value);
  if (!found.step()) return std::nullopt;
  Table table{.name = name, .is_view = found.text(0) == "view", .columns = {}, .unique_keys = {}};

  std::vector<std::pair<std::int64_t, std::string>> primary;
  Statement columns(database,
                    "select name, type, \"notnull\", dflt_value is not null, pk, hidden from "
                    "pragma_table_xinfo(?1) order by cid");
  columns.bind(1, name_value);
  while (columns.step()) {
    TableColumn column{.name = columns.text(0), .declared_type = columns.text(1)};
    column.type = type_of(column.declared_type);
    column.affinity = affinity_of(column.declared_type);
    column.not_null = columns.value(2).as_integer() != 0;
    column.has_default = columns.value(3).as_integer() != 0;
    column.generated = columns.value(5).as_integer() >= 2;
    if (const auto place = columns.value(4).as_integer(); place > 0) primary.emplace_back(place, column.name);
    table.columns.push_back(std::move(column));
  }
  std::sort(primary.begin(), primary.end());
  if (!primary.empty()) {
    auto& key = table.unique_keys.emplace_back();
    for (const auto& [place, column] : primary) key.push_back(column);
  }
  // INTEGER PRIMARY KEY is the rowid, which SQLite numbers by itself.
  if (primary.size() == 1)
    for (TableColumn& column : table.columns)
      if (column.name == primary[0].second && lower(column.declared_type) == "integer")
        column.has_default = true;

  Statement indexes(
      database,
      "select l.name, max(i.name is null) from pragma_index_list(?1) l, pragma_index_info(l.name) i "
      "where l.\"unique\" and not l.partial and l.origin <> 'pk' group by l.name order by l.seq");
  indexes.bind(1, name_value);
  while (indexes.step()) {
    if (indexes.value(1).as_integer() != 0) continue;  // an expression has no name
    auto& key = table.unique_keys.emplace_back();
    Statement parts(database, "select name from pragma_index_info(?1) order by seqno");
    const Value index = indexes.value(0);
    parts.bind(1, index);
    while (parts.step()) key.push_back(parts.text(0));
  }
  return table;
}

std::vector<std::string> list_tables(Database& database) {
  Statement found(database,
                  "select name from sqlite_schema where type in ('table', 'view') and name not like "
                  "'sqlite\\_%' escape '\\' order by 1");
  std::vector<std::string> names;
  while (found.step()) names.push_back(found.text(0));
  return names;
}

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace eddy::sqlite
