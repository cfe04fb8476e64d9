#include "connectors/mysql/writer.h"

#include <fmt/format.h>

#include "connectors/mysql/stage.h"
#include "connectors/tables/refusal.h"
#include "connectors/tables/rows.h"
#include "connectors/tables/verdicts.h"
#include "core/secrets.h"

namespace eddy::connectors {
namespace {
using mysql::MysqlError;

// Locks on the gaps between keys make two workers wait for each other; without them nothing is lost here.
// Where the binary log is written in statements, InnoDB refuses this level.
void relax_isolation(mysql::Connection& connection) {
  try {
    if (connection.exec("select @@binlog_format").text(0, 0) == "STATEMENT") return;
  } catch (const MysqlError& error) {
    if (error.is_connection_lost()) throw;  // else: a server so new that it has no other format
  }
  connection.exec("set session transaction isolation level read committed");
}

Refusal refusal_of(const MysqlError& error) {
  return {.blame = blame_of(error),
          .code = error.number() == 0 ? error.code() : error.name(),
          .message = for_people(error.message()),
          .hint = error.hint()};
}

}  // namespace

struct MysqlWriter::Lane {
  Lane(const mysql::ConnectOptions& options, const MysqlTarget& target)
      : connection(options), stage(connection, target) {
    relax_isolation(connection);
  }
  mysql::Connection connection;
  MysqlStage stage;
};

MysqlWriter::MysqlWriter(mysql::ConnectOptions options, MysqlTarget target, Schema key_types,
                         std::string create_table)
    : options_(std::move(options)),
      target_(std::move(target)),
      keys_can_meet_(target_.keys_can_meet(key_types)),
      straight_(target_.takes_load && target_.mode != sync::Mode::update),
      create_table_(std::move(create_table)),
      lanes_([this] { return std::make_unique<Lane>(options_, target_); },
             [this](Lane& lane) { prepare(lane.connection); }) {}

MysqlWriter::~MysqlWriter() = default;

// Two workers overlap encoding, the server's statements and its waits for the disk.
sync::Limits MysqlWriter::limits() const {
  return {.batch_rows_max = 50'000, .batch_bytes_max = 32U << 20U, .workers_max = 2};
}

sync::Answer MysqlWriter::deliver(std::span<const Change> changes) {
  if (changes.empty()) return {};
  removes(changes, /*ignores=*/!target_.erases);
  return deliver_over<MysqlError>(
      lanes_, changes.size(), target_.table.display(),
      [&](Lane& lane, std::vector<Verdict>& verdicts) {
        if (!send_straight(lane, changes, verdicts)) send(lane, changes, verdicts);
      },
      refusal_of);
}

bool MysqlWriter::send_straight(Lane& lane, std::span<const Change> changes, std::vector<Verdict>& verdicts) {
  if (!straight_ || !are_whole_adds(changes)) return false;
  mysql::Transaction transaction(lane.connection);
  if (lane.stage.load_straight(changes, write_statements(target_, {}), verdicts)) {
    transaction.commit();
    return true;
  }
  straight_ = false;
  verdicts.assign(changes.size(), Verdict());
  return false;
}

void MysqlWriter::send(Lane& lane, std::span<const Change> changes, std::vector<Verdict>& verdicts) {
  lane.stage.empty(/*in_transaction=*/false);
  const bool removing = changes.front().operation == Operation::remove;
  mysql::Transaction transaction(lane.connection);
  for (const MaskGroup& group : group_by_mask(changes)) {
    const MysqlStatements statements =
        removing ? remove_statements(target_) : write_statements(target_, group.kept);
    lane.stage.empty(/*in_transaction=*/true);
    if (!lane.stage.fill(changes, group, statements, verdicts)) continue;
    if (!removing && !check_keys(lane, verdicts)) continue;
    if (!statements.write.empty()) lane.connection.exec(statements.write);
    if (!statements.drop_updated.empty() && lane.stage.drop(statements.drop_updated))
      lane.connection.exec(statements.insert_rest);
  }
  transaction.commit();
}

bool MysqlWriter::check_keys(Lane& lane, std::vector<Verdict>& verdicts) const {
  MysqlStage& stage = lane.stage;
  bool some = true;
  if (target_.mode == sync::Mode::insert) {
    some = stage.reject(
        find_existing(target_), [](const std::string&) { return record_is_there(); }, verdicts);
  } else if (target_.exact_keys && target_.has_text_key()) {
    some = stage.reject(
        find_neighbour_keys(target_),
        [](const std::string& other) {
          return Verdict::rejected("key_meets_another",
                                   fmt::format("the column's collation takes this key for that of another "
                                               "record, `{}`, which would be overwritten",
                                               other));
        },
        verdicts);
  }
  if (some && target_.mode == sync::Mode::update)
    some = stage.reject(
        find_missing(target_), [](const std::string&) { return no_record_to_update(); }, verdicts);
  if (some && keys_can_meet_)
    some = stage.reject(
        find_repeated_keys(target_),
        [](const std::string&) {
          return Verdict::rejected("key_meets_another",
                                   "for the key's columns this key is equal to that of another row, and one "
                                   "would overwrite the other");
        },
        verdicts);
  return some;
}

void MysqlWriter::prepare(mysql::Connection& connection) {
  if (!create_table_.empty()) connection.exec(create_table_);
  if (straight_) straight_ = connection.exec(is_empty(target_)).text(0, 0) == "1";
}

std::vector<std::string> MysqlWriter::preview(std::span<const Change> changes) {
  if (changes.empty()) return {};
  const bool removing = changes.front().operation == Operation::remove;
  std::string text = "start transaction;\n";
  for (const MaskGroup& group : group_by_mask(changes)) {
    const MysqlStatements statements =
        removing ? remove_statements(target_) : write_statements(target_, group.kept);
    text += statements.load + ";\n";
    for (const std::size_t i : group.rows)
      if (is_open(judge(target_, changes[i]))) append_row(text, target_, changes[i], i, group.kept);
    for (const std::string* statement :
         {&statements.write, &statements.drop_updated, &statements.insert_rest})
      if (!statement->empty()) text += *statement + ";\n";
  }
  return {redact(text + "commit;\n")};
}

void MysqlWriter::finish() { lanes_.close(); }

}  // namespace eddy::connectors
