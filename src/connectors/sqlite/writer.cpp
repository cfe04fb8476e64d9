#include "connectors/sqlite/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {
namespace {
using sqlite::Affinity;
using sqlite::quote_identifier;
using sqlite::SqliteError;

// Date-like and boolean names have NUMERIC affinity, which leaves such texts and 0/1 as they are. Decimals
// and JSON are kept as text, because NUMERIC would turn "12345678901234567890.1" into the nearest double.
std::string_view declared_type(Type type) {
  switch (type) {
    case Type::boolean:
      return "BOOLEAN";
    case Type::integer:
      return "INTEGER";
    case Type::real:
      return "REAL";
    case Type::decimal:
      return "DECIMAL TEXT";
    case Type::date:
      return "DATE";
    case Type::timestamp:
      return "TIMESTAMP";
    case Type::json:
      return "JSON TEXT";
    case Type::blob:
      return "BLOB";
    case Type::null:
    case Type::text:
      break;
  }
  return "TEXT";
}

// "name" = ?n for each column, numbered from `first`.
std::string assignments(const Schema& columns, std::size_t first, std::string_view separator) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < columns.size(); ++i)
    parts.push_back(fmt::format("{} = ?{}", quote_identifier(columns[i].name), first + i));
  return join(parts, separator);
}

std::string names_of(const Schema& columns) {
  std::vector<std::string> parts;
  for (const Column& column : columns) parts.push_back(quote_identifier(column.name));
  return join(parts, ", ");
}

std::size_t significant_digits(std::string_view decimal) {
  std::string digits;
  for (const char c : decimal.substr(0, decimal.find_first_of("eE")))
    if (c >= '0' && c <= '9') digits += c;
  const auto first = digits.find_first_not_of('0');
  const auto last = digits.find_last_not_of('0');
  return first == std::string::npos ? 0 : last - first + 1;
}

bool fits_int64(std::string_view decimal) {
  const std::string digits(decimal.starts_with('-') ? decimal.substr(1) : decimal);
  constexpr std::string_view max = "9223372036854775807";
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) return false;
  return digits.size() < max.size() || (digits.size() == max.size() && digits <= max);
}

}  // namespace

std::string loss_in(Affinity affinity, const Value& value) {
  if (value.type() == Type::real && std::isnan(value.as_real()))
    return "is not a number, which SQLite would store as NULL";
  const bool has_bytes = value.type() == Type::text || value.type() == Type::json;
  if (has_bytes && value.as_string().find('\0') != std::string::npos)
    return "contains a NUL byte, at which SQLite's text functions stop";
  if (has_bytes && !is_utf8(value.as_string())) return "is not valid UTF-8";
  constexpr std::int64_t exact_in_double = std::int64_t{1} << 53;
  if (value.type() == Type::integer && affinity == Affinity::real &&
      (value.as_integer() > exact_in_double || value.as_integer() < -exact_in_double))
    return "has more digits than a REAL column keeps";
  if (value.type() == Type::decimal && affinity != Affinity::text && affinity != Affinity::blob) {
    const bool kept_as_integer = affinity != Affinity::real && fits_int64(value.as_string());
    // 15 digits is what SQLite itself calls lossless: https://www.sqlite.org/datatype3.html#type_affinity
    if (!kept_as_integer && significant_digits(value.as_string()) > 15)
      return "has more digits than a numeric column keeps; declare the column TEXT";
  }
  return {};
}

SqliteStatements sqlite_statements(const std::string& table, const sync::Delivery& delivery) {
  const std::string target = quote_identifier(table);
  const std::size_t first_field = delivery.key.size() + 1;
  Schema all = delivery.key;
  all.insert(all.end(), delivery.fields.begin(), delivery.fields.end());
  std::vector<std::string> places, lines;
  for (std::size_t i = 0; i < all.size(); ++i) {
    places.push_back(fmt::format("?{}", i + 1));
    lines.push_back(fmt::format("{} {}{}", quote_identifier(all[i].name), declared_type(all[i].type),
                                i < delivery.key.size() ? " NOT NULL" : ""));
  }
  const std::string keys = names_of(delivery.key);
  const std::string match = assignments(delivery.key, 1, " and ");
  const std::string set = assignments(delivery.fields, first_field, ", ");
  const std::string insert =
      fmt::format("insert into {} ({}) values ({})", target, names_of(all), join(places, ", "));

  SqliteStatements out;
  out.create_table =
      fmt::format("create table if not exists {} ({}, primary key ({}))", target, join(lines, ", "), keys);
  switch (delivery.mode) {
    case sync::Mode::upsert:
      out.write = fmt::format("{} on conflict ({}) do {}", insert, keys,
                              delivery.fields.empty() ? "nothing" : "update set " + set);
      break;
    case sync::Mode::update:
      out.write = fmt::format("update {} set {} where {}", target,
                              delivery.fields.empty() ? assignments(delivery.key, 1, ", ") : set, match);
      break;
    case sync::Mode::insert:
      out.write = insert;
      break;
  }
  if (delivery.removed == sync::Removal::erase)
    out.remove = fmt::format("delete from {} where {}", target, match);
  if (delivery.removed == sync::Removal::clear) {
    std::vector<std::string> nulls;
    for (const Column& column : delivery.fields) nulls.push_back(quote_identifier(column.name) + " = null");
    out.remove = fmt::format("update {} set {} where {}", target, join(nulls, ", "), match);
  }
  return out;
}

struct SqliteWriter::Session {
  Session(const SqliteFile& file, sqlite::Access access) : database(file.path, access, file.busy_timeout) {}
  sqlite::Database database;
  std::unique_ptr<sqlite::Statement> write, remove;
  std::vector<Affinity> affinities;  // of key and fields
};

SqliteWriter::SqliteWriter(SqliteFile file, const sync::Delivery& delivery, bool create_table)
    : file_(std::move(file)),
      table_(delivery.object),
      key_(delivery.key),
      fields_(delivery.fields),
      mode_(delivery.mode),
      statements_(sqlite_statements(delivery.object, delivery)),
      create_table_(create_table) {}

SqliteWriter::~SqliteWriter() = default;

void SqliteWriter::connect() {
  if (create_table_ && file_.path.has_parent_path())
    std::filesystem::create_directories(file_.path.parent_path());
  auto session =
      std::make_unique<Session>(file_, create_table_ ? sqlite::Access::create : sqlite::Access::read_write);
  if (create_table_) session->database.exec(statements_.create_table);
  const auto table = sqlite::describe_table(session->database, table_);
  if (!table)
    throw Error("destination.no_such_object",
                fmt::format("table {} is gone from {}", table_, file_.path.string()));
  for (const Schema* columns : {&key_, &fields_})
    for (const Column& column : *columns) {
      const auto* found = table->find(column.name);
      session->affinities.push_back(found == nullptr ? Affinity::blob : found->affinity);
    }
  session->write = std::make_unique<sqlite::Statement>(session->database, statements_.write);
  if (!statements_.remove.empty())
    session->remove = std::make_unique<sqlite::Statement>(session->database, statements_.remove);
  session_ = std::move(session);
}

sync::Answer SqliteWriter::deliver(std::span<const Change> changes) {
  sync::Answer answer;
  answer.verdicts.resize(changes.size());
  if (changes.empty()) return answer;
  if (changes.front().operation == Operation::remove && statements_.remove.empty())
    throw Error("destination.unsupported", "removals were sent, but the sync ignores them");
  const std::lock_guard lock(mutex_);
  try {
    if (!session_) connect();
    sqlite::Transaction transaction(session_->database);
    write_rows(changes, answer.verdicts);
    transaction.commit();
  } catch (const SqliteError& error) {
    const std::string message = redact(error.message());
    if (error.is_transient()) {
      answer.verdicts.assign(changes.size(), Verdict::retry(error.name(), message));
    } else if (error.is_data_error()) {
      // A deferred constraint at COMMIT, or a trigger that rolled everything back: the row cannot be told.
      answer.verdicts.assign(changes.size(), Verdict::rejected(error.name(), message));
      answer.refused_whole = changes.size() > 1;
    } else {
      session_.reset();
      throw Error("destination.refused",
                  fmt::format("{} cannot be written: {} ({})", file_.path.string(), message, error.name()));
    }
  }
  return answer;
}

void SqliteWriter::write_rows(std::span<const Change> changes, std::vector<Verdict>& verdicts) {
  for (std::size_t i = 0; i < changes.size(); ++i) {
    try {
      verdicts[i] = write_row(changes[i]);
    } catch (const SqliteError& error) {
      // SQLite undoes the failed statement alone, so the transaction goes on with the other rows.
      if (!error.is_data_error() || !session_->database.in_transaction()) throw;
      verdicts[i] = Verdict::rejected(error.name(), redact(error.message()));
    }
  }
}

Verdict SqliteWriter::write_row(const Change& change) {
  const bool removing = change.operation == Operation::remove;
  sqlite::Statement& statement = removing ? *session_->remove : *session_->write;
  const std::size_t cells = key_.size() + (removing ? 0 : fields_.size());
  for (std::size_t i = 0; i < cells; ++i) {
    const bool is_key = i < key_.size();
    const Value& value = is_key ? change.key[i] : change.fields[i - key_.size()];
    const std::string& name = is_key ? key_[i].name : fields_[i - key_.size()].name;
    if (is_key && value.is_null())
      return Verdict::rejected("null_key", fmt::format("the key field `{}` is null", name));
    if (const std::string loss = loss_in(session_->affinities[i], value); !loss.empty())
      return Verdict::rejected("value_not_kept", fmt::format("the value of `{}` {}", name, loss));
    statement.bind(static_cast<int>(i + 1), value);
  }
  statement.run();
  if (!removing && mode_ == sync::Mode::update && session_->database.changes() == 0)
    return Verdict::rejected("not_found",
                             "there is no record with this key, and mode update never creates one");
  return Verdict::applied();
}

std::vector<std::string> SqliteWriter::preview(std::span<const Change> changes) {
  if (changes.empty()) return {};
  std::string text =
      (changes.front().operation == Operation::remove ? statements_.remove : statements_.write) + ";\n";
  for (const Change& change : changes) {
    nlohmann::json cells = nlohmann::json::array();
    for (const Row* row : {&change.key, &change.fields})
      for (const Value& value : *row) cells.push_back(value.to_json());
    text += cells.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  return {redact(text)};
}

void SqliteWriter::finish() {
  const std::lock_guard lock(mutex_);
  session_.reset();
}

}  // namespace eddy::connectors
