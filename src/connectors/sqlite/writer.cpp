#include "connectors/sqlite/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "connectors/tables/found_table.h"
#include "connectors/tables/refusal.h"
#include "connectors/tables/rows.h"
#include "connectors/tables/verdicts.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {
namespace {
using sqlite::Affinity;
using sqlite::SqliteError;

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

namespace {

// SQLite answers to COMMIT itself, so there is no doubt. A deferred constraint speaks only then, and a
// trigger may roll everything back: then the row cannot be told.
Refusal refusal_of(const SqliteError& error) {
  const std::string message = redact(error.message());
  if (error.is_transient()) return {.blame = Blame::moment, .code = error.name(), .message = message};
  if (error.is_data_error()) return {.blame = Blame::values, .code = error.name(), .message = message};
  return {.blame = Blame::setting,
          .code = error.name(),
          .message = fmt::format("{} ({})", message, error.name())};
}

}  // namespace

struct SqliteWriter::Prepared {
  Prepared(sqlite::Database& database, const SqliteStatements& statements)
      : write(database, statements.write) {
    if (!statements.update.empty()) update = std::make_unique<sqlite::Statement>(database, statements.update);
  }
  std::unique_ptr<sqlite::Statement> update;
  sqlite::Statement write;
};

struct SqliteWriter::Session {
  Session(const SqliteFile& file, sqlite::Access access) : database(file.path, access, file.busy_timeout) {
    // With a rollback journal FULL does not make its removal durable: a power cut right after the commit
    // would bring the journal back, and with it the rows from before
    // (https://www.sqlite.org/pragma.html#pragma_synchronous).
    database.exec("pragma synchronous = extra");
  }
  sqlite::Database database;
  bool update_first = false;
  std::unique_ptr<Prepared> usual;                                // rows that keep nothing
  std::map<std::vector<bool>, std::unique_ptr<Prepared>> masked;  // the others
  std::unique_ptr<sqlite::Statement> remove;
  std::vector<Affinity> affinities;  // of key and fields
};

SqliteWriter::SqliteWriter(SqliteFile file, const sync::Delivery& delivery, bool create_table)
    : file_(std::move(file)),
      delivery_(delivery),
      statements_(sqlite_statements(delivery.object, delivery)),
      create_table_(create_table) {}

SqliteWriter::~SqliteWriter() = default;

void SqliteWriter::connect() {
  if (create_table_ && file_.path.has_parent_path())
    std::filesystem::create_directories(file_.path.parent_path());
  auto session =
      std::make_unique<Session>(file_, create_table_ ? sqlite::Access::create : sqlite::Access::read_write);
  if (create_table_) session->database.exec(statements_.create_table);
  const auto table = sqlite::describe_table(session->database, delivery_.object);
  if (!table)
    throw Error("destination.no_such_object",
                fmt::format("table {} is gone from {}", delivery_.object, file_.path.string()));
  for (const Schema* columns : {&delivery_.key, &delivery_.fields})
    for (const Column& column : *columns) {
      const auto* found = table->find(column.name);
      session->affinities.push_back(found == nullptr ? Affinity::blob : found->affinity);
    }
  session->update_first =
      asks_for_more(found_table(delivery_.object, *table, [](const auto&, const auto&) {}), delivery_);
  session->usual = std::make_unique<Prepared>(
      session->database, sqlite_statements(delivery_.object, delivery_, {}, session->update_first));
  if (!statements_.remove.empty())
    session->remove = std::make_unique<sqlite::Statement>(session->database, statements_.remove);
  session_ = std::move(session);
}

SqliteWriter::Prepared& SqliteWriter::prepared_for(const Change& change) {
  if (std::find(change.kept.begin(), change.kept.end(), true) == change.kept.end()) return *session_->usual;
  auto& prepared = session_->masked[change.kept];
  if (!prepared)
    prepared = std::make_unique<Prepared>(session_->database,
                                          sqlite_statements(delivery_.object, delivery_, change.kept, true));
  return *prepared;
}

sync::Answer SqliteWriter::deliver(std::span<const Change> changes) {
  if (changes.empty()) return {};
  removes(changes, /*ignores=*/statements_.remove.empty());
  const std::lock_guard lock(mutex_);
  try {
    sync::Answer answer;
    answer.verdicts.resize(changes.size());
    if (!session_) connect();
    sqlite::Transaction transaction(session_->database);
    write_rows(changes, answer.verdicts);
    transaction.commit();
    return answer;
  } catch (const SqliteError& error) {
    const Refusal refusal = refusal_of(error);
    if (refusal.blame == Blame::setting) session_.reset();
    // What was written is undone: no row has a verdict any more.
    return answer_to(refusal, std::vector<Verdict>(changes.size()), file_.path.string());
  }
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

// Open when there is nothing to say against the row before SQLite has seen it.
Verdict SqliteWriter::check(const Change& change) const {
  const std::size_t keys = delivery_.key.size();
  for (std::size_t i = 0; i < keys + change.fields.size(); ++i) {
    const bool is_key = i < keys;
    if (!is_key && change.keeps(i - keys)) continue;
    const Value& value = is_key ? change.key[i] : change.fields[i - keys];
    const std::string& name = is_key ? delivery_.key[i].name : delivery_.fields[i - keys].name;
    if (is_key && value.is_null()) return null_key(name);
    if (const std::string loss = loss_in(session_->affinities[i], value); !loss.empty())
      return Verdict::rejected("value_not_kept", fmt::format("the value of `{}` {}", name, loss));
  }
  return {};
}

void SqliteWriter::bind(sqlite::Statement& statement, const Change& change, bool removing) const {
  int place = 0;
  for (const Value& value : change.key) statement.bind(++place, value);
  for (std::size_t i = 0; i < change.fields.size() && !removing; ++i)
    if (!change.keeps(i)) statement.bind(++place, change.fields[i]);
}

Verdict SqliteWriter::write_row(const Change& change) {
  if (Verdict refused = check(change); !is_open(refused)) return refused;
  const bool removing = change.operation == Operation::remove;
  if (removing) {
    bind(*session_->remove, change, true);
    session_->remove->run();
    return Verdict::applied();
  }
  Prepared& prepared = prepared_for(change);
  if (prepared.update) {
    bind(*prepared.update, change, false);
    prepared.update->run();
    if (session_->database.changes() > 0) return Verdict::applied();
  }
  bind(prepared.write, change, false);
  prepared.write.run();
  if (delivery_.mode == sync::Mode::update && session_->database.changes() == 0) return no_record_to_update();
  return Verdict::applied();
}

std::vector<std::string> SqliteWriter::preview(std::span<const Change> changes) {
  if (changes.empty()) return {};
  const bool removing = changes.front().operation == Operation::remove;
  std::string text;
  for (const MaskGroup& group : group_by_mask(changes)) {
    const auto statements = sqlite_statements(delivery_.object, delivery_, group.kept, !group.kept.empty());
    if (!removing && !statements.update.empty()) text += statements.update + ";\n";
    text += (removing ? statements.remove : statements.write) + ";\n";
    for (const std::size_t row : group.rows) {
      nlohmann::json cells = nlohmann::json::array();
      for (const Value& value : changes[row].key) cells.push_back(value.to_json());
      for (std::size_t i = 0; i < changes[row].fields.size(); ++i)
        if (!changes[row].keeps(i)) cells.push_back(changes[row].fields[i].to_json());
      text += cells.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    }
  }
  return {redact(text)};
}

void SqliteWriter::finish() {
  const std::lock_guard lock(mutex_);
  session_.reset();
}

}  // namespace eddy::connectors
