// Reads records of one MySQL table by their keys: one query for many keys.
#pragma once

#include <vector>

#include "connectors/mysql/column.h"
#include "sync/destination.h"
#include "transport/mysql/connection.h"

namespace eddy::connectors {

// Holds a connection of its own. A key that the column could not hold matches nothing.
class MysqlReader final : public sync::Reader {
 public:
  // exact: text keys match byte by byte, not as the column's collation compares.
  MysqlReader(mysql::ConnectOptions options, const mysql::Table& table, const sync::Reading& reading,
              bool exact);

  std::size_t keys_max() const override { return 1'000; }
  std::vector<sync::Record> read(std::span<const Row> keys) override;

 private:
  std::string query(std::span<const Row> keys) const;  // "" when no key can match

  mysql::ConnectOptions options_;
  mysql::TableName table_;
  std::vector<MysqlColumn> key_;
  Schema fields_;
  bool exact_;
  std::unique_ptr<mysql::Connection> connection_;
};

}  // namespace eddy::connectors
