// One connection to a PostgreSQL server (libpq behind RAII). Every failure is a PostgresError (error.h).
// Not thread-safe: one thread at a time; different connections are independent.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"
#include "transport/postgres/error.h"

struct pg_conn;
struct pg_result;

namespace eddy::postgres {

struct ConnectOptions {
  // libpq's keywords: host, port, user, password, dbname, sslmode, … "dbname" may be a whole connection
  // string or URL. What is left out comes from libpq's own places (PGHOST…, ~/.pgpass).
  std::map<std::string, std::string> parameters;
  std::chrono::milliseconds timeout{10'000};  // until the session is ready, over all addresses of the host
  std::string application_name = "eddy";      // shown in pg_stat_activity
};

// The answer to one statement. Owns its bytes; views into it live as long as it does. Movable.
class Result {
 public:
  Result() = default;
  explicit Result(pg_result* result);

  std::size_t rows() const;
  std::size_t columns() const;
  std::string column_name(std::size_t column) const;
  std::uint64_t affected() const;  // rows inserted, updated, deleted or copied

  bool is_null(std::size_t row, std::size_t column) const;
  std::string_view text(std::size_t row, std::size_t column) const;  // as the server wrote it; "" for null
  // By the column's type: bool, int2/4/8, float4/8, numeric, date, timestamp(tz) in UTC, json(b), bytea; all
  // else is text.
  Value value(std::size_t row, std::size_t column) const;

 private:
  struct Free {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Free> result_;
};

class Connection {
 public:
  // Connects, and settles what the wire's encodings rely on: UTF-8, time zone UTC, ISO dates.
  explicit Connection(const ConnectOptions& options);
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept = default;

  // One statement with $1, $2, … as text the server casts by itself; null values are NULL.
  Result exec(std::string_view sql, const Row& parameters);
  // One or several statements without parameters; the last one's result.
  Result exec(std::string_view sql);

  bool usable() const;                 // false once the wire is broken
  std::string server_version() const;  // "15.20"
  std::string database() const;
  std::string user() const;

 private:
  friend class CopyIn;
  friend class CopyOut;
  friend class Transaction;
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  Result take(pg_result* result);
  [[noreturn]] void fail(const pg_result* result) const;
  std::unique_ptr<pg_conn, Finish> connection_;
};

// BEGIN now, ROLLBACK at the end of the scope unless committed. The connection must outlive it.
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

}  // namespace eddy::postgres
