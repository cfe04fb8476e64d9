#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "app/query_output.h"
#include "app/query_warehouse.h"
#include "app/workspace.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::app {
namespace {

constexpr std::uint64_t table_rows_max = 200;

TableForm form_of(const Context& context, const QueryOptions& options) {
  if (context.json || options.format == "json") return TableForm::json;
  if (options.format == "csv" || (options.format.empty() && !context.terminal.out_is_terminal()))
    return TableForm::csv;
  return TableForm::table;
}

// Rows for programs go out while they come, so that a result of any size needs no memory.
void stream_rows(engine::Result result, TableForm form, std::uint64_t limit, const Cancel& cancel,
                 QueryOutput& output) {
  const Schema columns = result.schema();
  std::string out;
  if (form == TableForm::csv) {
    Row header;
    for (const Column& column : columns) header.push_back(Value::text(column.name));
    out = csv_line(header);
  }
  std::uint64_t rows = 0;
  while (auto chunk = result.next()) {
    for (std::size_t r = 0; r < chunk->rows() && (limit == 0 || rows < limit); ++r, ++rows) {
      Row row;
      for (std::size_t c = 0; c < chunk->columns(); ++c) row.push_back(chunk->value(c, r));
      out += form == TableForm::csv ? csv_line(row) : json_line(columns, row);
    }
    if (!output.write(out)) return;
    out.clear();
    if (cancel.requested() || (limit != 0 && rows >= limit)) break;
  }
  output.write(out);
}

// Rows for people. Returns whether there are more than `limit`.
bool fill_table(engine::Result result, std::uint64_t limit, Table& table) {
  while (auto chunk = result.next())
    for (std::size_t r = 0; r < chunk->rows(); ++r) {
      if (table.rows() == limit) return true;
      Row row;
      for (std::size_t c = 0; c < chunk->columns(); ++c) row.push_back(chunk->value(c, r));
      table.add(std::move(row));
    }
  return false;
}

}  // namespace

int query(const Context& context, const QueryOptions& options) {
  Workspace workspace(context);
  std::string sql = options.sql;
  if (sql == "-") sql.assign(std::istreambuf_iterator<char>(std::cin), {});
  auto connection = workspace.session().connect();
  const TableForm form = form_of(context, options);
  if (const warehouse::OwnWarehouse* own = workspace.session().own();
      own != nullptr && !is_for_the_engine(workspace, connection, sql))
    return query_warehouse(context, *own->open(), sql, form, options.limit,
                           workspace.project().settings.engine.spill_folder);
  auto result = connection.stream(sql);
  // Whoever reads slowly keeps nobody from working: the result first, then the file is let go, then the rest
  // is printed.
  if (form != TableForm::table) {
    QueryOutput output(workspace.project().settings.engine.spill_folder);
    stream_rows(std::move(result), form, options.limit, context.cancel, output);
    workspace.session().release_warehouse(connection);
    output.finish();
    return context.cancel.requested() ? exit_interrupted : exit_done;
  }
  const std::uint64_t limit = options.limit == 0 ? table_rows_max : options.limit;
  Table table(result.schema());
  const bool more = fill_table(std::move(result), limit, table);
  workspace.session().release_warehouse(connection);
  print_out(table.render(form));
  if (!context.quiet) {
    if (more)
      print_err(
          fmt::format("{} rows shown, there are more; --limit N shows more, --format csv all\n", limit));
    else
      print_err(fmt::format("{} row{}\n", with_commas(table.rows()), table.rows() == 1 ? "" : "s"));
  }
  return exit_done;
}

}  // namespace eddy::app
