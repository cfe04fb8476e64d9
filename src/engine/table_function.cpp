#include "engine/table_function.h"

#include <duckdb.h>
#include <fmt/format.h>

#include "core/error.h"

namespace eddy::engine {

namespace {

struct Definition {
  Schema columns;
  RowSourceMaker make;
};

duckdb_type engine_type(Type type) {
  if (type == Type::integer) return DUCKDB_TYPE_BIGINT;
  return type == Type::boolean ? DUCKDB_TYPE_BOOLEAN : DUCKDB_TYPE_VARCHAR;
}

void bind(duckdb_bind_info info) {
  const auto& definition = *static_cast<const Definition*>(duckdb_bind_get_extra_info(info));
  for (const Column& column : definition.columns) {
    duckdb_logical_type type = duckdb_create_logical_type(engine_type(column.type));
    duckdb_bind_add_result_column(info, column.name.c_str(), type);
    duckdb_destroy_logical_type(&type);
  }
}

// No exception may pass through the engine's C interface.
void begin(duckdb_init_info info) {
  const auto& definition = *static_cast<const Definition*>(duckdb_init_get_extra_info(info));
  try {
    duckdb_init_set_max_threads(info, 1);
    duckdb_init_set_init_data(info, definition.make().release(),
                              [](void* source) { delete static_cast<RowSource*>(source); });
  } catch (const Error& e) {
    duckdb_init_set_error(info, fmt::format("{}: {}", e.code(), e.message()).c_str());
  } catch (const std::exception& e) {
    duckdb_init_set_error(info, e.what());
  }
}

void put(duckdb_vector vector, idx_t row, Type type, const Value& value) {
  if (value.is_null()) {
    duckdb_vector_ensure_validity_writable(vector);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
    return;
  }
  void* data = duckdb_vector_get_data(vector);
  if (type == Type::integer) {
    static_cast<std::int64_t*>(data)[row] = value.as_integer();
  } else if (type == Type::boolean) {
    static_cast<bool*>(data)[row] = value.as_boolean();
  } else {
    const std::string& text = value.as_string();
    duckdb_vector_assign_string_element_len(vector, row, text.data(), text.size());
  }
}

void give(duckdb_function_info info, duckdb_data_chunk output) {
  const auto& definition = *static_cast<const Definition*>(duckdb_function_get_extra_info(info));
  auto& source = *static_cast<RowSource*>(duckdb_function_get_init_data(info));
  idx_t rows = 0;
  try {
    Row row;
    while (rows < duckdb_vector_size() && source.next(row)) {
      for (std::size_t i = 0; i < definition.columns.size(); ++i)
        put(duckdb_data_chunk_get_vector(output, i), rows, definition.columns[i].type, row.at(i));
      ++rows;
    }
  } catch (const Error& e) {
    duckdb_function_set_error(info, fmt::format("{}: {}", e.code(), e.message()).c_str());
  } catch (const std::exception& e) {
    duckdb_function_set_error(info, e.what());
  }
  duckdb_data_chunk_set_size(output, rows);
}

}  // namespace

void register_table_function(duckdb_database database, const std::string& name, const Schema& columns,
                             RowSourceMaker make) {
  duckdb_connection connection = nullptr;
  bool done = duckdb_connect(database, &connection) == DuckDBSuccess;
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_table_function_set_name(function, name.c_str());
  duckdb_table_function_set_extra_info(function, new Definition{columns, std::move(make)},
                                       [](void* definition) { delete static_cast<Definition*>(definition); });
  duckdb_table_function_set_bind(function, bind);
  duckdb_table_function_set_init(function, begin);
  duckdb_table_function_set_function(function, give);
  done = done && duckdb_register_table_function(connection, function) == DuckDBSuccess;
  duckdb_destroy_table_function(&function);
  if (connection != nullptr) duckdb_disconnect(&connection);
  if (!done)
    throw Error("engine.open_failed", fmt::format("the engine does not take the table function {}", name));
}

}  // namespace eddy::engine
