#include "connectors/postgres/writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/secrets.h"
#include "core/text.h"
#include "transport/postgres/copy.h"
#include "transport/postgres/encoding.h"

namespace eddy::connectors {
namespace {
using postgres::PostgresError;
}  // namespace

struct PostgresWriter::Lane {
  explicit Lane(const postgres::ConnectOptions& options) : connection(options) {}
  postgres::Connection connection;
  bool has_stage = false;
};

PostgresWriter::PostgresWriter(postgres::ConnectOptions options, postgres::TableName table,
                               const sync::Delivery& delivery, bool update_first, bool takes_copy,
                               std::string create_table)
    : options_(std::move(options)),
      table_(std::move(table)),
      delivery_(delivery),
      update_first_(update_first),
      statements_(postgres_statements(table_, delivery, {}, update_first)),
      straight_(takes_copy),
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
  std::unique_ptr<Lane> lane;
  sync::Answer answer;
  try {
    lane = borrow_lane();
    if (!send_straight(*lane, changes, verdicts)) send(*lane, changes, verdicts);
    settle(verdicts, Verdict::applied());
    answer.verdicts = std::move(verdicts);
  } catch (const PostgresError& error) {
    if (lane && (error.is_connection_lost() || !lane->connection.usable())) lane.reset();
    answer = answer_to(error, std::move(verdicts));
  }
  if (lane) return_lane(std::move(lane));
  return answer;
}

sync::Answer PostgresWriter::answer_to(const PostgresError& error, std::vector<Verdict> verdicts) const {
  sync::Answer answer;
  const std::string message = for_people(error.message());
  if (error.is_in_doubt()) {  // sync repeats what may be repeated, and remembers the doubt
    settle(verdicts, Verdict::in_doubt("commit_in_doubt", message));
  } else if (error.is_transient()) {
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
  if (!lane.has_stage) {
    // The stage of one batch then stays in the session's own memory.
    lane.connection.exec("set temp_buffers = '64MB'");
    lane.connection.exec(statements_.create_stage);
    lane.has_stage = true;
  }
  postgres::Transaction transaction(lane.connection);
  bool first = true;
  for (const MaskGroup& group : group_by_mask(changes)) {
    // ON COMMIT DELETE ROWS comes too late for a second group.
    if (!first) lane.connection.exec(statements_.empty_stage);
    first = false;
    send_group(lane.connection, changes, group, verdicts);
  }
  transaction.commit();
}

bool PostgresWriter::send_straight(Lane& lane, std::span<const Change> changes,
                                   std::vector<Verdict>& verdicts) {
  const bool fits = straight_ && delivery_.mode != sync::Mode::update &&
                    std::all_of(changes.begin(), changes.end(), [](const Change& change) {
                      return change.operation == Operation::add && change.kept.empty();
                    });
  if (!fits) return false;
  try {
    postgres::Transaction transaction(lane.connection);
    copy(lane.connection, changes, group_by_mask(changes).front(), statements_.copy_straight, false,
         verdicts);
    transaction.commit();
    return true;
  } catch (const PostgresError& error) {
    if (error.is_connection_lost() || !lane.connection.usable()) throw;
    straight_ = false;
    verdicts.assign(changes.size(), Verdict());
    return false;
  }
}

void PostgresWriter::send_group(postgres::Connection& connection, std::span<const Change> changes,
                                const MaskGroup& group, std::vector<Verdict>& verdicts) {
  const bool removing = changes.front().operation == Operation::remove;
  const PostgresStatements* statements = &statements_;
  PostgresStatements masked;
  if (!group.kept.empty()) {
    masked = postgres_statements(table_, delivery_, group.kept, true);
    statements = &masked;
  }
  if (copy(connection, changes, group, removing ? statements->copy_removes : statements->copy_writes,
           statements->numbered && !removing, verdicts) == 0)
    return;
  if (removing) {
    connection.exec(statements->remove);
    return;
  }
  if (!statements->find_forbidden.empty()) {
    const postgres::Result forbidden = connection.exec(statements->find_forbidden);
    for (std::size_t i = 0; i < forbidden.rows(); ++i)
      verdicts[static_cast<std::size_t>(forbidden.value(i, 0).as_integer())] =
          delivery_.mode == sync::Mode::update
              ? Verdict::rejected("not_found",
                                  "there is no record with this key, and mode update never creates one")
              : Verdict::rejected("already_exists",
                                  "there is a record with this key, and mode insert never changes one");
  }
  for (const std::string& statement : statements->write) connection.exec(statement);
}

std::size_t PostgresWriter::copy(postgres::Connection& connection, std::span<const Change> changes,
                                 const MaskGroup& group, const std::string& statement, bool numbered,
                                 std::vector<Verdict>& verdicts) {
  postgres::CopyIn copy(connection, statement);
  std::size_t sent = 0;
  for (const std::size_t i : group.rows) {
    const std::size_t start = copy.buffer().size();
    if (append_row(copy.buffer(), changes[i], numbered ? std::optional(i) : std::nullopt, group.kept,
                   verdicts[i])) {
      ++sent;
      copy.row_done();
    } else {
      copy.buffer().resize(start);
    }
  }
  copy.finish();
  return sent;
}

bool PostgresWriter::append_row(std::string& out, const Change& change, std::optional<std::size_t> number,
                                const std::vector<bool>& kept, Verdict& verdict) const {
  const bool removing = change.operation == Operation::remove;
  bool first = true;
  const auto append = [&](const Value& value, const std::string& name) {
    if (!first) out += '\t';
    first = false;
    const auto encoded = postgres::append_copy_cell(out, value);
    if (encoded == postgres::Encoded::ok) return true;
    verdict = Verdict::rejected("character_not_in_repertoire",
                                fmt::format("the value of `{}` {}", name, postgres::explain(encoded)));
    return false;
  };
  if (number) append(Value::integer(static_cast<std::int64_t>(*number)), "");
  for (std::size_t i = 0; i < change.key.size(); ++i) {
    const std::string& name = delivery_.key[i].name;
    if (change.key[i].is_null()) {
      verdict = Verdict::rejected("null_key", fmt::format("the key field `{}` is null", name));
      return false;
    }
    if (!append(change.key[i], name)) return false;
  }
  for (std::size_t i = 0; i < change.fields.size() && !removing; ++i)
    if ((i >= kept.size() || !kept[i]) && !append(change.fields[i], delivery_.fields[i].name)) return false;
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
  prepare_once(lane->connection);
  return lane;
}

void PostgresWriter::return_lane(std::unique_ptr<Lane> lane) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(lane));
}

void PostgresWriter::prepare_once(postgres::Connection& connection) {
  const std::lock_guard lock(mutex_);
  if (prepared_) return;
  if (!create_table_.empty()) {
    const bool has_schema =
        connection.exec("select from pg_namespace where nspname = $1", {Value::text(table_.schema)}).rows() >
        0;
    if (!has_schema)
      connection.exec("create schema if not exists " + postgres::quote_identifier(table_.schema));
    connection.exec(create_table_);
  }
  if (straight_) straight_ = connection.exec(statements_.is_empty).text(0, 0) == "t";
  prepared_ = true;
}

std::vector<std::string> PostgresWriter::preview(std::span<const Change> changes) {
  if (changes.empty()) return {};
  const bool removing = changes.front().operation == Operation::remove;
  std::string text = "begin;\n";
  for (const MaskGroup& group : group_by_mask(changes)) {
    const PostgresStatements statements =
        postgres_statements(table_, delivery_, group.kept, update_first_ || !group.kept.empty());
    text += (removing ? statements.copy_removes : statements.copy_writes) + ";\n";
    for (const std::size_t i : group.rows) {
      const std::size_t start = text.size();
      Verdict verdict;
      const bool numbered = statements.numbered && !removing;
      if (!append_row(text, changes[i], numbered ? std::optional(i) : std::nullopt, group.kept, verdict))
        text.resize(start);
    }
    text += "\\.\n" + (removing ? statements.remove : join(statements.write, ";\n")) + ";\n";
  }
  return {redact(text + "commit;\n")};
}

void PostgresWriter::finish() {
  const std::lock_guard lock(mutex_);
  idle_.clear();
}

}  // namespace eddy::connectors
