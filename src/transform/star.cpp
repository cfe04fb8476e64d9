#include "transform/star.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "transform/content_maker.h"

namespace eddy::transform {

using engine::Connection;
using engine::quote_identifier;

Content make_content(Connection& connection, const ModelSpec& spec) {
  switch (spec.materialize) {
    case Materialize::dimension:
      return dimension_maker(connection, spec)->make();
    case Materialize::fact:
      return fact_maker(connection, spec)->make();
    default:
      return table_maker(connection, spec)->make();
  }
}

void check_key(Connection& connection, const ModelSpec& spec, const std::string& from,
               const std::vector<std::string>& columns, const SourcePosition& at) {
  std::vector<std::string> null;
  for (const std::string& column : columns) null.push_back(quote_identifier(column) + " is null");
  const std::string key = join(columns, ", ");
  const std::string nulls = fmt::format("select * from {} where {}", from, join(null, " or "));
  if (const auto rows = count_of(connection, fmt::format("select count(*) from ({})", nulls)); rows > 0)
    throw spec.error("transform.key_null",
                     fmt::format("the key ({}) of {} is NULL in {} row{}: {}", key, spec.relation(),
                                 with_commas(rows), rows == 1 ? "" : "s", examples_of(connection, nulls)),
                     "leave those rows out in the SELECT, or give them a key", at);
  const std::string duplicates = fmt::format(
      "select {0}, count(*) as rows from {1} group by {0} having count(*) > 1", quoted_list(columns), from);
  if (const auto values = count_of(connection, fmt::format("select count(*) from ({})", duplicates));
      values > 0)
    throw spec.error(
        "transform.key_duplicate",
        fmt::format("the key ({}) of {} is not unique: {} value{} occur{} more than once: {}", key,
                    spec.relation(), with_commas(values), values == 1 ? "" : "s", values == 1 ? "s" : "",
                    examples_of(connection, duplicates + " order by all")),
        "keep one row per key, for example: qualify row_number() over (partition by " + key +
            " order by …) = 1",
        at);
}

Error explain_violation(Connection& connection, const ModelSpec& spec, const TableDefinition& table,
                        const Error& error) {
  if (error.code() != "engine.query_failed" || error.message().find("Constraint Error") == std::string::npos)
    return error;
  for (const auto& key : table.foreign_keys) {
    std::vector<std::string> equal, present;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      equal.push_back(
          fmt::format("p.{} = c.{}", quote_identifier(key.target[i]), quote_identifier(key.columns[i])));
      present.push_back(fmt::format("c.{} is not null", quote_identifier(key.columns[i])));
    }
    const std::string orphans =
        fmt::format("select c.* from temp.{} as c where {} and not exists (select 1 from {} as p where {})",
                    content_table, join(present, " and "), warehouse_name(key.table), join(equal, " and "));
    const auto rows = count_of(connection, fmt::format("select count(*) from ({})", orphans));
    if (rows == 0) continue;
    const auto declared =
        std::find_if(spec.references.begin(), spec.references.end(),
                     [&](const Reference& r) { return r.columns.front().text == key.columns.front(); });
    return spec.error(
        "transform.foreign_key",
        fmt::format("FOREIGN KEY ({}) of {} to warehouse.{} ({}) is violated by {} row{}: {}",
                    join(key.columns, ", "), spec.relation(), key.table, join(key.target, ", "),
                    with_commas(rows), rows == 1 ? "" : "s", examples_of(connection, orphans)),
        "leave those rows out in the SELECT, or bring the missing ones into warehouse." + key.table,
        declared == spec.references.end() ? SourcePosition{} : declared->at);
  }
  return spec.error("transform.constraint",
                    fmt::format("{}: {}", spec.relation(), read_engine_message(error.message()).text), {},
                    {});
}

}  // namespace eddy::transform
