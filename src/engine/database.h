// DuckDB behind RAII. The only door to duckdb.h; nobody else sees a raw handle.
//
// Ownership: a Connection keeps its Database alive, a Result its Connection. Thread rule: a Database may be
// shared; a Connection, and every Result made from it, belongs to one thread at a time (interrupt() alone may
// come from any). Errors: Error("engine.query_failed") with DuckDB's own words; "engine.interrupted";
// "engine.out_of_memory" (with the limit in the hint); "engine.open_failed"; "engine.locked" when another
// process holds the file.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"
#include "engine/table_function.h"

namespace eddy::engine {

struct Options {
  std::string memory_limit = "1GB";    // DuckDB spelling; always set, so that memory is bounded
  std::filesystem::path spill_folder;  // made when needed; empty: no spilling
  int threads = 0;                     // 0: one per core
};

// An engine column with the engine's own type text ("DECIMAL(10,2)") beside ours.
struct EngineColumn {
  std::string name;
  Type type = Type::text;
  std::string engine_type;
};

// Up to 2048 rows, valid while the Chunk lives.
class Chunk {
 public:
  Chunk(Chunk&&) noexcept;
  Chunk& operator=(Chunk&&) noexcept;
  ~Chunk();
  std::size_t rows() const;
  std::size_t columns() const;
  Value value(std::size_t column, std::size_t row) const;
  // Direct reads without a Value, for the hot paths. The column must have that engine type (integer: BIGINT,
  // text: VARCHAR).
  bool is_null(std::size_t column, std::size_t row) const;
  std::int64_t bigint(std::size_t column, std::size_t row) const;
  std::string_view varchar(std::size_t column, std::size_t row) const;

 private:
  friend class Result;
  struct Data;
  explicit Chunk(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

class Result {
 public:
  Result(Result&&) noexcept;
  Result& operator=(Result&&) noexcept;
  ~Result();
  const std::vector<EngineColumn>& columns() const;
  Schema schema() const;
  std::uint64_t rows_changed() const;  // by INSERT, UPDATE, DELETE, COPY
  std::optional<Chunk> next();         // chunk after chunk, then nullopt
  std::vector<Row> rows();             // all the rest; for small results
  Value scalar();                      // the first cell; null when there is no row

 private:
  friend class Connection;
  struct Data;
  explicit Result(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

class Database;

// Rows into a table, columnar inside. Values are cast to the column's type by the engine. Call close() to see
// errors.
class Appender {
 public:
  Appender(Appender&&) noexcept;
  ~Appender();
  void append(const Value& value);  // next cell of the row
  void append_integer(std::int64_t value);
  void append_text(std::string_view value);
  void append_null();
  void end_row();
  void close();  // flushes; throws Error("engine.query_failed")

 private:
  friend class Connection;
  struct Data;
  explicit Appender(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

class Connection {
 public:
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();
  void execute(std::string_view sql);  // one or more statements; results are dropped
  Result query(std::string_view sql,
               const Row& parameters = {});  // one statement, `?` or $1 parameters; whole result in memory
  Result stream(std::string_view sql,
                const Row& parameters = {});  // one statement; the result is pulled as it is computed
  std::vector<EngineColumn> columns_of(std::string_view sql);  // of one SELECT, bound but not executed
  Appender appender(std::string_view catalog, std::string_view schema, std::string_view table);
  void interrupt();  // from any thread: the running statement ends with engine.interrupted
  // Progress of the running statement, from any thread: rows taken in, and its share from 0 to 1; 0 when
  // unknown.
  std::uint64_t rows_done();
  double share_done();
  Database database_of() const;

 private:
  friend class Database;
  struct Data;
  explicit Connection(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

class Database {
 public:
  static Database in_memory(const Options& options);
  static Database open(const std::filesystem::path& file, const Options& options);
  Connection connect();
  // `select * from name()` reads what `make` gives (table_function.h).
  void add_table_function(const std::string& name, const Schema& columns, RowSourceMaker make);

  struct Data;

 private:
  friend class Connection;
  explicit Database(std::shared_ptr<Data> data) : data_(std::move(data)) {}
  std::shared_ptr<Data> data_;
};

// Inside BEGIN … COMMIT; rolls back when it dies without commit().
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

// Makes an empty database file where there is none. It is made beside its place and renamed: a process that
// dies while the engine writes the head of a new file leaves one that nobody can open.
void make_database_file(Connection& connection, const std::filesystem::path& file);

std::string quote_identifier(std::string_view name);  // "na""me"
std::string quote_literal(std::string_view text);     // 'it''s'
std::string version();                                // "v1.5.6"

}  // namespace eddy::engine
