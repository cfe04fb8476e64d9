#include "connectors/postgres/reader.h"

#include <fmt/format.h>

#include "connectors/tables/records.h"
#include "connectors/tables/refusal.h"
#include "connectors/tables/verdicts.h"
#include "core/text.h"
#include "transport/postgres/encoding.h"

namespace eddy::connectors {
namespace {
using postgres::PostgresError;
using postgres::quote_identifier;

// An element of a text array literal: {"a","b\"c",NULL}
void append_element(std::string& array, const Value& value) {
  array += array.size() > 1 ? "," : "";
  if (value.is_null()) {
    array += "NULL";
    return;
  }
  std::string text;
  postgres::append_input(text, value);
  array += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') array += '\\';
    array += c;
  }
  array += '"';
}

// The type without its length, or a cast would cut what is too long and find somebody else's record:
// "character varying(5)" -> "character varying", "timestamp(3) with time zone" -> "timestamp with time zone".
std::string without_length(const std::string& type) {
  const auto open = type.find('('), close = type.find(')');
  if (open == std::string::npos || type.starts_with("bit")) return type;
  const std::string name = type.substr(0, open) + type.substr(close + 1);
  return name == "character" ? "bpchar" : name;  // CHARACTER alone is CHARACTER(1)
}

}  // namespace

PostgresReader::PostgresReader(postgres::ConnectOptions options, const postgres::Table& table,
                               const sync::Reading& reading)
    : options_(std::move(options)), table_(table.name.display()), fields_(reading.fields) {
  std::vector<std::string> arrays, names, matches, cells = {"w.n"};
  for (std::size_t i = 0; i < reading.key.size(); ++i) {
    arrays.push_back(fmt::format("${}::text[]", i + 1));
    names.push_back(fmt::format("k{}", i));
    // Cast to the column's own type, so that its index is used and values are compared as it compares them.
    matches.push_back(fmt::format("t.{} = w.k{}::{}", quote_identifier(reading.key[i].name), i,
                                  without_length(table.find(reading.key[i].name)->native_type)));
  }
  for (const Column& column : reading.fields) cells.push_back("t." + quote_identifier(column.name));
  query_ =
      fmt::format("select {} from unnest({}) with ordinality as w({}, n) join {} t on {}", join(cells, ", "),
                  join(arrays, ", "), join(names, ", "), table.name.quoted(), join(matches, " and "));
}

std::vector<sync::Record> PostgresReader::read(std::span<const Row> keys) {
  std::vector<sync::Record> records(keys.size());
  if (keys.empty()) return records;
  try {
    if (!connection_ || !connection_->usable())
      connection_ = std::make_unique<postgres::Connection>(options_);
    ask(keys, records);
  } catch (const PostgresError& error) {
    throw cannot_be_read(table_, error.is_transient(), for_people(error.message()), error.hint());
  }
  return records;
}

void PostgresReader::ask(std::span<const Row> keys, std::span<sync::Record> records) {
  Row parameters;
  for (std::size_t i = 0; i < keys.front().size(); ++i) {
    std::string array = "{";
    for (const Row& key : keys) append_element(array, key[i]);
    parameters.push_back(Value::text(array + "}"));
  }
  try {
    const postgres::Result found = connection_->exec(query_, parameters);
    for (std::size_t row = 0; row < found.rows(); ++row) {
      const auto place = static_cast<std::size_t>(found.value(row, 0).as_integer()) - 1;
      add_match(records[place], fields_, [&](std::size_t i) { return found.value(row, i + 1); });
    }
  } catch (const PostgresError& error) {
    if (!error.is_data_error()) throw;
    // One of the keys cannot be of the column's type: alone, it matches nothing.
    if (keys.size() == 1) return;
    const std::size_t half = keys.size() / 2;
    ask(keys.first(half), records.first(half));
    ask(keys.subspan(half), records.subspan(half));
  }
}

}  // namespace eddy::connectors
