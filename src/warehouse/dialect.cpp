#include "warehouse/dialect.h"

#include <fmt/format.h>

#include "core/text.h"

namespace eddy::warehouse {

using engine::quote_identifier;

std::string in_form(const std::string& form, std::string_view expression) {
  return replace_all(form, "{}", std::string(expression));
}

std::string kept_engine_type(Type type) {
  switch (type) {
    case Type::boolean:
      return "BOOLEAN";
    case Type::integer:
      return "BIGINT";
    case Type::real:
      return "DOUBLE";
    case Type::date:
      return "DATE";
    case Type::timestamp:
      return "TIMESTAMP";
    case Type::json:
      return "JSON";
    case Type::blob:
      return "BLOB";
    default:
      return "VARCHAR";
  }
}

std::string kept_select(std::string_view select, const std::vector<NativeColumn>& columns) {
  std::vector<std::string> cells, names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    names.push_back(fmt::format("c{}", i + 1));  // two columns of a query may have one name
    cells.push_back(
        fmt::format("{} as {}", in_form(columns[i].form, names.back()), quote_identifier(columns[i].name)));
  }
  return fmt::format("select {} from ({}\n) given({})", join(cells, ", "), select, join(names, ", "));
}

std::uint64_t bring_table(Dialect& dialect, engine::Connection& connection, std::string_view select,
                          const std::string& table, std::uint64_t rows_max) {
  const std::vector<NativeColumn> columns = dialect.describe(select);
  std::vector<std::string> declared;
  std::vector<Type> types;
  for (const NativeColumn& column : columns) {
    declared.push_back(quote_identifier(column.name) + " " + kept_engine_type(column.type));
    types.push_back(column.type);
  }
  connection.execute(
      fmt::format("create or replace temp table {}({})", quote_identifier(table), join(declared, ", ")));
  auto rows = connection.appender("temp", "main", table);
  std::uint64_t arrived = 0;
  dialect.stream(kept_select(select, columns) + (rows_max > 0 ? fmt::format(" limit {}", rows_max) : ""),
                 types, [&](const Row& row) {
                   for (const Value& value : row) rows.append(value);
                   rows.end_row();
                   ++arrived;
                 });
  rows.close();
  return arrived;
}

}  // namespace eddy::warehouse
