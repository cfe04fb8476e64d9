#include "transport/mysql/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "core/text.h"
#include "transport/mysql/encoding.h"

namespace eddy::mysql {
namespace {

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Type type_of(const TableColumn& column, bool is_json) {
  const std::string& word = column.data_type;
  if (is_json || word == "json") return Type::json;
  // The convention of both servers: BOOLEAN is written, TINYINT(1) is what it becomes.
  if (column.native_type.starts_with("tinyint(1)") || column.native_type == "bit(1)") return Type::boolean;
  if (column.is_integer() || word == "bit" || word == "year") return Type::integer;
  if (word == "decimal") return Type::decimal;
  if (word == "float" || word == "double") return Type::real;
  if (word == "date") return Type::date;
  if (word == "datetime" || word == "timestamp") return Type::timestamp;
  if (column.is_binary()) return Type::blob;
  return Type::text;
}

// "enum('a','it''s')" -> a, it's
std::vector<std::string> options_of(std::string_view native_type) {
  std::vector<std::string> options;
  bool inside = false;
  for (std::size_t i = 0; i < native_type.size(); ++i) {
    const char c = native_type[i];
    if (c == '\'' && inside && i + 1 < native_type.size() && native_type[i + 1] == '\'') {
      options.back() += native_type[++i];
    } else if (c == '\'') {
      inside = !inside;
      if (inside) options.emplace_back();
    } else if (inside) {
      options.back() += c;
    }
  }
  return options;
}

std::size_t number_of(std::string_view text) {
  return static_cast<std::size_t>(std::strtoull(std::string(text).c_str(), nullptr, 10));
}

std::string where_table(const TableName& name) {
  return fmt::format("table_schema = {} and table_name = {}", quote_literal(name.database),
                     quote_literal(name.name));
}

// MariaDB has no type of its own for JSON: it is LONGTEXT with a check.
std::set<std::string> json_columns(Connection& connection, const TableName& name) {
  std::set<std::string> columns;
  if (!connection.is_mariadb()) return columns;
  const Result checks = connection.exec(fmt::format(
      "select check_clause from information_schema.check_constraints where constraint_schema = {} "
      "and table_name = {}",
      quote_literal(name.database), quote_literal(name.name)));
  for (std::size_t i = 0; i < checks.rows(); ++i) {
    const std::string clause(checks.text(i, 0));
    if (clause.starts_with("json_valid(`") && clause.ends_with("`)"))
      columns.insert(replace_all(clause.substr(12, clause.size() - 14), "``", "`"));
  }
  return columns;
}

void read_columns(Connection& connection, Table& table) {
  const std::set<std::string> json = json_columns(connection, table.name);
  const Result found = connection.exec(
      "select column_name, column_type, lower(data_type), is_nullable, column_default, extra, "
      "coalesce(character_maximum_length, 0), coalesce(datetime_precision, 0), coalesce(character_set_name, "
      "''), coalesce(collation_name, ''), coalesce(generation_expression, '') <> '' from "
      "information_schema.columns where " +
      where_table(table.name) + " order by ordinal_position");
  for (std::size_t i = 0; i < found.rows(); ++i) {
    TableColumn column{.name = std::string(found.text(i, 0)),
                       .native_type = std::string(found.text(i, 1)),
                       .data_type = std::string(found.text(i, 2))};
    const std::string extra = lower(found.text(i, 5));
    column.not_null = found.text(i, 3) == "NO";
    column.has_default = !found.is_null(i, 4) || extra.find("auto_increment") != std::string::npos;
    column.generated = found.text(i, 10) == "1";
    column.length_max = number_of(found.text(i, 6));
    column.fraction_digits = number_of(found.text(i, 7));
    column.character_set = found.text(i, 8);
    column.collation = found.text(i, 9);
    if (column.data_type == "enum" || column.data_type == "set") {
      column.options = options_of(column.native_type);
      column.length_max = 0;
    }
    column.type = type_of(column, json.contains(column.name));
    table.columns.push_back(std::move(column));
  }
}

void read_keys(Connection& connection, Table& table) {
  const Result found = connection.exec(
      "select index_name, column_name, sub_part from information_schema.statistics where non_unique = 0 "
      "and " +
      where_table(table.name) + " order by index_name <> 'PRIMARY', index_name, seq_in_index");
  std::string index;
  bool whole = true;
  const auto close = [&] {
    if (!whole) table.unique_keys.pop_back();
  };
  for (std::size_t i = 0; i < found.rows(); ++i) {
    if (i == 0 || found.text(i, 0) != index) {
      close();
      index = found.text(i, 0);
      whole = true;
      ++table.unique_indexes;
      table.unique_keys.emplace_back();
    }
    // A prefix has a length; an expression has no name (MySQL).
    if (found.is_null(i, 1) || !found.is_null(i, 2)) whole = false;
    table.unique_keys.back().emplace_back(found.text(i, 1));
  }
  close();
}

}  // namespace

std::string TableName::quoted() const { return quote_identifier(database) + "." + quote_identifier(name); }
std::string TableName::display() const { return database + "." + name; }

bool TableColumn::is_binary() const {
  return is_one_of(data_type, {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"});
}
bool TableColumn::is_integer() const {
  return is_one_of(data_type, {"tinyint", "smallint", "mediumint", "int", "bigint"});
}
bool TableColumn::is_time() const { return is_one_of(data_type, {"date", "datetime", "timestamp", "time"}); }

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

std::optional<Table> describe_table(Connection& connection, const TableName& name) {
  const Result found = connection.exec(
      "select t.table_type, coalesce(t.engine, ''), coalesce(e.transactions, 'YES') from "
      "information_schema.tables t left join information_schema.engines e on e.engine = t.engine where "
      "t.table_schema = " +
      quote_literal(name.database) + " and t.table_name = " + quote_literal(name.name));
  if (found.rows() == 0) return std::nullopt;
  Table table{.name = name,
              .is_view = found.text(0, 0).find("VIEW") != std::string_view::npos,
              .engine = std::string(found.text(0, 1)),
              .transactional = found.text(0, 2) == "YES",
              .columns = {},
              .unique_keys = {}};
  read_columns(connection, table);
  read_keys(connection, table);
  return table;
}

std::vector<TableName> list_tables(Connection& connection) {
  const Result found = connection.exec(
      "select table_schema, table_name from information_schema.tables where table_schema not in "
      "('information_schema', 'performance_schema', 'mysql', 'sys') order by 1, 2");
  std::vector<TableName> names;
  for (std::size_t i = 0; i < found.rows(); ++i)
    names.push_back({std::string(found.text(i, 0)), std::string(found.text(i, 1))});
  return names;
}

}  // namespace eddy::mysql
