// Reads records of one PostgreSQL table by their keys: one query for many keys.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sync/destination.h"
#include "transport/postgres/connection.h"
#include "transport/postgres/table.h"

namespace eddy::connectors {

// Holds a connection of its own. A key that the column could not hold matches nothing.
class PostgresReader final : public sync::Reader {
 public:
  PostgresReader(postgres::ConnectOptions options, const postgres::Table& table,
                 const sync::Reading& reading);

  std::size_t keys_max() const override { return 10'000; }
  std::vector<sync::Record> read(std::span<const Row> keys) override;

 private:
  void ask(std::span<const Row> keys, std::span<sync::Record> records);

  postgres::ConnectOptions options_;
  std::string table_;  // for people
  Schema fields_;
  std::string query_;  // one text array for each key column
  std::unique_ptr<postgres::Connection> connection_;
};

}  // namespace eddy::connectors
