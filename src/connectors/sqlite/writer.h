// Writes batches into one table of a SQLite file.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connectors/sqlite/statements.h"
#include "sync/destination.h"
#include "transport/sqlite/table.h"

namespace eddy::connectors {

struct SqliteFile {
  std::filesystem::path path;
  std::chrono::milliseconds busy_timeout{5'000};
};

// One connection; deliver() takes turns. SQLite has one writer per file anyway.
class SqliteWriter final : public sync::Writer {
 public:
  // create_table: file and table may be missing and are made before the first batch.
  SqliteWriter(SqliteFile file, const sync::Delivery& delivery, bool create_table);
  ~SqliteWriter() override;

  sync::Limits limits() const override {
    return {.batch_rows_max = 20'000, .batch_bytes_max = 32U << 20U, .workers_max = 1};
  }
  sync::Answer deliver(std::span<const Change> changes) override;
  std::vector<std::string> preview(std::span<const Change> changes) override;
  void finish() override;

 private:
  struct Session;
  struct Prepared;
  void connect();
  Prepared& prepared_for(const Change& change);
  void bind(sqlite::Statement& statement, const Change& change, bool removing) const;
  Verdict check(const Change& change) const;
  void write_rows(std::span<const Change> changes, std::vector<Verdict>& verdicts);
  Verdict write_row(const Change& change);

  SqliteFile file_;
  sync::Delivery delivery_;
  SqliteStatements statements_;  // of rows that keep nothing
  bool create_table_;
  std::mutex mutex_;  // guards session_
  std::unique_ptr<Session> session_;
};

// Why a column of this affinity would not keep the value exactly; "" when it would. Pure.
std::string loss_in(sqlite::Affinity affinity, const Value& value);

}  // namespace eddy::connectors
