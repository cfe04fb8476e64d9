#include "engine/database.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "core/error.h"
#include "core/files.h"
#include "core/secrets.h"
#include "core/text.h"
#include "engine/functions.h"
#include "engine/torn_log.h"
#include "engine/values.h"

namespace eddy::engine {

struct Database::Data {
  ~Data() { duckdb_close(&handle); }
  duckdb_database handle = nullptr;
  std::string memory_limit;
};

struct Connection::Data {
  ~Data() { duckdb_disconnect(&handle); }
  duckdb_connection handle = nullptr;
  std::shared_ptr<Database::Data> database;
};

namespace {

[[noreturn]] void fail(const char* raw, duckdb_error_type type, const std::string& memory_limit) {
  const std::string message = redact(raw == nullptr ? "unknown engine error" : raw);
  // While a statement is prepared the engine tells the kind of error only in its words.
  if (type == DUCKDB_ERROR_INTERRUPT || message.starts_with("INTERRUPT Error"))
    throw Error("engine.interrupted", "the statement was interrupted");
  if (type == DUCKDB_ERROR_OUT_OF_MEMORY || message.starts_with("Out of Memory Error"))
    throw Error(
        "engine.out_of_memory", message,
        fmt::format("the limit is {}; raise `engine: {{memory_limit: …}}` in eddy.yml", memory_limit));
  throw Error("engine.query_failed", message);
}

struct Config {
  Config() { duckdb_create_config(&handle); }
  ~Config() { duckdb_destroy_config(&handle); }
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;
  void set(const char* name, const std::string& value) { duckdb_set_config(handle, name, value.c_str()); }
  duckdb_config handle = nullptr;
};

std::shared_ptr<Database::Data> open_database(const std::string& file, const Options& options) {
  Config config;
  config.set("memory_limit", options.memory_limit);
  if (options.threads > 0) config.set("threads", std::to_string(options.threads));
  if (!options.spill_folder.empty()) config.set("temp_directory", options.spill_folder.string());
  // Nothing is ever downloaded, and nothing on this machine but what we ask for is loaded.
  config.set("autoinstall_known_extensions", "false");
  config.set("autoload_known_extensions", "false");
  auto data = std::make_shared<Database::Data>();
  data->memory_limit = options.memory_limit;
  char* error = nullptr;
  if (duckdb_open_ext(file.empty() ? nullptr : file.c_str(), &data->handle, config.handle, &error) !=
      DuckDBSuccess) {
    const std::string message = error == nullptr ? "unknown" : error;
    duckdb_free(error);
    if (message.find("lock") != std::string::npos)
      throw Error("engine.locked", fmt::format("{} is in use by another process: {}", file, message),
                  "wait for it, or end it");
    throw Error("engine.open_failed",
                fmt::format("cannot open {}: {}", file.empty() ? "the engine" : file, message));
  }
  register_functions(data->handle);
  return data;
}

}  // namespace

Database Database::in_memory(const Options& options) { return Database(open_database("", options)); }
Database Database::open(const std::filesystem::path& file, const Options& options) {
  try {
    return Database(open_database(file.string(), options));
  } catch (const Error& refusal) {
    if (!cut_torn_log(file, refusal)) throw;
    return open(file, options);
  }
}

Connection Database::connect() {
  auto data = std::make_unique<Connection::Data>();
  data->database = data_;
  if (duckdb_connect(data_->handle, &data->handle) != DuckDBSuccess)
    throw Error("engine.open_failed", "cannot make another engine connection");
  Connection connection(std::move(data));
  // The engine counts rows for rows_done() only when it believes to draw a bar; it must not draw one.
  connection.execute(
      "SET TimeZone = 'UTC'; SET enable_progress_bar = true; SET enable_progress_bar_print = false");
  return connection;
}

void Database::add_table_function(const std::string& name, const Schema& columns, RowSourceMaker make) {
  register_table_function(data_->handle, name, columns, std::move(make));
}

struct Result::Data {
  ~Data() {
    for (auto& type : types) duckdb_destroy_logical_type(&type);
    duckdb_destroy_result(&handle);
  }
  duckdb_result handle{};
  std::vector<duckdb_logical_type> types;
  std::vector<EngineColumn> columns;
  std::string memory_limit;
};

struct Chunk::Data {
  ~Data() { duckdb_destroy_data_chunk(&handle); }
  duckdb_data_chunk handle = nullptr;
  const std::vector<duckdb_logical_type>* types = nullptr;
  std::vector<duckdb_vector> vectors;
  std::vector<std::uint64_t*> validity;
  std::size_t rows = 0;
};

Chunk::Chunk(std::unique_ptr<Data> data) : data_(std::move(data)) {}
Chunk::Chunk(Chunk&&) noexcept = default;
Chunk& Chunk::operator=(Chunk&&) noexcept = default;
Chunk::~Chunk() = default;
std::size_t Chunk::rows() const { return data_->rows; }
std::size_t Chunk::columns() const { return data_->vectors.size(); }
Value Chunk::value(std::size_t column, std::size_t row) const {
  return read_cell(data_->vectors[column], (*data_->types)[column], row);
}
bool Chunk::is_null(std::size_t column, std::size_t row) const {
  return data_->validity[column] != nullptr && !duckdb_validity_row_is_valid(data_->validity[column], row);
}
std::int64_t Chunk::bigint(std::size_t column, std::size_t row) const {
  return static_cast<const std::int64_t*>(duckdb_vector_get_data(data_->vectors[column]))[row];
}
std::string_view Chunk::varchar(std::size_t column, std::size_t row) const {
  auto* s = static_cast<duckdb_string_t*>(duckdb_vector_get_data(data_->vectors[column])) + row;
  return {duckdb_string_t_data(s), duckdb_string_t_length(*s)};
}

Result::Result(std::unique_ptr<Data> data) : data_(std::move(data)) {
  const idx_t count = duckdb_column_count(&data_->handle);
  for (idx_t i = 0; i < count; ++i) {
    data_->types.push_back(duckdb_column_logical_type(&data_->handle, i));
    data_->columns.push_back({duckdb_column_name(&data_->handle, i), type_of(data_->types.back()),
                              type_text(data_->types.back())});
  }
}
Result::Result(Result&&) noexcept = default;
Result& Result::operator=(Result&&) noexcept = default;
Result::~Result() = default;
const std::vector<EngineColumn>& Result::columns() const { return data_->columns; }

Schema Result::schema() const {
  Schema schema;
  for (const EngineColumn& column : data_->columns) schema.push_back({column.name, column.type});
  return schema;
}

std::uint64_t Result::rows_changed() const { return duckdb_rows_changed(&data_->handle); }

std::optional<Chunk> Result::next() {
  duckdb_data_chunk handle = duckdb_fetch_chunk(data_->handle);
  if (handle == nullptr) {
    // A streamed result meets its errors while it is pulled.
    if (const char* error = duckdb_result_error(&data_->handle); error != nullptr && *error != '\0')
      fail(error, duckdb_result_error_type(&data_->handle), data_->memory_limit);
    return std::nullopt;
  }
  auto chunk = std::make_unique<Chunk::Data>();
  chunk->handle = handle;
  chunk->types = &data_->types;
  chunk->rows = duckdb_data_chunk_get_size(handle);
  if (chunk->rows == 0) return std::nullopt;
  for (idx_t i = 0; i < data_->types.size(); ++i) {
    chunk->vectors.push_back(duckdb_data_chunk_get_vector(handle, i));
    chunk->validity.push_back(duckdb_vector_get_validity(chunk->vectors.back()));
  }
  return Chunk(std::move(chunk));
}

std::vector<Row> Result::rows() {
  std::vector<Row> out;
  while (auto chunk = next())
    for (std::size_t r = 0; r < chunk->rows(); ++r) {
      Row& row = out.emplace_back();
      row.reserve(chunk->columns());
      for (std::size_t c = 0; c < chunk->columns(); ++c) row.push_back(chunk->value(c, r));
    }
  return out;
}

Value Result::scalar() {
  auto chunk = next();
  return chunk && chunk->columns() > 0 ? chunk->value(0, 0) : Value();
}

Connection::Connection(std::unique_ptr<Data> data) : data_(std::move(data)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

namespace {

struct Statement {
  Statement() = default;
  ~Statement() { duckdb_destroy_prepare(&handle); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  duckdb_prepared_statement handle = nullptr;
};

duckdb_state bind(duckdb_prepared_statement statement, idx_t index, const Value& value) {
  switch (value.type()) {
    case Type::null:
      return duckdb_bind_null(statement, index);
    case Type::boolean:
      return duckdb_bind_boolean(statement, index, value.as_boolean());
    case Type::integer:
      return duckdb_bind_int64(statement, index, value.as_integer());
    case Type::real:
      return duckdb_bind_double(statement, index, value.as_real());
    case Type::blob:
      return duckdb_bind_blob(statement, index, value.as_string().data(), value.as_string().size());
    default:
      return duckdb_bind_varchar_length(statement, index, value.as_string().data(), value.as_string().size());
  }
}

void prepare(Statement& statement, duckdb_connection connection, std::string_view sql, const Row& parameters,
             const std::string& limit) {
  const std::string text(sql);
  if (duckdb_prepare(connection, text.c_str(), &statement.handle) != DuckDBSuccess)
    fail(duckdb_prepare_error(statement.handle), DUCKDB_ERROR_INVALID, limit);
  for (idx_t i = 0; i < parameters.size(); ++i)
    if (bind(statement.handle, i + 1, parameters[i]) != DuckDBSuccess)
      throw Error("engine.query_failed", fmt::format("parameter {} cannot be bound", i + 1));
}

}  // namespace

void Connection::execute(std::string_view sql) {
  Result::Data result;
  const std::string text(sql);
  if (duckdb_query(data_->handle, text.c_str(), &result.handle) != DuckDBSuccess)
    fail(duckdb_result_error(&result.handle), duckdb_result_error_type(&result.handle),
         data_->database->memory_limit);
}

Result Connection::query(std::string_view sql, const Row& parameters) {
  auto result = std::make_unique<Result::Data>();
  result->memory_limit = data_->database->memory_limit;
  Statement statement;
  prepare(statement, data_->handle, sql, parameters, result->memory_limit);
  if (duckdb_execute_prepared(statement.handle, &result->handle) != DuckDBSuccess)
    fail(duckdb_result_error(&result->handle), duckdb_result_error_type(&result->handle),
         result->memory_limit);
  return Result(std::move(result));
}

Result Connection::stream(std::string_view sql, const Row& parameters) {
  auto result = std::make_unique<Result::Data>();
  result->memory_limit = data_->database->memory_limit;
  Statement statement;
  prepare(statement, data_->handle, sql, parameters, result->memory_limit);
  duckdb_pending_result pending = nullptr;
  if (duckdb_pending_prepared_streaming(statement.handle, &pending) != DuckDBSuccess) {
    const std::string error = duckdb_pending_error(pending) == nullptr ? "" : duckdb_pending_error(pending);
    duckdb_destroy_pending(&pending);
    fail(error.c_str(), DUCKDB_ERROR_INVALID, result->memory_limit);
  }
  const duckdb_state state = duckdb_execute_pending(pending, &result->handle);
  duckdb_destroy_pending(&pending);
  if (state != DuckDBSuccess)
    fail(duckdb_result_error(&result->handle), duckdb_result_error_type(&result->handle),
         result->memory_limit);
  return Result(std::move(result));
}

std::vector<EngineColumn> Connection::columns_of(std::string_view sql) {
  Statement statement;
  prepare(statement, data_->handle, sql, {}, data_->database->memory_limit);
  std::vector<EngineColumn> columns;
  const idx_t count = duckdb_prepared_statement_column_count(statement.handle);
  for (idx_t i = 0; i < count; ++i) {
    const char* name = duckdb_prepared_statement_column_name(statement.handle, i);
    duckdb_logical_type type = duckdb_prepared_statement_column_logical_type(statement.handle, i);
    columns.push_back({name, type_of(type), type_text(type)});
    duckdb_free(const_cast<char*>(name));
    duckdb_destroy_logical_type(&type);
  }
  return columns;
}

void Connection::interrupt() { duckdb_interrupt(data_->handle); }
double Connection::share_done() {
  const double percentage = duckdb_query_progress(data_->handle).percentage;
  return percentage > 0 ? percentage / 100 : 0;
}
std::uint64_t Connection::rows_done() { return duckdb_query_progress(data_->handle).rows_processed; }
Database Connection::database_of() const { return Database(data_->database); }

struct Appender::Data {
  ~Data() {
    if (handle != nullptr) duckdb_appender_destroy(&handle);
  }
  void check(duckdb_state state) {
    if (state != DuckDBSuccess) {
      const char* error = duckdb_appender_error(handle);
      throw Error("engine.query_failed", error == nullptr ? "append failed" : error);
    }
  }
  duckdb_appender handle = nullptr;
};

Appender::Appender(std::unique_ptr<Data> data) : data_(std::move(data)) {}
Appender::Appender(Appender&&) noexcept = default;
Appender::~Appender() = default;

Appender Connection::appender(std::string_view catalog, std::string_view schema, std::string_view table) {
  auto data = std::make_unique<Appender::Data>();
  const std::string c(catalog), s(schema), t(table);
  data->check(duckdb_appender_create_ext(data_->handle, c.empty() ? nullptr : c.c_str(),
                                         s.empty() ? nullptr : s.c_str(), t.c_str(), &data->handle));
  return Appender(std::move(data));
}

void Appender::append(const Value& value) {
  switch (value.type()) {
    case Type::null:
      append_null();
      break;
    case Type::boolean:
      data_->check(duckdb_append_bool(data_->handle, value.as_boolean()));
      break;
    case Type::integer:
      append_integer(value.as_integer());
      break;
    case Type::real:
      data_->check(duckdb_append_double(data_->handle, value.as_real()));
      break;
    case Type::blob:
      data_->check(duckdb_append_blob(data_->handle, value.as_string().data(), value.as_string().size()));
      break;
    default:
      append_text(value.as_string());
  }
}
void Appender::append_integer(std::int64_t value) { data_->check(duckdb_append_int64(data_->handle, value)); }
void Appender::append_text(std::string_view value) {
  data_->check(duckdb_append_varchar_length(data_->handle, value.data(), value.size()));
}
void Appender::append_null() { data_->check(duckdb_append_null(data_->handle)); }
void Appender::end_row() { data_->check(duckdb_appender_end_row(data_->handle)); }
void Appender::close() { data_->check(duckdb_appender_close(data_->handle)); }

Transaction::Transaction(Connection& connection) : connection_(connection) {
  connection_.execute("BEGIN TRANSACTION");
}
Transaction::~Transaction() {
  if (!open_) return;
  try {
    connection_.execute("ROLLBACK");
  } catch (const Error&) {
    // The engine has ended the transaction itself; there is nothing left to undo.
  }
}
void Transaction::commit() {
  connection_.execute("COMMIT");
  open_ = false;
}

void make_database_file(Connection& connection, const std::filesystem::path& file) {
  if (std::filesystem::exists(file)) return;
  const std::filesystem::path fresh = file.string() + ".new";
  std::filesystem::remove(fresh);
  std::filesystem::remove(fresh.string() + ".wal");
  connection.execute("attach " + quote_literal(fresh.string()) + " as eddy_new_file; detach eddy_new_file");
  sync_path(fresh);
  std::filesystem::rename(fresh, file);
  sync_path(file.has_parent_path() ? file.parent_path() : std::filesystem::path("."));
}

std::string quote_identifier(std::string_view name) {
  return "\"" + replace_all(std::string(name), "\"", "\"\"") + "\"";
}
std::string quote_literal(std::string_view text) {
  return "'" + replace_all(std::string(text), "'", "''") + "'";
}
std::string version() { return duckdb_library_version(); }

}  // namespace eddy::engine
