// SQLite behind RAII: the only wrapper in the house, used by the control database (state/) and by the SQLite
// destination.
//
// Thread rule: a Connection and its Statements belong to one thread at a time.
// Errors: SqliteError (an eddy::Error, code "sqlite.failed", "sqlite.busy", "sqlite.full", "sqlite.damaged").
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/value.h"

struct sqlite3;
struct sqlite3_stmt;

namespace eddy::transport::sqlite {

class SqliteError : public Error {
 public:
  SqliteError(int extended_code, const std::string& message);
  int extended_code() const { return extended_code_; }
  bool is_constraint() const;  // the row is at fault, not the database
  bool is_busy() const;
  bool is_too_big() const;

 private:
  int extended_code_;
};

class Connection;

// A prepared statement; bind, step, read, reset, again.
class Statement {
 public:
  Statement(Connection& connection, std::string_view sql);
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& bind(int index,
                  const Value& value);  // index from 1; decimals, dates, timestamps and json as text
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, std::int64_t value);
  bool step();   // true: a row is there
  void run();    // steps to the end and resets
  void reset();  // also clears bindings

  int columns() const;
  std::string name(int column) const;
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  Value value(int column) const;  // by SQLite's storage class

 private:
  sqlite3* database_;
  sqlite3_stmt* handle_ = nullptr;
};

class Connection {
 public:
  enum class Open { create, existing, read_only };
  Connection(const std::filesystem::path& file, Open how, int busy_timeout_ms = 10'000);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  void execute(const std::string& sql);  // one or more statements, no results
  Statement prepare(std::string_view sql) { return Statement(*this, sql); }
  std::int64_t changes() const;  // rows of the last INSERT, UPDATE or DELETE
  sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

// BEGIN IMMEDIATE … COMMIT; rolls back when it dies without commit().
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace eddy::transport::sqlite
