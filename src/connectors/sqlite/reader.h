// Reads records of one table of a SQLite file by their keys.
#pragma once

#include <memory>
#include <vector>

#include "connectors/sqlite/writer.h"
#include "sync/destination.h"
#include "transport/sqlite/table.h"

namespace eddy::connectors {

// Holds the file open for reading. There is no wire, so each key is one step of a prepared statement, all of
// a call in one view of the file.
class SqliteReader final : public sync::Reader {
 public:
  SqliteReader(const SqliteFile& file, const sqlite::Table& table, const sync::Reading& reading);

  std::size_t keys_max() const override { return 10'000; }
  std::vector<sync::Record> read(std::span<const Row> keys) override;

 private:
  sync::Record read_one(sqlite::Statement& query, const Row& key) const;

  std::filesystem::path path_;
  Schema fields_;
  std::string query_;
  sqlite::Database database_;
};

}  // namespace eddy::connectors
