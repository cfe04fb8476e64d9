#include "connectors/postgres/writer.h"

#include <fmt/format.h>

#include "connectors/tables/refusal.h"
#include "connectors/tables/verdicts.h"
#include "core/secrets.h"
#include "core/text.h"
#include "transport/postgres/copy.h"
#include "transport/postgres/encoding.h"

namespace eddy::connectors {
namespace {
using postgres::PostgresError;

Refusal refusal_of(const PostgresError& error) {
  return {.blame = blame_of(error),
          .code = error.sqlstate().empty() ? error.code() : error.name(),
          .message = for_people(error.message()),
          .hint = error.hint()};
}

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
      create_table_(std::move(create_table)),
      lanes_([this] { return std::make_unique<Lane>(options_); },
             [this](Lane& lane) { prepare(lane.connection); }) {}

PostgresWriter::~PostgresWriter() = default;

// Two workers overlap encoding, the server's statements and its waits for the disk; with one, a first load
// was about a tenth slower than a bare COPY and upsert by psql, with two it was faster.
sync::Limits PostgresWriter::limits() const {
  return {.batch_rows_max = 50'000, .batch_bytes_max = 32U << 20U, .workers_max = 2};
}

sync::Answer PostgresWriter::deliver(std::span<const Change> changes) {
  if (changes.empty()) return {};
  removes(changes, /*ignores=*/statements_.remove.empty());
  return deliver_over<PostgresError>(
      lanes_, changes.size(), table_.display(),
      [&](Lane& lane, std::vector<Verdict>& verdicts) {
        if (!send_straight(lane, changes, verdicts)) send(lane, changes, verdicts);
      },
      refusal_of);
}

void PostgresWriter::send(Lane& lane, std::span<const Change> changes, std::vector<Verdict>& verdicts) {
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
  if (!straight_ || delivery_.mode == sync::Mode::update || !are_whole_adds(changes)) return false;
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
          delivery_.mode == sync::Mode::update ? no_record_to_update() : record_is_there();
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
      verdict = null_key(name);
      return false;
    }
    if (!append(change.key[i], name)) return false;
  }
  for (std::size_t i = 0; i < change.fields.size() && !removing; ++i)
    if ((i >= kept.size() || !kept[i]) && !append(change.fields[i], delivery_.fields[i].name)) return false;
  out += '\n';
  return true;
}

void PostgresWriter::prepare(postgres::Connection& connection) {
  if (!create_table_.empty()) {
    const bool has_schema =
        connection.exec("select from pg_namespace where nspname = $1", {Value::text(table_.schema)}).rows() >
        0;
    if (!has_schema)
      connection.exec("create schema if not exists " + postgres::quote_identifier(table_.schema));
    connection.exec(create_table_);
  }
  if (straight_) straight_ = connection.exec(statements_.is_empty).text(0, 0) == "t";
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

void PostgresWriter::finish() { lanes_.close(); }

}  // namespace eddy::connectors
