#include "app/query_warehouse.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/query_output.h"
#include "core/error.h"
#include "core/text.h"
#include "engine/sql_reading.h"

namespace eddy::app {
namespace {

constexpr std::uint64_t table_rows_max = 200;
constexpr std::size_t piece_bytes = 64 * 1024;

struct NobodyReads {};

std::string without_end(std::string sql) {
  sql = trim(sql);
  while (sql.ends_with(';')) sql = trim(sql.substr(0, sql.size() - 1));
  return sql;
}

}  // namespace

bool is_for_the_engine(Workspace& workspace, engine::Connection& connection, const std::string& sql) {
  std::vector<std::string> known = workspace.session().relations(connection);
  for (const Row& row : connection
                            .query("select 'eddy.' || view_name from duckdb_views() where database_name = "
                                   "'memory' and schema_name = 'eddy'")
                            .rows())
    known.push_back(row[0].as_string());
  try {
    const auto tables = engine::table_references(connection, sql);
    return !tables.empty() &&
           std::all_of(tables.begin(), tables.end(), [&](const engine::TableReference& table) {
             return std::find(known.begin(), known.end(), table.schema + "." + table.name) != known.end();
           });
  } catch (const Error&) {
    return false;  // SQL of the warehouse's own
  }
}

int query_warehouse(const Context& context, warehouse::Dialect& dialect, const std::string& sql,
                    TableForm form, std::uint64_t limit, const std::filesystem::path& spill_folder) {
  const std::string select = without_end(sql);
  const auto columns = dialect.describe(select);
  if (columns.empty()) throw Error("usage.no_rows", "the statement gives no rows", "write one SELECT");
  Schema schema;
  std::vector<Type> types;
  for (const auto& column : columns) {
    schema.push_back({column.name, column.type});
    types.push_back(column.type);
  }
  const bool as_table = form == TableForm::table;
  const std::uint64_t rows_max = as_table && limit == 0 ? table_rows_max : limit;
  Table table(schema);
  std::string out;
  std::uint64_t rows = 0;
  if (form == TableForm::csv) {
    Row header;
    for (const Column& column : schema) header.push_back(Value::text(column.name));
    out = csv_line(header);
  }
  // One more than is shown tells that there are more.
  const std::string limited = warehouse::kept_select(select, columns) +
                              (rows_max > 0 ? fmt::format(" limit {}", rows_max + (as_table ? 1 : 0)) : "");
  QueryOutput output(spill_folder);
  const auto fetch = [&] {
    dialect.stream(limited, types, [&](const Row& row) {
      if (context.cancel.requested()) throw Error("engine.interrupted", "interrupted");
      ++rows;
      if (as_table) {
        if (rows <= rows_max) table.add(row);
        return;
      }
      out += form == TableForm::csv ? csv_line(row) : json_line(schema, row);
      if (out.size() < piece_bytes) return;
      if (!output.write(out)) throw NobodyReads{};
      out.clear();
    });
  };
  try {
    dialect.transaction(warehouse::Purpose::read, fetch);
    output.write(as_table ? table.render(form) : out);
  } catch (const NobodyReads&) {
  }
  output.finish();  // the transaction is over, whoever reads slowly
  if (as_table && !context.quiet)
    print_err(
        rows > rows_max
            ? fmt::format("{} rows shown, there are more; --limit N shows more, --format csv all\n", rows_max)
            : fmt::format("{} row{}\n", with_commas(rows), rows == 1 ? "" : "s"));
  return exit_done;
}

}  // namespace eddy::app
