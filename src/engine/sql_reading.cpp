#include "engine/sql_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/text.h"
#include "engine/functions.h"

namespace eddy::engine {

namespace {

using nlohmann::json;

// The byte offset of a place in `sql` as line and column; the column counts characters, as an editor does.
SourcePosition position_at(std::string_view sql, std::size_t offset) {
  SourcePosition position{{}, 1, 1};
  for (std::size_t i = 0; i < std::min(offset, sql.size()); ++i) {
    if (sql[i] == '\n') {
      ++position.line;
      position.column = 1;
    } else if ((static_cast<unsigned char>(sql[i]) & 0xC0) != 0x80) {
      ++position.column;
    }
  }
  return position;
}

// The parser counts the place of a syntax error in characters, but that of a table in bytes.
std::size_t bytes_of_characters(std::string_view sql, std::size_t characters) {
  std::size_t i = 0;
  while (i < sql.size() && characters > 0) {
    ++i;
    while (i < sql.size() && (static_cast<unsigned char>(sql[i]) & 0xC0) == 0x80) ++i;
    --characters;
  }
  return i;
}

bool says_pivot(std::string_view sql) {
  const std::string text = lower(sql);
  return text.find("pivot") != std::string::npos;
}

[[noreturn]] void fail_to_serialize(const json& answer, std::string_view sql) {
  const std::string type = answer.value("error_type", "");
  const std::string message = answer.value("error_message", "the SQL cannot be read");
  if (type == "not implemented") {
    // PIVOT without a list of values is several statements inside the engine: it looks at the data to find
    // its columns.
    if (says_pivot(sql))
      throw Error("sql.not_a_select",
                  "this PIVOT finds its columns in the data, so they are not known before it runs",
                  "name the values: PIVOT … ON column IN (value, …) USING …");
    throw Error("sql.not_a_select", "this is not a SELECT statement",
                "write one SELECT; WITH, FROM-first, VALUES and set operations are fine");
  }
  SourcePosition position;
  if (answer.contains("position")) {
    const std::string at =
        answer["position"].is_string() ? answer["position"].get<std::string>() : answer["position"].dump();
    position = position_at(sql, bytes_of_characters(sql, std::strtoull(at.c_str(), nullptr, 10)));
  }
  throw Error("sql.syntax", message, {}, position);
}

// Walks the parser's tree. Names of CTEs are known only inside the query that declares them.
class Walker {
 public:
  explicit Walker(std::string_view sql) : sql_(sql) {}

  void walk(const json& node) {
    if (node.is_array()) {
      for (const json& item : node) walk(item);
      return;
    }
    if (!node.is_object()) return;
    const auto type = node.find("type");
    if (type != node.end() && *type == "BASE_TABLE") meet(node);
    const std::size_t scope = ctes_.size();
    // `with recursive r as (… from r …)`: r is known inside itself.
    if (type != node.end() && *type == "RECURSIVE_CTE_NODE")
      ctes_.push_back(lower(node.value("cte_name", "")));
    if (const auto map = node.find("cte_map"); map != node.end() && map->contains("map"))
      for (const json& cte : (*map)["map"]) {
        walk(cte["value"]);
        ctes_.push_back(lower(cte.value("key", "")));
      }
    for (const auto& [key, value] : node.items())
      if (key != "cte_map") walk(value);
    ctes_.resize(scope);
  }

  std::vector<TableReference> found() {
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Place& a, const Place& b) { return a.offset < b.offset; });
    std::vector<TableReference> out;
    std::set<std::pair<std::string, std::string>> seen;
    for (const Place& place : found_)
      if (seen.emplace(lower(place.table.schema), lower(place.table.name)).second) out.push_back(place.table);
    return out;
  }

 private:
  struct Place {
    std::size_t offset;
    TableReference table;
  };

  void meet(const json& node) {
    const std::string schema = node.value("schema_name", ""), name = node.value("table_name", "");
    const bool known = std::find(ctes_.begin(), ctes_.end(), lower(name)) != ctes_.end();
    if (known && (schema.empty() || lower(schema) == "recurring")) return;
    const std::size_t offset = node.value("query_location", std::uint64_t{0});
    const SourcePosition position = position_at(sql_, offset);
    found_.push_back({offset, {schema, name, position.line, position.column}});
  }

  std::string_view sql_;
  std::vector<std::string> ctes_;
  std::vector<Place> found_;
};

}  // namespace

namespace {

json parsed(Connection& connection, std::string_view sql) {
  const Value text =
      connection.query("select json_serialize_sql(?::varchar)::varchar", {Value::text(std::string(sql))})
          .scalar();
  const json answer = json::parse(text.as_string());
  if (answer.value("error", false)) fail_to_serialize(answer, sql);
  const json& statements = answer["statements"];
  if (statements.empty())
    throw Error("sql.not_a_select", "there is no SQL here", "write one SELECT statement");
  if (statements.size() > 1)
    throw Error("sql.not_a_select", fmt::format("there are {} statements here", statements.size()),
                "keep one SELECT statement");
  return statements[0]["node"];
}

std::vector<TableReference> tables_of(const json& node, std::string_view sql) {
  Walker walker(sql);
  walker.walk(node);
  return walker.found();
}

// The kind of a node; constants have a map there, their SQL type.
std::string kind_of(const json& node) {
  const auto type = node.find("type");
  return type != node.end() && type->is_string() ? type->get<std::string>() : std::string();
}

// Collects the names of columns below a node of the parser's tree, and the names under which its tables are
// known.
void meet_columns(const json& node, ColumnReferences& out, std::set<std::string>& tables) {
  if (node.is_object()) {
    const std::string type = kind_of(node);
    if (type == "COLUMN_REF") {
      const auto name = node["column_names"].get<std::vector<std::string>>();
      if (std::find(out.names.begin(), out.names.end(), name) == out.names.end()) out.names.push_back(name);
    }
    if (type == "BASE_TABLE" || type == "SUBQUERY") {
      const std::string alias = node.value("alias", "");
      tables.insert(lower(alias.empty() ? node.value("table_name", "") : alias));
    }
    const auto renamed = node.find("column_name_alias");
    if (type == "STAR" || type == "POSITIONAL_REFERENCE" || type == "PIVOT" ||
        (renamed != node.end() && !renamed->empty()))
      out.every_column = true;
  }
  if (node.is_structured())
    for (const json& child : node) meet_columns(child, out, tables);
}

// Whether the outermost call hashes; casts to text and collations around it change nothing of that.
bool is_hashed(const json& expression) {
  const std::string type = kind_of(expression);
  if (type == "COLLATE") return is_hashed(expression["child"]);
  if (type == "OPERATOR_CAST")
    return expression["cast_type"].value("id", "") == "VARCHAR" && is_hashed(expression["child"]);
  const std::string name = lower(expression.value("function_name", ""));
  return type == "FUNCTION" && (name == "sha256" || is_hashing_function(name));
}

}  // namespace

std::vector<TableReference> table_references(Connection& connection, std::string_view sql) {
  const json node = parsed(connection, sql);
  if (const auto from = node.find("from_table");
      from != node.end() && from->is_object() && from->value("type", "") == "SHOW_REF")
    throw Error("sql.not_a_select", "DESCRIBE, SHOW and SUMMARIZE are not SELECT statements",
                "write: select * from (describe …)");
  return tables_of(node, sql);
}

ColumnReferences column_references(Connection& connection, std::string_view expression) {
  // The line break before keeps lines of positions easy to correct; the one behind ends a `--` comment.
  const std::string sql = "select (\n" + std::string(expression) + "\n)";
  ColumnReferences out;
  try {
    const json node = parsed(connection, sql);
    const json& list = node["select_list"];
    if (list.size() != 1 || kind_of(node["from_table"]) != "EMPTY")
      throw Error("sql.not_an_expression", "this is not one SQL expression");
    std::set<std::string> tables;
    meet_columns(list, out, tables);
    for (const auto& name : out.names)  // a table's name alone is its whole row
      if (name.size() == 1 && tables.contains(lower(name[0]))) out.every_column = true;
    out.hashed = is_hashed(list[0]);
    out.tables = tables_of(node, sql);
  } catch (const Error& e) {
    Diagnostic d = e.diagnostics().front();
    if (d.position.line > 0) --d.position.line;
    throw Error(d);
  }
  for (TableReference& table : out.tables) --table.line;
  return out;
}

std::vector<EngineColumn> describe(Connection& connection, std::string_view sql) {
  return connection.columns_of(sql);
}

}  // namespace eddy::engine
