#include "connectors/mysql/stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "connectors/tables/verdicts.h"
#include "transport/mysql/encoding.h"
#include "transport/mysql/load.h"

namespace eddy::connectors {
namespace {
using mysql::MysqlError;

constexpr std::size_t load_buffer_bytes = 256 * 1024;
constexpr std::size_t packet_overhead = 1024;  // what a packet carries besides, generously

std::size_t number_of(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void append_number(std::string& out, std::size_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// One row for INSERT: (1, 'a', null)
void append_literals(std::string& out, const MysqlTarget& target, const Change& change, std::size_t number,
                     const std::vector<bool>& kept) {
  out += '(';
  append_number(out, number);
  const auto append = [&](const MysqlColumn& column, const Value& value) {
    out += ", ";
    column.append_literal(out, value);
  };
  for (std::size_t i = 0; i < change.key.size(); ++i) append(target.key[i], change.key[i]);
  for (std::size_t i = 0; i < change.fields.size(); ++i)
    if (i >= kept.size() || !kept[i]) append(target.fields[i], change.fields[i]);
  out += ')';
}

// A message that names the stage names it for nobody.
std::string without_stage(std::string message) {
  const auto at = message.find("`_eddy_stage`.");
  if (at == std::string::npos) return message;
  const auto start = message.rfind(' ', at);
  return message.erase(start + 1, at + 14 - (start + 1));
}

}  // namespace

Verdict judge(const MysqlTarget& target, const Change& change) {
  const auto check = [](const Row& cells, const std::vector<MysqlColumn>& columns, auto&& is_written) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!is_written(i)) continue;
      const std::string loss = columns[i].loss(cells[i]);
      if (loss.empty()) continue;
      return Verdict::rejected(cells[i].is_null() ? "ER_BAD_NULL_ERROR" : "value_not_kept",
                               fmt::format("the value of `{}` ({}) {}", columns[i].schema().name,
                                           columns[i].schema().native_type, loss));
    }
    return Verdict();
  };
  for (std::size_t i = 0; i < change.key.size(); ++i)
    if (change.key[i].is_null()) return null_key(target.key[i].schema().name);
  Verdict verdict = check(change.key, target.key, [](std::size_t) { return true; });
  if (!is_open(verdict) || change.operation == Operation::remove) return verdict;
  return check(change.fields, target.fields, [&](std::size_t i) { return !change.keeps(i); });
}

void append_row(std::string& out, const MysqlTarget& target, const Change& change,
                std::optional<std::size_t> number, const std::vector<bool>& kept) {
  if (number) {
    append_number(out, *number);
    out += '\t';
  }
  for (std::size_t i = 0; i < change.key.size(); ++i) {
    target.key[i].append_cell(out, change.key[i]);
    out += '\t';
  }
  for (std::size_t i = 0; i < change.fields.size(); ++i) {
    if (i < kept.size() && kept[i]) continue;
    target.fields[i].append_cell(out, change.fields[i]);
    out += '\t';
  }
  out.back() = '\n';
}

MysqlStage::MysqlStage(mysql::Connection& connection, const MysqlTarget& target)
    : connection_(connection), target_(target) {
  const mysql::Result limit = connection_.exec("select @@max_allowed_packet");
  packet_bytes_max_ = number_of(limit.text(0, 0)) - packet_overhead;
}

void MysqlStage::make() {
  try {
    connection_.exec(create_stage(target_));
    is_made_ = true;
  } catch (const MysqlError& error) {
    if (error.number() != 1044 && error.number() != 1142) throw;
    throw MysqlError(error.code(), error.number(), error.sqlstate(), error.message(),
                     fmt::format("run: grant create temporary tables on {}.* to {};",
                                 mysql::quote_identifier(connection_.database()), connection_.user()));
  }
}

void MysqlStage::empty(bool in_transaction) {
  if (!is_made_) make();
  if (is_empty_) return;
  // TRUNCATE would end the transaction.
  connection_.exec(in_transaction ? "delete from `_eddy_stage`" : empty_stage());
  is_empty_ = true;
  rows_ = 0;
}

MysqlStage::Rows MysqlStage::judge_all(std::span<const Change> changes, const Rows& rows,
                                       std::vector<Verdict>& verdicts) const {
  Rows open;
  open.reserve(rows.size());
  for (const std::size_t i : rows) {
    verdicts[i] = judge(target_, changes[i]);
    if (is_open(verdicts[i])) open.push_back(i);
  }
  return open;
}

bool MysqlStage::load_straight(std::span<const Change> changes, const MysqlStatements& statements,
                               std::vector<Verdict>& verdicts) {
  if (!takes_load_) return false;
  const MaskGroup all = group_by_mask(changes).front();
  try {
    const Rows loaded =
        load(changes, judge_all(changes, all.rows, verdicts), all, statements.straight, false, verdicts);
    return connection_.warning_count() == 0 && connection_.affected() == loaded.size();
  } catch (const MysqlError& error) {
    if (error.is_connection_lost()) throw;
    if (mysql::is_load_forbidden(error)) takes_load_ = false;
    return false;
  }
}

bool MysqlStage::fill(std::span<const Change> changes, const MaskGroup& group,
                      const MysqlStatements& statements, std::vector<Verdict>& verdicts) {
  const Rows rows = judge_all(changes, group.rows, verdicts);
  if (rows.empty()) return false;
  is_empty_ = false;
  rows_ = rows.size();
  if (takes_load_) {
    try {
      const Rows loaded = load(changes, rows, group, statements.load, true, verdicts);
      heed_warnings(loaded, verdicts);
    } catch (const MysqlError& error) {
      if (!mysql::is_load_forbidden(error)) throw;
      takes_load_ = false;
    }
  }
  if (!takes_load_) insert(changes, rows, group, statements.insert, verdicts);
  Rows refused;
  for (const std::size_t i : rows)
    if (!is_open(verdicts[i])) refused.push_back(i);
  remove(refused);
  return rows_ > 0;
}

Verdict MysqlStage::too_large(std::size_t bytes) const {
  return Verdict::rejected("ER_NET_PACKET_TOO_LARGE",
                           fmt::format("the row takes {} bytes, and the server's max_allowed_packet is {}",
                                       bytes, packet_bytes_max_ + packet_overhead));
}

MysqlStage::Rows MysqlStage::load(std::span<const Change> changes, const Rows& rows, const MaskGroup& group,
                                  const std::string& statement, bool numbered,
                                  std::vector<Verdict>& verdicts) {
  std::size_t next = 0;
  Rows loaded;
  loaded.reserve(rows.size());
  mysql::load(connection_, statement, [&](std::string& buffer) {
    for (; next < rows.size() && buffer.size() < load_buffer_bytes; ++next) {
      const std::size_t row = rows[next], start = buffer.size();
      append_row(buffer, target_, changes[row], numbered ? std::optional(row) : std::nullopt, group.kept);
      const std::size_t bytes = buffer.size() - start;
      if (bytes <= packet_bytes_max_) {
        loaded.push_back(row);
        continue;
      }
      // UNHEX() of so long a text is NULL, without a word.
      verdicts[row] = too_large(bytes);
      buffer.resize(start);
    }
  });
  return loaded;
}

void MysqlStage::insert(std::span<const Change> changes, const Rows& rows, const MaskGroup& group,
                        const std::string& beginning, std::vector<Verdict>& verdicts) {
  const std::size_t bytes_max = std::min<std::size_t>(packet_bytes_max_, 4U << 20U);
  std::string statement, row;
  Rows together;
  const auto send = [&] {
    if (together.empty()) return;
    connection_.exec(statement);
    heed_warnings(together, verdicts);
    together.clear();
  };
  for (const std::size_t i : rows) {
    row.clear();
    append_literals(row, target_, changes[i], i, group.kept);
    if (beginning.size() + row.size() > packet_bytes_max_) {  // the server would cut the connection
      verdicts[i] = too_large(row.size());
      continue;
    }
    if (statement.size() + row.size() + 2 > bytes_max) send();
    statement = together.empty() ? beginning + row : std::move(statement) + ", " + row;
    together.push_back(i);
  }
  send();
}

// With LOAD DATA LOCAL and INSERT IGNORE a value that does not fit is bent and warned about: what the server
// warns of is not what was to be written. Messages name the row of the statement.
void MysqlStage::heed_warnings(std::span<const std::size_t> rows, std::vector<Verdict>& verdicts) {
  const std::size_t count = connection_.warning_count();
  if (count == 0) return;
  const auto warnings = connection_.warnings();
  for (const mysql::Warning& warning : warnings) {
    if (!mysql::is_about_data(warning.number)) continue;
    const std::string message = for_people(without_stage(warning.message));
    // Nobody knows which row: the batch is refused as a whole, and halved until the row stands alone.
    if (warning.row == 0 || warning.row > rows.size())
      throw MysqlError("mysql.refused", warning.number, "", message);
    Verdict& verdict = verdicts[rows[warning.row - 1]];
    if (is_open(verdict)) verdict = Verdict::rejected(mysql::error_name(warning.number), message);
  }
  if (count > warnings.size() && !warnings.empty() && mysql::is_about_data(warnings.back().number))
    throw MysqlError("mysql.refused", warnings.back().number, "", for_people(warnings.back().message));
}

bool MysqlStage::reject(const std::string& query, const std::function<Verdict(std::string)>& explain,
                        std::vector<Verdict>& verdicts) {
  const mysql::Result found = connection_.exec(query);
  Rows rows;
  for (std::size_t i = 0; i < found.rows(); ++i) {
    rows.push_back(number_of(found.text(i, 0)));
    verdicts[rows.back()] = explain(found.columns() > 1 ? std::string(found.text(i, 1)) : std::string());
  }
  remove(rows);
  return rows_ > 0;
}

bool MysqlStage::drop(const std::string& statement) {
  connection_.exec(statement);
  rows_ -= std::min<std::size_t>(rows_, connection_.affected());
  return rows_ > 0;
}

void MysqlStage::remove(const Rows& rows) {
  if (!rows.empty()) drop(remove_from_stage(rows));
}

}  // namespace eddy::connectors
