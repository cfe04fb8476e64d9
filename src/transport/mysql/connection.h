// One connection to a MySQL or MariaDB server (libmariadb behind RAII). Every failure is a MysqlError
// (error.h). Not thread-safe: one thread at a time; different connections are independent.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"
#include "transport/mysql/error.h"

struct st_mysql;
struct st_mysql_res;

namespace eddy::mysql {

enum class Tls {
  disable,
  prefer,   // where the server offers it; its certificate is not looked at
  require,  // its certificate is not looked at
  verify,   // certificate and host name must be right
};

struct ConnectOptions {
  std::string host = "localhost";  // always over TCP, `localhost` too
  unsigned port = 3306;
  std::filesystem::path socket = {};  // when set: this unix socket instead of host and port
  std::string user;
  std::string password;
  std::string database;
  Tls tls = Tls::prefer;
  std::filesystem::path tls_ca = {};  // PEM; empty: the system's
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds read_timeout{600'000};  // for the answer to one statement; then the wire is lost
};

// The answer to one statement, whole. Owns its bytes; views into it live as long as it does. Movable.
class Result {
 public:
  Result() = default;
  explicit Result(st_mysql_res* result);

  std::size_t rows() const { return rows_.size(); }
  std::size_t columns() const;
  std::string column_name(std::size_t column) const;
  bool is_null(std::size_t row, std::size_t column) const;
  std::string_view text(std::size_t row, std::size_t column) const;  // as the server wrote it; "" for null
  // By the column's type: integers (beyond 64 bits: decimal), bit, float and double, decimal, date, datetime
  // and timestamp (as UTC), json where the server marks it, binary; all else is text. Zero dates are null.
  Value value(std::size_t row, std::size_t column) const;

 private:
  struct Free {
    void operator()(st_mysql_res* result) const;
  };
  std::unique_ptr<st_mysql_res, Free> result_;
  std::vector<std::vector<std::string_view>> rows_;  // data() is nullptr for null
};

// What the server noticed about the last statement (SHOW WARNINGS).
struct Warning {
  unsigned number = 0;
  std::string message;
  std::size_t row = 0;  // of the statement's rows, from 1; 0 when it does not say
};

class Connection {
 public:
  // Connects, and settles what the wire relies on: utf8mb4, time zone UTC, English messages, and a strict
  // sql_mode of ours, so that no value is cut or bent in silence.
  explicit Connection(const ConnectOptions& options);
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept = default;

  // One statement; its result, or an empty one. `sql` must be complete: values by append_literal().
  Result exec(std::string_view sql);
  std::uint64_t affected() const;  // by the last statement

  std::size_t warning_count() const;  // of the last statement
  // Up to the session's max_error_count, which is set to its highest value, 65,535.
  std::vector<Warning> warnings();

  bool usable() const { return usable_; }  // false once the wire is broken
  bool is_mariadb() const;
  std::string server_version() const;  // "10.11.19"
  std::string product() const { return is_mariadb() ? "MariaDB" : "MySQL"; }
  const std::string& database() const { return database_; }
  const std::string& user() const { return user_; }
  bool is_encrypted() const;

 private:
  friend void load(Connection& connection, std::string_view statement,
                   const std::function<void(std::string& buffer)>& more);  // load.h
  struct Close {
    void operator()(st_mysql* handle) const;
  };
  void connect(const ConnectOptions& options, bool with_tls);
  void settle_session();
  [[noreturn]] void fail();
  std::unique_ptr<st_mysql, Close> handle_;
  std::string database_, user_;
  bool usable_ = false;
};

// START TRANSACTION now, ROLLBACK at the end of the scope unless committed. The connection must outlive it.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  // Throws an error with is_in_doubt() when the wire breaks before the answer; with any other error nothing
  // was committed.
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace eddy::mysql
