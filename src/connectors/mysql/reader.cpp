#include "connectors/mysql/reader.h"

#include <fmt/format.h>

#include <charconv>

#include "connectors/tables/records.h"
#include "connectors/tables/refusal.h"
#include "connectors/tables/verdicts.h"
#include "core/text.h"
#include "transport/mysql/encoding.h"

namespace eddy::connectors {
namespace {
using mysql::quote_identifier;

bool can_match(const std::vector<MysqlColumn>& columns, const Row& key) {
  for (std::size_t i = 0; i < key.size(); ++i)
    if (key[i].is_null() || !columns[i].loss(key[i]).empty()) return false;
  return true;
}

}  // namespace

MysqlReader::MysqlReader(mysql::ConnectOptions options, const mysql::Table& table,
                         const sync::Reading& reading, bool exact)
    : options_(std::move(options)), table_(table.name), fields_(reading.fields), exact_(exact) {
  for (const Column& column : reading.key) key_.emplace_back(*table.find(column.name));
}

// The keys are a table of literals, each with its place. Their text is brought to the column's character set
// and collation, so that the column's index can be used and no mix of collations is refused.
std::string MysqlReader::query(std::span<const Row> keys) const {
  std::string wanted;
  for (std::size_t n = 0; n < keys.size(); ++n) {
    if (!can_match(key_, keys[n])) continue;
    wanted += fmt::format("{}select {} as n", wanted.empty() ? "" : " union all ", n);
    for (std::size_t i = 0; i < key_.size(); ++i)
      wanted += fmt::format(", {} as k{}", key_[i].comparable(keys[n][i]), i);
  }
  if (wanted.empty()) return {};
  std::vector<std::string> matches, fields = {"w.n"};
  for (std::size_t i = 0; i < key_.size(); ++i) {
    const std::string column = "t." + quote_identifier(key_[i].schema().name);
    const std::string literal = key_[i].converted(fmt::format("w.k{}", i));
    matches.push_back(column + " = " + literal);
    if (exact_ && key_[i].schema().is_text())
      matches.push_back(fmt::format("cast({} as binary) = cast({} as binary)", column, literal));
  }
  for (const Column& column : fields_) fields.push_back("t." + quote_identifier(column.name));
  return fmt::format("select {} from ({}) w join {} t on {}", join(fields, ", "), wanted, table_.quoted(),
                     join(matches, " and "));
}

std::vector<sync::Record> MysqlReader::read(std::span<const Row> keys) {
  std::vector<sync::Record> records(keys.size());
  const std::string sql = query(keys);
  if (sql.empty()) return records;
  try {
    if (!connection_ || !connection_->usable()) connection_ = std::make_unique<mysql::Connection>(options_);
    const mysql::Result found = connection_->exec(sql);
    for (std::size_t row = 0; row < found.rows(); ++row) {
      std::size_t place = 0;
      const std::string_view n = found.text(row, 0);
      std::from_chars(n.data(), n.data() + n.size(), place);
      add_match(records.at(place), fields_, [&](std::size_t i) { return found.value(row, i + 1); });
    }
  } catch (const mysql::MysqlError& error) {
    throw cannot_be_read(table_.display(), error.is_transient(), for_people(error.message()), error.hint());
  }
  return records;
}

}  // namespace eddy::connectors
