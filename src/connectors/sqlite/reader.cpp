#include "connectors/sqlite/reader.h"

#include <fmt/format.h>

#include "connectors/tables/records.h"
#include "connectors/tables/refusal.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {
using sqlite::quote_identifier;

SqliteReader::SqliteReader(const SqliteFile& file, const sqlite::Table& table, const sync::Reading& reading)
    : path_(file.path),
      fields_(reading.fields),
      database_(file.path, sqlite::Access::read_only, file.busy_timeout) {
  std::vector<std::string> cells = {"1"}, matches;
  for (const Column& column : reading.fields) cells.push_back(quote_identifier(column.name));
  for (std::size_t i = 0; i < reading.key.size(); ++i)
    matches.push_back(fmt::format("{} = ?{}", quote_identifier(reading.key[i].name), i + 1));
  query_ = fmt::format("select {} from {} where {}", join(cells, ", "), quote_identifier(table.name),
                       join(matches, " and "));
}

sync::Record SqliteReader::read_one(sqlite::Statement& query, const Row& key) const {
  sync::Record record;
  for (std::size_t i = 0; i < key.size(); ++i) query.bind(static_cast<int>(i + 1), key[i]);
  while (query.step())
    add_match(record, fields_, [&](std::size_t i) { return query.value(static_cast<int>(i + 1)); });
  query.reset();
  return record;
}

std::vector<sync::Record> SqliteReader::read(std::span<const Row> keys) {
  std::vector<sync::Record> records;
  try {
    database_.exec("begin");
    {
      sqlite::Statement query(database_, query_);
      for (const Row& key : keys) records.push_back(read_one(query, key));
    }
    database_.exec("commit");
  } catch (const sqlite::SqliteError& error) {
    if (database_.in_transaction()) database_.exec("rollback");
    throw cannot_be_read(path_.string(), error.is_transient(),
                         fmt::format("{} ({})", redact(error.message()), error.name()), error.hint());
  }
  return records;
}

}  // namespace eddy::connectors
