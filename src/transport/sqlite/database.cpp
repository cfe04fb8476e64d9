#include "transport/sqlite/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <utility>

namespace eddy::sqlite {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 31> names = {{
    {SQLITE_ERROR, "SQLITE_ERROR"},
    {SQLITE_INTERNAL, "SQLITE_INTERNAL"},
    {SQLITE_PERM, "SQLITE_PERM"},
    {SQLITE_ABORT, "SQLITE_ABORT"},
    {SQLITE_BUSY, "SQLITE_BUSY"},
    {SQLITE_LOCKED, "SQLITE_LOCKED"},
    {SQLITE_NOMEM, "SQLITE_NOMEM"},
    {SQLITE_READONLY, "SQLITE_READONLY"},
    {SQLITE_INTERRUPT, "SQLITE_INTERRUPT"},
    {SQLITE_IOERR, "SQLITE_IOERR"},
    {SQLITE_CORRUPT, "SQLITE_CORRUPT"},
    {SQLITE_FULL, "SQLITE_FULL"},
    {SQLITE_CANTOPEN, "SQLITE_CANTOPEN"},
    {SQLITE_PROTOCOL, "SQLITE_PROTOCOL"},
    {SQLITE_SCHEMA, "SQLITE_SCHEMA"},
    {SQLITE_TOOBIG, "SQLITE_TOOBIG"},
    {SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT"},
    {SQLITE_MISMATCH, "SQLITE_MISMATCH"},
    {SQLITE_MISUSE, "SQLITE_MISUSE"},
    {SQLITE_AUTH, "SQLITE_AUTH"},
    {SQLITE_RANGE, "SQLITE_RANGE"},
    {SQLITE_NOTADB, "SQLITE_NOTADB"},
    {SQLITE_CONSTRAINT_CHECK, "SQLITE_CONSTRAINT_CHECK"},
    {SQLITE_CONSTRAINT_FOREIGNKEY, "SQLITE_CONSTRAINT_FOREIGNKEY"},
    {SQLITE_CONSTRAINT_NOTNULL, "SQLITE_CONSTRAINT_NOTNULL"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, "SQLITE_CONSTRAINT_PRIMARYKEY"},
    {SQLITE_CONSTRAINT_TRIGGER, "SQLITE_CONSTRAINT_TRIGGER"},
    {SQLITE_CONSTRAINT_UNIQUE, "SQLITE_CONSTRAINT_UNIQUE"},
    {SQLITE_CONSTRAINT_ROWID, "SQLITE_CONSTRAINT_ROWID"},
    {SQLITE_CONSTRAINT_DATATYPE, "SQLITE_CONSTRAINT_DATATYPE"},
    {SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"},
}};

std::string hint_of(int extended) {
  switch (extended & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program is writing to the file; try again when it has finished";
    case SQLITE_FULL:
      return "free space on the disk; nothing was written";
    case SQLITE_CANTOPEN:
      return "check that the folder exists and may be written";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "the file is damaged: restore it from a backup, .eddy as a whole";
    default:
      return {};
  }
}

}  // namespace

SqliteError::SqliteError(std::string code, int extended_code, std::string message)
    : Error(std::move(code), std::move(message), hint_of(extended_code)), extended_code_(extended_code) {}

std::string SqliteError::name() const {
  for (const int code : {extended_code_, extended_code_ & 0xFF})
    for (const auto& [number, name] : names)
      if (number == code) return std::string(name);
  return fmt::format("SQLITE_{}", extended_code_);
}

bool SqliteError::is_constraint() const { return (extended_code_ & 0xFF) == SQLITE_CONSTRAINT; }

bool SqliteError::is_data_error() const {
  const int primary = extended_code_ & 0xFF;
  return primary == SQLITE_CONSTRAINT || primary == SQLITE_MISMATCH || primary == SQLITE_TOOBIG;
}

bool SqliteError::is_transient() const {
  const int primary = extended_code_ & 0xFF;
  return primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_PROTOCOL;
}

bool SqliteError::is_damaged() const {
  const int primary = extended_code_ & 0xFF;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

bool SqliteError::is_full() const { return (extended_code_ & 0xFF) == SQLITE_FULL; }

Database::Database(const std::filesystem::path& file, Access access, std::chrono::milliseconds busy_timeout) {
  const int flags = access == Access::read_only    ? SQLITE_OPEN_READONLY
                    : access == Access::read_write ? SQLITE_OPEN_READWRITE
                                                   : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(file.c_str(), &handle_, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  if (code != SQLITE_OK) {
    const std::string why = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
    sqlite3_close_v2(handle_);
    throw SqliteError("sqlite.unopenable", code, fmt::format("{} cannot be opened: {}", file.string(), why));
  }
  sqlite3_busy_timeout(handle_, static_cast<int>(busy_timeout.count()));
  exec("pragma foreign_keys = on");
}

Database::~Database() { sqlite3_close_v2(handle_); }

void Database::exec(const std::string& sql) {
  require(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr));
}
std::uint64_t Database::changes() const { return static_cast<std::uint64_t>(sqlite3_changes64(handle_)); }
void Database::fail(int code) const {
  const SqliteError error("sqlite.failed", code, sqlite3_errmsg(handle_));
  if (error.is_damaged() && say_damage_) say_damage_(error);
  throw error;
}
void Database::require(int code) const {
  if (code != SQLITE_OK) fail(code);
}
void Database::add_function(const char* name, void (*function)(sqlite3_context*, int, sqlite3_value**)) {
  require(sqlite3_create_function_v2(handle_, name, -1,
                                     SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                     function, nullptr, nullptr, nullptr));
}
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
std::string Database::library_version() { return sqlite3_libversion(); }

Statement::Statement(Database& database, const std::string& sql) : database_(database) {
  database_.require(sqlite3_prepare_v2(database_.handle_, sql.c_str(), -1, &handle_, nullptr));
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::bind(int index, const Value& value) {
  int code = SQLITE_OK;
  switch (value.type()) {
    case Type::null:
      code = sqlite3_bind_null(handle_, index);
      break;
    case Type::boolean:
      code = sqlite3_bind_int(handle_, index, value.as_boolean() ? 1 : 0);
      break;
    case Type::integer:
      code = sqlite3_bind_int64(handle_, index, value.as_integer());
      break;
    case Type::real:
      code = sqlite3_bind_double(handle_, index, value.as_real());
      break;
    case Type::blob:
      code = sqlite3_bind_blob64(handle_, index, value.as_string().data(), value.as_string().size(),
                                 SQLITE_STATIC);
      break;
    case Type::decimal:
    case Type::text:
    case Type::date:
    case Type::timestamp:
    case Type::json:
      return bind(index, std::string_view(value.as_string()));
  }
  database_.require(code);
  return *this;
}

Statement& Statement::bind(int index, std::string_view value) {
  // SQLite takes a null pointer for NULL, and an empty view may hold one.
  const char* data = value.data() == nullptr ? "" : value.data();
  database_.require(sqlite3_bind_text64(handle_, index, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(int index, std::int64_t value) {
  database_.require(sqlite3_bind_int64(handle_, index, value));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  // The message belongs to the connection: it is read before the reset may replace it.
  struct Reset {
    ~Reset() { sqlite3_reset(handle); }
    sqlite3_stmt* handle;
  } const reset_after{handle_};
  database_.fail(code);
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
std::string Statement::column_name(int column) const { return sqlite3_column_name(handle_, column); }

Value Statement::value(int column) const {
  const auto bytes = [&](const void* data) {
    return std::string(static_cast<const char*>(data),
                       static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
  };
  switch (sqlite3_column_type(handle_, column)) {
    case SQLITE_INTEGER:
      return Value::integer(sqlite3_column_int64(handle_, column));
    case SQLITE_FLOAT:
      return Value::real(sqlite3_column_double(handle_, column));
    case SQLITE_TEXT:
      return Value::text(bytes(sqlite3_column_text(handle_, column)));
    case SQLITE_BLOB: {
      const void* data = sqlite3_column_blob(handle_, column);
      return Value::blob(data == nullptr ? std::string() : bytes(data));
    }
    default:
      return {};
  }
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return data == nullptr ? std::string()
                         : std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }

Transaction::Transaction(Database& database) : database_(database) { database_.exec("begin immediate"); }

Transaction::~Transaction() {
  // A trigger or a full disk may have rolled back already.
  if (!open_ || !database_.in_transaction()) return;
  try {
    database_.exec("rollback");
  } catch (const SqliteError&) {
    // Closing the database rolls back as well.
  }
}

void Transaction::commit() {
  database_.exec("commit");  // may be refused (busy, deferred constraint): then the destructor rolls back
  open_ = false;
}

}  // namespace eddy::sqlite
