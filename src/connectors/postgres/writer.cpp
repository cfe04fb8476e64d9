#include "connectors/postgres/writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/secrets.h"
#include "transport/postgres/copy.h"
#include "transport/postgres/encoding.h"

namespace eddy::connectors {
namespace {
using postgres::PostgresError;

// A row's verdict before the server has spoken.
bool is_open(const Verdict& verdict) { return verdict.outcome == Outcome::in_doubt && verdict.code.empty(); }

void settle(std::vector<Verdict>& verdicts, const Verdict& verdict) {
  for (Verdict& open : verdicts)
    if (is_open(open)) open = verdict;
}

// The server repeats the offending value, which may be a megabyte long.
std::string for_people(const std::string& message) {
  constexpr std::size_t bytes_max = 500;
  std::string text = redact(message);
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace

struct PostgresWriter::Lane {
  explicit Lane(const postgres::ConnectOptions& options) : connection(options) {}
  postgres::Connection connection;
};

PostgresWriter::PostgresWriter(postgres::ConnectOptions options, postgres::TableName table,
                               const sync::Delivery& delivery, std::string create_table)
    : options_(std::move(options)),
      table_(std::move(table)),
      key_(delivery.key),
      fields_(delivery.fields),
      mode_(delivery.mode),
      statements_(postgres_statements(table_, delivery)),
      create_table_(std::move(create_table)) {}

PostgresWriter::~PostgresWriter() = default;

// Two workers overlap encoding, the server's statements and its waits for the disk; with one, a first load
// was about a tenth slower than a bare COPY and upsert by psql, with two it was faster.
sync::Limits PostgresWriter::limits() const {
  return {.batch_rows_max = 50'000, .batch_bytes_max = 32U << 20U, .workers_max = 2};
}

sync::Answer PostgresWriter::deliver(std::span<const Change> changes) {
  std::vector<Verdict> verdicts(changes.size());
  if (changes.empty()) return {};
  const bool removing = changes.front().operation == Operation::remove;
  std::unique_ptr<Lane> lane;
  sync::Answer answer;
  try {
    lane = borrow_lane();
    send(*lane, changes, verdicts);
    settle(verdicts, Verdict::applied());
    answer.verdicts = std::move(verdicts);
  } catch (const PostgresError& error) {
    if (lane && (error.is_connection_lost() || !lane->connection.usable())) lane.reset();
    answer = answer_to(error, removing, std::move(verdicts));
  }
  if (lane) return_lane(std::move(lane));
  return answer;
}

sync::Answer PostgresWriter::answer_to(const PostgresError& error, bool removing,
                                       std::vector<Verdict> verdicts) const {
  sync::Answer answer;
  const std::string message = for_people(error.message());
  if (error.is_in_doubt() && mode_ == sync::Mode::insert && !removing) {
    settle(verdicts, Verdict::in_doubt("commit_in_doubt", message));
  } else if (error.is_in_doubt() || error.is_transient()) {
    // Upserts, updates and removals may be repeated: a second time changes nothing.
    settle(verdicts, Verdict::retry(error.sqlstate().empty() ? error.code() : error.name(), message));
  } else if (error.is_data_error()) {
    answer.refused_whole = std::count_if(verdicts.begin(), verdicts.end(), is_open) > 1;
    settle(verdicts, Verdict::rejected(error.name(), message));
  } else {
    throw Error("destination.refused", fmt::format("{} cannot be written: {}", table_.display(), message),
                error.hint());
  }
  answer.verdicts = std::move(verdicts);
  return answer;
}

void PostgresWriter::send(Lane& lane, std::span<const Change> changes, std::vector<Verdict>& verdicts) {
  const bool removing = changes.front().operation == Operation::remove;
  if (removing && statements_.remove.empty())
    throw Error("destination.unsupported", "removals were sent, but the sync ignores them");
  postgres::Connection& connection = lane.connection;
  postgres::Transaction transaction(connection);
  if (copy(connection, changes, verdicts) == 0) return;
  if (removing) {
    connection.exec(statements_.remove);
  } else {
    if (!statements_.find_forbidden.empty()) {
      const postgres::Result forbidden = connection.exec(statements_.find_forbidden);
      for (std::size_t i = 0; i < forbidden.rows(); ++i)
        verdicts[static_cast<std::size_t>(forbidden.value(i, 0).as_integer())] =
            mode_ == sync::Mode::update
                ? Verdict::rejected("not_found",
                                    "there is no record with this key, and mode update never creates one")
                : Verdict::rejected("already_exists",
                                    "there is a record with this key, and mode insert never changes one");
    }
    connection.exec(statements_.write);
  }
  transaction.commit();
}

std::size_t PostgresWriter::copy(postgres::Connection& connection, std::span<const Change> changes,
                                 std::vector<Verdict>& verdicts) {
  const bool removing = changes.front().operation == Operation::remove;
  postgres::CopyIn copy(connection, removing ? statements_.copy_removes : statements_.copy_writes);
  std::size_t sent = 0;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const std::size_t start = copy.buffer().size();
    if (append_row(copy.buffer(), changes[i], i, verdicts[i])) {
      ++sent;
      copy.row_done();
    } else {
      copy.buffer().resize(start);
    }
  }
  copy.finish();
  return sent;
}

bool PostgresWriter::append_row(std::string& out, const Change& change, std::size_t number,
                                Verdict& verdict) const {
  const bool removing = change.operation == Operation::remove;
  if (statements_.numbered && !removing)
    postgres::append_copy_cell(out, Value::integer(static_cast<std::int64_t>(number)));
  bool first = !statements_.numbered || removing;
  const auto append = [&](const Row& cells, const Schema& columns, bool is_key) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!first) out += '\t';
      first = false;
      if (is_key && cells[i].is_null()) {
        verdict = Verdict::rejected("null_key", fmt::format("the key field `{}` is null", columns[i].name));
        return false;
      }
      if (const auto encoded = postgres::append_copy_cell(out, cells[i]); encoded != postgres::Encoded::ok) {
        verdict = Verdict::rejected(
            "character_not_in_repertoire",
            fmt::format("the value of `{}` {}", columns[i].name, postgres::explain(encoded)));
        return false;
      }
    }
    return true;
  };
  if (!append(change.key, key_, true)) return false;
  if (!removing && !append(change.fields, fields_, false)) return false;
  out += '\n';
  return true;
}

std::unique_ptr<PostgresWriter::Lane> PostgresWriter::borrow_lane() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto lane = std::move(idle_.back());
      idle_.pop_back();
      return lane;
    }
  }
  auto lane = std::make_unique<Lane>(options_);
  // The stage of one batch then stays in the session's own memory.
  lane->connection.exec("set temp_buffers = '64MB'");
  create_table_once(lane->connection);
  lane->connection.exec(statements_.create_stage);
  return lane;
}

void PostgresWriter::return_lane(std::unique_ptr<Lane> lane) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(lane));
}

void PostgresWriter::create_table_once(postgres::Connection& connection) {
  const std::lock_guard lock(mutex_);
  if (create_table_.empty()) return;
  const bool has_schema =
      connection.exec("select from pg_namespace where nspname = $1", {Value::text(table_.schema)}).rows() > 0;
  if (!has_schema)
    connection.exec("create schema if not exists " + postgres::quote_identifier(table_.schema));
  connection.exec(create_table_);
  create_table_.clear();
}

std::vector<std::string> PostgresWriter::preview(std::span<const Change> changes) {
  if (changes.empty()) return {};
  const bool removing = changes.front().operation == Operation::remove;
  std::string text = "begin;\n" + (removing ? statements_.copy_removes : statements_.copy_writes) + ";\n";
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const std::size_t start = text.size();
    Verdict verdict;
    if (!append_row(text, changes[i], i, verdict)) text.resize(start);
  }
  text += "\\.\n" + (removing ? statements_.remove : statements_.write) + ";\ncommit;\n";
  return {redact(text)};
}

void PostgresWriter::finish() {
  const std::lock_guard lock(mutex_);
  idle_.clear();
}

}  // namespace eddy::connectors
