#include "transform/model_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/text.h"
#include "engine/sql_reading.h"

namespace eddy::transform {

namespace {

bool is_layer(std::string_view schema) {
  return schema == "raw" || schema == "clean" || schema == "presentation" || schema == "warehouse";
}

// `from 'data/x.csv'` looks like a table whose name is a path.
bool is_file(std::string_view name) { return name.find_first_of("./*:") != std::string_view::npos; }

}  // namespace

std::vector<Dependency> dependencies(engine::Connection& connection, const SqlFile& file) {
  std::vector<engine::TableReference> tables;
  try {
    tables = engine::table_references(connection, file.sql);
  } catch (const Error& e) {
    if (e.code() != "sql.syntax" && e.code() != "sql.not_a_select") throw;
    const SourcePosition inside = e.diagnostics().front().position;
    const bool syntax = e.code() == "sql.syntax";
    throw Error(file.complaint(syntax ? "transform.sql" : "transform.not_a_select", e.message(), e.hint(),
                               syntax ? file.position(inside.line, inside.column) : file.position(1, 1)));
  }
  std::vector<Dependency> out;
  for (const engine::TableReference& table : tables) {
    const std::string schema = lower(table.schema), name = lower(table.name);
    const SourcePosition at = file.position(table.line, table.column);
    if (is_layer(schema)) {
      out.push_back({schema + "." + name, at});
    } else if (schema.empty() && !is_file(name) && !name.starts_with("duckdb_") && !name.starts_with("pg_") &&
               !name.starts_with("sqlite_")) {
      throw Error(file.complaint(
          "transform.unqualified", fmt::format("`{}` is named without its layer", table.name),
          fmt::format("write raw.{0}, clean.{0}, presentation.{0} or warehouse.{0}", table.name), at));
    }
  }
  return out;
}

std::vector<Dependency> dependencies(engine::Connection& connection, const ModelSpec& spec) {
  std::vector<Dependency> out = dependencies(connection, spec.source);
  std::set<std::string> seen;
  for (const Dependency& dependency : out) seen.insert(dependency.relation);
  const auto add = [&](const std::string& table, const SourcePosition& at) {
    if (seen.insert("warehouse." + table).second) out.push_back({"warehouse." + table, at});
  };
  for (const Reference& reference : spec.references) add(reference.table, reference.at);
  for (const DimensionLookup& lookup : spec.dimensions) add(lookup.dimension, lookup.at);
  return out;
}

Diagnostic unknown_relation(const SqlFile& file, const Dependency& dependency,
                            const std::vector<std::string>& known) {
  std::string hint = did_you_mean_hint(dependency.relation, known);
  if (hint.empty()) {
    // The right name in another layer is a mistake as likely as a typo.
    const std::string name = dependency.relation.substr(dependency.relation.find('.') + 1);
    const auto elsewhere = std::find_if(known.begin(), known.end(),
                                        [&](const std::string& k) { return k.ends_with("." + name); });
    hint = elsewhere != known.end() ? fmt::format("did you mean `{}`?", *elsewhere)
                                    : "`eddy ls` shows what there is; a source shows up after its first load";
  }
  return file.complaint("transform.unknown_relation",
                        fmt::format("there is no relation {}", dependency.relation), hint, dependency.at);
}

}  // namespace eddy::transform
