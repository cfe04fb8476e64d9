#include "connectors/mysql/writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/mysql/stage.h"
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

}  // namespace

struct MysqlWriter::Lane {
  Lane(const mysql::ConnectOptions& options) : connection(options) { relax_isolation(connection); }
  mysql::Connection connection;
  std::unique_ptr<MysqlStage> stage;
};

MysqlWriter::MysqlWriter(mysql::ConnectOptions options, MysqlTarget target, Schema key_types,
                         std::string create_table)
    : options_(std::move(options)),
      target_(std::move(target)),
      keys_can_meet_(target_.keys_can_meet(key_types)),
      straight_(target_.takes_load && target_.mode != sync::Mode::update),
      create_table_(std::move(create_table)) {}

MysqlWriter::~MysqlWriter() = default;

// Two workers overlap encoding, the server's statements and its waits for the disk.
sync::Limits MysqlWriter::limits() const {
  return {.batch_rows_max = 50'000, .batch_bytes_max = 32U << 20U, .workers_max = 2};
}

sync::Answer MysqlWriter::deliver(std::span<const Change> changes) {
  std::vector<Verdict> verdicts(changes.size());
  if (changes.empty()) return {};
  const bool removing = changes.front().operation == Operation::remove;
  if (removing && !target_.erases)
    throw Error("destination.unsupported", "removals were sent, but the sync ignores them");
  std::unique_ptr<Lane> lane;
  sync::Answer answer;
  try {
    lane = borrow_lane();
    if (!send_straight(*lane, changes, verdicts)) send(*lane, changes, verdicts);
    settle(verdicts, Verdict::applied());
    answer.verdicts = std::move(verdicts);
  } catch (const MysqlError& error) {
    if (lane && (error.is_connection_lost() || !lane->connection.usable())) lane.reset();
    answer = answer_to(error, std::move(verdicts));
  }
  if (lane) return_lane(std::move(lane));
  return answer;
}

sync::Answer MysqlWriter::answer_to(const MysqlError& error, std::vector<Verdict> verdicts) const {
  sync::Answer answer;
  const std::string message = for_people(error.message());
  if (error.is_in_doubt()) {  // sync repeats what may be repeated, and remembers the doubt
    settle(verdicts, Verdict::in_doubt("commit_in_doubt", message));
  } else if (error.is_transient()) {
    settle(verdicts, Verdict::retry(error.number() == 0 ? error.code() : error.name(), message));
  } else if (error.is_data_error()) {
    answer.refused_whole = std::count_if(verdicts.begin(), verdicts.end(), is_open) > 1;
    settle(verdicts, Verdict::rejected(error.name(), message));
  } else {
    throw Error("destination.refused",
                fmt::format("{} cannot be written: {}", target_.table.display(), message), error.hint());
  }
  answer.verdicts = std::move(verdicts);
  return answer;
}

bool MysqlWriter::send_straight(Lane& lane, std::span<const Change> changes, std::vector<Verdict>& verdicts) {
  const bool fits = straight_ && std::all_of(changes.begin(), changes.end(), [](const Change& change) {
                      return change.operation == Operation::add && change.kept.empty();
                    });
  if (!fits) return false;
  mysql::Transaction transaction(lane.connection);
  if (lane.stage->load_straight(changes, write_statements(target_, {}), verdicts)) {
    transaction.commit();
    return true;
  }
  straight_ = false;
  verdicts.assign(changes.size(), Verdict());
  return false;
}

void MysqlWriter::send(Lane& lane, std::span<const Change> changes, std::vector<Verdict>& verdicts) {
  lane.stage->empty(/*in_transaction=*/false);
  const bool removing = changes.front().operation == Operation::remove;
  mysql::Transaction transaction(lane.connection);
  for (const MaskGroup& group : group_by_mask(changes)) {
    const MysqlStatements statements =
        removing ? remove_statements(target_) : write_statements(target_, group.kept);
    lane.stage->empty(/*in_transaction=*/true);
    if (!lane.stage->fill(changes, group, statements, verdicts)) continue;
    if (!removing && !check_keys(lane, verdicts)) continue;
    if (!statements.write.empty()) lane.connection.exec(statements.write);
    if (!statements.drop_updated.empty() && lane.stage->drop(statements.drop_updated))
      lane.connection.exec(statements.insert_rest);
  }
  transaction.commit();
}

bool MysqlWriter::check_keys(Lane& lane, std::vector<Verdict>& verdicts) const {
  MysqlStage& stage = *lane.stage;
  bool some = true;
  if (target_.mode == sync::Mode::insert) {
    some = stage.reject(
        find_existing(target_),
        [](const std::string&) {
          return Verdict::rejected("already_exists",
                                   "there is a record with this key, and mode insert never changes one");
        },
        verdicts);
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
        find_missing(target_),
        [](const std::string&) {
          return Verdict::rejected("not_found",
                                   "there is no record with this key, and mode update never creates one");
        },
        verdicts);
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

std::unique_ptr<MysqlWriter::Lane> MysqlWriter::borrow_lane() {
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
  lane->stage = std::make_unique<MysqlStage>(lane->connection, target_);
  return lane;
}

void MysqlWriter::return_lane(std::unique_ptr<Lane> lane) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(lane));
}

void MysqlWriter::prepare_once(mysql::Connection& connection) {
  const std::lock_guard lock(mutex_);
  if (prepared_) return;
  if (!create_table_.empty()) connection.exec(create_table_);
  if (straight_) straight_ = connection.exec(is_empty(target_)).text(0, 0) == "1";
  prepared_ = true;
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

void MysqlWriter::finish() {
  const std::lock_guard lock(mutex_);
  idle_.clear();
}

}  // namespace eddy::connectors
