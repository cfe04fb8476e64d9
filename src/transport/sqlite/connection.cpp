#include "transport/sqlite/connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

namespace eddy::transport::sqlite {
namespace {

std::string code_of(int extended) {
  switch (extended & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "sqlite.busy";
    case SQLITE_FULL:
      return "sqlite.full";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "sqlite.damaged";
    default:
      return "sqlite.failed";
  }
}

std::string hint_of(int extended) {
  switch (extended & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program is writing to the file; try again when it has finished";
    case SQLITE_FULL:
      return "free space on the disk; nothing was written";
    case SQLITE_CANTOPEN:
      return "check that the folder exists and may be written";
    default:
      return {};
  }
}

[[noreturn]] void fail(sqlite3* database) {
  throw SqliteError(sqlite3_extended_errcode(database), sqlite3_errmsg(database));
}

}  // namespace

SqliteError::SqliteError(int extended_code, const std::string& message)
    : Error(code_of(extended_code), message, hint_of(extended_code)), extended_code_(extended_code) {}
bool SqliteError::is_constraint() const {
  const int primary = extended_code_ & 0xFF;
  return primary == SQLITE_CONSTRAINT || primary == SQLITE_MISMATCH;
}
bool SqliteError::is_busy() const { return code() == "sqlite.busy"; }
bool SqliteError::is_too_big() const { return (extended_code_ & 0xFF) == SQLITE_TOOBIG; }

Statement::Statement(Connection& connection, std::string_view sql) : database_(connection.handle()) {
  if (sqlite3_prepare_v2(database_, sql.data(), static_cast<int>(sql.size()), &handle_, nullptr) != SQLITE_OK)
    fail(database_);
}
Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), handle_(std::exchange(other.handle_, nullptr)) {}
Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::bind(int index, const Value& value) {
  int result = SQLITE_OK;
  switch (value.type()) {
    case Type::null:
      result = sqlite3_bind_null(handle_, index);
      break;
    case Type::boolean:
      result = sqlite3_bind_int(handle_, index, value.as_boolean() ? 1 : 0);
      break;
    case Type::integer:
      result = sqlite3_bind_int64(handle_, index, value.as_integer());
      break;
    case Type::real:
      result = sqlite3_bind_double(handle_, index, value.as_real());
      break;
    case Type::blob:
      result = sqlite3_bind_blob64(handle_, index, value.as_string().data(), value.as_string().size(),
                                   SQLITE_TRANSIENT);
      break;
    default:
      return bind(index, std::string_view(value.as_string()));
  }
  if (result != SQLITE_OK) fail(database_);
  return *this;
}
Statement& Statement::bind(int index, std::string_view text) {
  if (sqlite3_bind_text64(handle_, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8) !=
      SQLITE_OK)
    fail(database_);
  return *this;
}
Statement& Statement::bind(int index, std::int64_t value) {
  if (sqlite3_bind_int64(handle_, index, value) != SQLITE_OK) fail(database_);
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(handle_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  const SqliteError error(sqlite3_extended_errcode(database_), sqlite3_errmsg(database_));
  sqlite3_reset(handle_);
  throw error;
}
void Statement::run() {
  while (step()) {
  }
  reset();
}
void Statement::reset() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

int Statement::columns() const { return sqlite3_column_count(handle_); }
std::string Statement::name(int column) const { return sqlite3_column_name(handle_, column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }
std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return text == nullptr ? std::string()
                         : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}
Value Statement::value(int column) const {
  switch (sqlite3_column_type(handle_, column)) {
    case SQLITE_INTEGER:
      return Value::integer(integer(column));
    case SQLITE_FLOAT:
      return Value::real(sqlite3_column_double(handle_, column));
    case SQLITE_TEXT:
      return Value::text(text(column));
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_, column));
      return Value::blob(std::string(bytes == nullptr ? "" : bytes,
                                     static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))));
    }
    default:
      return {};
  }
}

Connection::Connection(const std::filesystem::path& file, Open how, int busy_timeout_ms) {
  const int flags = how == Open::create     ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                    : how == Open::existing ? SQLITE_OPEN_READWRITE
                                            : SQLITE_OPEN_READONLY;
  if (sqlite3_open_v2(file.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    const SqliteError error(handle_ == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(handle_),
                            fmt::format("cannot open {}: {}", file.string(),
                                        handle_ == nullptr ? "no memory" : sqlite3_errmsg(handle_)));
    sqlite3_close(handle_);
    throw error;
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, busy_timeout_ms);
}
Connection::~Connection() { sqlite3_close_v2(handle_); }

void Connection::execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(handle_);
}
std::int64_t Connection::changes() const { return sqlite3_changes64(handle_); }

Transaction::Transaction(Connection& connection) : connection_(connection) {
  connection_.execute("BEGIN IMMEDIATE");
}
Transaction::~Transaction() {
  if (open_ && sqlite3_get_autocommit(connection_.handle()) == 0)
    sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}
void Transaction::commit() {
  connection_.execute("COMMIT");
  open_ = false;
}

}  // namespace eddy::transport::sqlite
