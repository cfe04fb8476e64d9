// SQLite behind RAII: the only wrapper in the house, below the control database (state/) and the SQLite
// destination. Every failure is a SqliteError. Not thread-safe: one thread at a time per Database and its
// Statements.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/value.h"

struct sqlite3;
struct sqlite3_context;
struct sqlite3_value;
struct sqlite3_stmt;

namespace eddy::sqlite {

// Codes: sqlite.unopenable, sqlite.failed. What it means for the caller is asked below; the hint says what to
// do.
class SqliteError : public Error {
 public:
  SqliteError(std::string code, int extended_code, std::string message);
  std::string name() const;    // "SQLITE_CONSTRAINT_UNIQUE"
  bool is_data_error() const;  // a constraint, a type, a size, a trigger's veto: the values are to blame
  bool is_transient() const;   // somebody else holds the file
  bool is_constraint() const;
  bool is_damaged() const;  // the file is cut, overwritten, or was never a database
  bool is_full() const;     // no space left; nothing of the transaction was written

 private:
  int extended_code_;
};

enum class Access { read_only, read_write, create };

class Database {
 public:
  // Foreign keys are enforced. The journal mode of the file is left as it is. busy_timeout: how long to wait
  // for other writers.
  Database(const std::filesystem::path& file, Access access,
           std::chrono::milliseconds busy_timeout = std::chrono::seconds{5});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void exec(const std::string& sql);  // one or several statements, results thrown away
  std::uint64_t changes() const;      // rows of the last insert, update or delete
  bool in_transaction() const;
  static std::string library_version();  // "3.40.1"

  // Called where a SqliteError that is_damaged() would be thrown, to throw one in the owner's words.
  void on_damage(std::function<void(const SqliteError&)> say) { say_damage_ = std::move(say); }
  // A function of SQL that gives the same for the same values; for the other files of this folder.
  void add_function(const char* name, void (*function)(sqlite3_context*, int, sqlite3_value**));

 private:
  friend class Statement;
  void require(int code) const;
  [[noreturn]] void fail(int code) const;
  std::function<void(const SqliteError&)> say_damage_;
  sqlite3* handle_ = nullptr;
};

// A prepared statement. The Database must outlive it.
class Statement {
 public:
  Statement(Database& database, const std::string& sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // index counts from 1. Text is not copied: `value` must live until run() or reset(). Booleans become 0
  // and 1; decimals, dates, timestamps and json are text.
  Statement& bind(int index, const Value& value);
  Statement& bind(int index, std::string_view value);
  Statement& bind(int index, std::int64_t value);
  bool step();   // true: a row is there
  void run();    // to the end, then reset
  void reset();  // also forgets the bindings

  int columns() const;
  std::string column_name(int column) const;
  Value value(int column) const;           // null, integer, real, text or blob, as it is stored
  std::string text(int column) const;      // converted; "" for null
  std::int64_t integer(int column) const;  // converted; 0 for null
  bool is_null(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

// BEGIN IMMEDIATE now (waits for other writers), ROLLBACK at the end of the scope unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();  // when it throws, nothing was committed

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace eddy::sqlite
