#include "transform/warehouse_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "warehouse/session.h"

namespace eddy::transform {

using engine::Connection;
using engine::quote_identifier;
using engine::quote_literal;
using warehouse::Session;

namespace {

std::string quoted(const std::vector<std::string>& columns) {
  std::vector<std::string> out;
  for (const std::string& column : columns) out.push_back(quote_identifier(column));
  return join(out, ", ");
}

bool same_name(std::string_view a, std::string_view b) { return lower(a) == lower(b); }
bool contains_name(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return same_name(n, name); });
}

std::string in_warehouse(std::string_view condition) {
  return fmt::format("database_name = {} and schema_name = 'warehouse' and {}",
                     quote_literal(Session::warehouse_catalog), condition);
}

std::vector<std::string> strings_of(const Value& list) {
  std::vector<std::string> out;
  if (list.is_null()) return out;
  for (const auto& item : nlohmann::json::parse(list.as_string())) out.push_back(item.get<std::string>());
  return out;
}

bool is_nested(std::string_view type) {
  return type.ends_with(']') || type.starts_with("STRUCT") || type.starts_with("MAP") ||
         type.starts_with("UNION");
}

// Tables that refer to `name` directly or through others, each before the ones it refers to: the order in
// which they can be dropped.
std::vector<TableDefinition> dependents_of(Connection& connection, const std::string& name) {
  std::vector<std::string> found, open = {name};
  while (!open.empty()) {
    const std::string table = open.back();
    open.pop_back();
    for (const std::string& child : tables_referring_to(connection, table)) {
      if (child == name) continue;
      // Met again further down: it must be dropped before what was found since, so it moves to the end.
      std::erase(found, child);
      found.push_back(child);
      open.push_back(child);
    }
  }
  std::reverse(found.begin(), found.end());
  std::vector<TableDefinition> out;
  for (const std::string& table : found)
    if (auto definition = read_table(connection, table)) out.push_back(std::move(*definition));
  return out;
}

bool is_key(const TableDefinition& table, const std::vector<std::string>& columns) {
  const auto equals = [&](const std::vector<std::string>& key) {
    return key.size() == columns.size() &&
           std::equal(key.begin(), key.end(), columns.begin(),
                      [](const auto& a, const auto& b) { return same_name(a, b); });
  };
  return equals(table.primary_key) || std::any_of(table.unique.begin(), table.unique.end(), equals);
}

// A table that refers to a column follows the column's type; it cannot follow a key that is gone.
void follow(TableDefinition& child, const TableDefinition& parent) {
  for (const auto& key : child.foreign_keys) {
    if (!same_name(key.table, parent.name)) continue;
    if (!is_key(parent, key.target))
      throw Error(
          "transform.foreign_key",
          fmt::format("warehouse.{} refers to {} of warehouse.{}, which would be no key any more", child.name,
                      join(key.target, ", "), parent.name),
          fmt::format("keep the key, or change the references of models/warehouse/{}.sql first and build it",
                      child.name));
    for (std::size_t i = 0; i < key.columns.size(); ++i)
      for (auto& column : child.columns)
        if (same_name(column.name, key.columns[i])) column.type = parent.find(key.target[i])->type;
  }
}

void rebuild(Connection& connection, const TableDefinition& wanted, const std::string& content, bool exists,
             const std::vector<TableDefinition>& dependents) {
  std::vector<TableDefinition> now = dependents;
  for (std::size_t i = 0; i < now.size(); ++i)
    connection.execute(
        fmt::format("create or replace temp table eddy_aside_{} as from {}", i, warehouse_name(now[i].name)));
  for (const TableDefinition& table : dependents)
    connection.execute("drop table " + warehouse_name(table.name));
  if (exists) connection.execute("drop table " + warehouse_name(wanted.name));
  connection.execute(create_statement(wanted));
  connection.execute(fmt::format("insert into {} from temp.{}", warehouse_name(wanted.name), content));
  for (std::size_t i = now.size(); i-- > 0;) {
    follow(now[i], wanted);
    for (std::size_t j = i + 1; j < now.size(); ++j) follow(now[i], now[j]);
    connection.execute(create_statement(now[i]));
    connection.execute(fmt::format("insert into {} from temp.eddy_aside_{}", warehouse_name(now[i].name), i));
    connection.execute(fmt::format("drop table temp.eddy_aside_{}", i));
  }
}

std::string equal_keys(const std::vector<std::string>& key, std::string_view a, std::string_view b) {
  std::vector<std::string> out;
  for (const std::string& column : key)
    out.push_back(fmt::format("{0}.{2} = {1}.{2}", a, b, quote_identifier(column)));
  return join(out, " and ");
}

void merge(Connection& connection, const TableDefinition& table, const std::string& content, Replaced& done) {
  const std::string target = warehouse_name(table.name);
  const std::string same = equal_keys(table.primary_key, "t", "n");
  done.merged = true;
  done.removed =
      connection
          .query(fmt::format("delete from {} as t where not exists (select 1 from temp.{} as n where {})",
                             target, content, same))
          .rows_changed();
  std::vector<std::string> assignments, differences;
  for (const auto& column : table.columns) {
    if (contains_name(table.primary_key, column.name)) continue;
    if (std::any_of(table.unique.begin(), table.unique.end(),
                    [&](const auto& key) { return contains_name(key, column.name); }))
      continue;
    const std::string name = quote_identifier(column.name);
    assignments.push_back(fmt::format("{0} = n.{0}", name));
    differences.push_back(fmt::format("t.{0} is distinct from n.{0}", name));
  }
  if (!assignments.empty())
    done.changed = connection
                       .query(fmt::format("update {} as t set {} from temp.{} as n where {} and ({})", target,
                                          join(assignments, ", "), content, same, join(differences, " or ")))
                       .rows_changed();
  done.added =
      connection
          .query(fmt::format(
              "insert into {} select n.* from temp.{} as n where not exists (select 1 from {} as t where {})",
              target, content, target, same))
          .rows_changed();
}

// A merge must not touch an indexed column, and a unique column may differ only where its row is new.
bool can_merge(Connection& connection, const TableDefinition& wanted, const std::string& content) {
  if (wanted.primary_key.empty() || !wanted.foreign_keys.empty()) return false;
  if (std::any_of(wanted.columns.begin(), wanted.columns.end(),
                  [](const auto& c) { return is_nested(c.type); }))
    return false;
  std::vector<std::string> differences;
  for (const auto& key : wanted.unique)
    for (const std::string& column : key)
      differences.push_back(fmt::format("t.{0} is distinct from n.{0}", quote_identifier(column)));
  if (differences.empty()) return true;
  const auto moved =
      connection
          .query(fmt::format("select count(*) from {} as t join temp.{} as n on {} where {}",
                             warehouse_name(wanted.name), content, equal_keys(wanted.primary_key, "t", "n"),
                             join(differences, " or ")))
          .scalar();
  return moved.as_integer() == 0;
}

}  // namespace

const TableDefinition::Column* TableDefinition::find(std::string_view column) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& c) { return same_name(c.name, column); });
  return found == columns.end() ? nullptr : &*found;
}

bool TableDefinition::is_dimension() const {
  return primary_key.size() == 1 && unique.size() == 1 && primary_key[0].ends_with("_key") &&
         find(primary_key[0])->type == "BIGINT";
}

std::string warehouse_name(std::string_view table) {
  return fmt::format("{}.warehouse.{}", Session::warehouse_catalog, quote_identifier(table));
}

void use_warehouse(Connection& connection) {
  connection.execute(fmt::format("use {}.warehouse", Session::warehouse_catalog));
}

std::optional<TableDefinition> read_table(Connection& connection, std::string_view name) {
  TableDefinition out;
  const Row parameter = {Value::text(lower(name))};
  for (const Row& row :
       connection
           .query("select table_name, column_name, data_type, not is_nullable from duckdb_columns() where " +
                      in_warehouse("lower(table_name) = ?") + " order by column_index",
                  parameter)
           .rows()) {
    out.name = row[0].as_string();
    out.columns.push_back({row[1].as_string(), row[2].as_string(), row[3].as_boolean()});
  }
  if (out.columns.empty()) return std::nullopt;
  for (const Row& row :
       connection
           .query("select constraint_type, to_json(constraint_column_names)::varchar, referenced_table, "
                  "to_json(referenced_column_names)::varchar from duckdb_constraints() where " +
                      in_warehouse("lower(table_name) = ?") + " order by constraint_index",
                  parameter)
           .rows()) {
    const std::string& type = row[0].as_string();
    if (type == "PRIMARY KEY") out.primary_key = strings_of(row[1]);
    if (type == "UNIQUE") out.unique.push_back(strings_of(row[1]));
    if (type == "FOREIGN KEY")
      out.foreign_keys.push_back({strings_of(row[1]), row[2].as_string(), strings_of(row[3])});
  }
  return out;
}

std::vector<std::string> tables_referring_to(Connection& connection, std::string_view name) {
  std::vector<std::string> out;
  for (const Row& row :
       connection
           .query("select distinct table_name from duckdb_constraints() where " +
                      in_warehouse("constraint_type = 'FOREIGN KEY' and lower(referenced_table) = ?1 and "
                                   "lower(table_name) <> ?1") +
                      " order by 1",
                  {Value::text(lower(name))})
           .rows())
    out.push_back(row[0].as_string());
  return out;
}

std::string create_statement(const TableDefinition& table) {
  std::vector<std::string> parts;
  for (const auto& column : table.columns)
    parts.push_back(fmt::format("{} {}{}", quote_identifier(column.name), column.type,
                                column.not_null ? " not null" : ""));
  if (!table.primary_key.empty()) parts.push_back(fmt::format("primary key ({})", quoted(table.primary_key)));
  for (const auto& key : table.unique) parts.push_back(fmt::format("unique ({})", quoted(key)));
  for (const auto& key : table.foreign_keys)
    parts.push_back(fmt::format("foreign key ({}) references {} ({})", quoted(key.columns),
                                quote_identifier(key.table), quoted(key.target)));
  return fmt::format("create table {} ({})", quote_identifier(table.name), join(parts, ", "));
}

Replaced replace_table(Connection& connection, const TableDefinition& wanted, const std::string& content,
                       Preference preference) {
  Replaced done;
  const auto old = read_table(connection, wanted.name);
  const std::vector<TableDefinition> dependents = dependents_of(connection, wanted.name);
  const bool try_merge = old && *old == wanted && (preference == Preference::merge || !dependents.empty());
  if (try_merge && can_merge(connection, wanted, content)) {
    merge(connection, wanted, content, done);
    return done;
  }
  for (const TableDefinition& table : dependents) done.rebuilt.push_back(table.name);
  rebuild(connection, wanted, content, old.has_value(), dependents);
  return done;
}

}  // namespace eddy::transform
