#include "transform/content_maker.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "warehouse/session.h"

namespace eddy::transform {

using engine::Connection;
using engine::quote_identifier;

std::string quoted_list(const std::vector<std::string>& columns) {
  std::vector<std::string> out;
  for (const std::string& column : columns) out.push_back(quote_identifier(column));
  return join(out, ", ");
}

std::uint64_t count_of(Connection& connection, const std::string& sql) {
  const Value value = connection.query(sql).scalar();
  return value.is_null() ? 0 : static_cast<std::uint64_t>(value.as_integer());
}

std::string examples_of(Connection& connection, const std::string& sql) {
  std::vector<std::string> out;
  for (const Row& row :
       connection.query(fmt::format("select to_json(eddy_row)::varchar from ({} limit 5) as eddy_row", sql))
           .rows())
    out.push_back(row[0].as_string());
  return join(out, ", ");
}

ContentMaker::ContentMaker(Connection& connection, const ModelSpec& spec)
    : connection_(connection), spec_(spec), old_(read_table(connection, spec.name)) {
  for (const Row& row : connection
                            .query("select column_name, data_type from duckdb_columns() where database_name "
                                   "= 'temp' and table_name = ? "
                                   "order by column_index",
                                   {Value::text(std::string(staged_table))})
                            .rows())
    staged_.columns.push_back({row[0].as_string(), row[1].as_string()});
  content_.table.name = spec.name;
}

Content ContentMaker::make() {
  make_rows();
  add_references();
  content_.rows =
      count_of(connection_, fmt::format("select count(*) from temp.{}", content_table)) - rows_of_no_model();
  return std::move(content_);
}

void ContentMaker::fail(std::string code, std::string message, std::string hint,
                        const SourcePosition& at) const {
  throw spec_.error(std::move(code), std::move(message), std::move(hint), at);
}

std::string ContentMaker::need_column(const Word& word) const {
  if (const auto* column = staged_.find(word.text)) return column->name;
  std::vector<std::string> known;
  for (const auto& column : staged_.columns) known.push_back(column.name);
  std::string hint = did_you_mean_hint(word.text, known);
  if (hint.empty()) hint = "it gives: " + join(known, ", ");
  fail("transform.unknown_column",
       fmt::format("the SELECT of {} gives no column `{}`", spec_.relation(), word.text), hint, word.at);
}

void ContentMaker::need_free(const std::string& column, const SourcePosition& at) const {
  if (staged_.find(column) != nullptr)
    fail("transform.column_taken",
         fmt::format("the SELECT of {} already gives a column `{}`, which is the surrogate key's name",
                     spec_.relation(), column),
         "rename it in the SELECT", at);
}

TableDefinition ContentMaker::need_table(const std::string& table, const SourcePosition& at) const {
  if (auto found = read_table(connection_, table)) return std::move(*found);
  std::vector<std::string> known;
  for (const Row& row : connection_
                            .query(fmt::format("select 'warehouse.' || table_name from duckdb_tables() "
                                               "where database_name = '{}' and schema_name = 'warehouse'",
                                               warehouse::Session::warehouse_catalog))
                            .rows())
    known.push_back(row[0].as_string());
  std::string hint = did_you_mean_hint("warehouse." + table, known);
  if (hint.empty()) hint = "build it first; a view cannot be referred to";
  fail("transform.unknown_table", fmt::format("there is no table warehouse.{} to refer to", table), hint, at);
}

bool ContentMaker::old_has(const std::vector<std::string>& columns) const {
  return old_ && std::all_of(columns.begin(), columns.end(),
                             [&](const std::string& c) { return old_->find(c) != nullptr; });
}

std::string ContentMaker::from_old(std::string_view alias) const {
  std::vector<std::string> out;
  for (const auto& column : staged_.columns) {
    const auto* before = old_->find(column.name);
    const std::string value =
        before == nullptr ? "null" : fmt::format("{}.{}", alias, quote_identifier(before->name));
    out.push_back(fmt::format("try_cast({} as {}) as {}", value, column.type, quote_identifier(column.name)));
  }
  return join(out, ", ");
}

std::string ContentMaker::matches(const std::vector<std::string>& key, std::string_view old_alias,
                                  std::string_view new_alias) const {
  std::vector<std::string> out;
  for (const std::string& column : key)
    out.push_back(fmt::format("try_cast({0}.{2} as {3}) = {1}.{2}", old_alias, new_alias,
                              quote_identifier(column), staged_.find(column)->type));
  return join(out, " and ");
}

void ContentMaker::mark_key_not_null() {
  for (std::string& key : content_.table.primary_key)
    for (auto& column : content_.table.columns)
      if (lower(column.name) == lower(key)) {
        column.not_null = true;
        key = column.name;
      }
}

void ContentMaker::add_references() {
  for (const Reference& reference : spec_.references) {
    const TableDefinition parent = need_table(reference.table, reference.at);
    std::vector<std::string> columns;
    for (const Word& word : reference.columns) {
      if (content_.table.find(word.text) == nullptr) need_column(word);
      columns.push_back(content_.table.find(word.text)->name);
    }
    const std::vector<std::string> target = target_key(parent, reference, columns);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string &here = content_.table.find(columns[i])->type, &there = parent.find(target[i])->type;
      if (here != there)
        fail("transform.wrong_key",
             fmt::format("`{}` is {} but {} of warehouse.{} is {}", columns[i], here, target[i], parent.name,
                         there),
             fmt::format("a foreign key needs the same type: {}::{}", columns[i], there), reference.at);
    }
    content_.table.foreign_keys.push_back({columns, parent.name, target});
  }
}

// The key of `parent` that is meant: the one named in the file, else one whose columns have the same names
// (a dimension's natural key), else the primary key.
std::vector<std::string> ContentMaker::target_key(const TableDefinition& parent, const Reference& reference,
                                                  const std::vector<std::string>& columns) const {
  std::vector<std::vector<std::string>> keys = parent.unique;
  if (!parent.primary_key.empty()) keys.insert(keys.begin(), parent.primary_key);
  const std::vector<std::string>& wanted = reference.target.empty() ? columns : reference.target;
  for (const auto& key : keys)
    if (key.size() == wanted.size() &&
        std::equal(key.begin(), key.end(), wanted.begin(),
                   [](const auto& a, const auto& b) { return lower(a) == lower(b); }))
      return key;
  if (reference.target.empty() && parent.primary_key.size() == columns.size()) return parent.primary_key;
  std::vector<std::string> said;
  for (const auto& key : keys) said.push_back(join(key, ", "));
  fail("transform.no_such_key",
       fmt::format("({}) is no key of warehouse.{}", join(wanted, ", "), parent.name),
       said.empty() ? fmt::format("add `key:` to models/warehouse/{}.sql", parent.name)
                    : "its keys are: " + join(said, "; "),
       reference.at);
}

}  // namespace eddy::transform
