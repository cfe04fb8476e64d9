// The staging table of one connection: where rows are judged, by us and by the server, before they touch the
// target.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/mysql/statements.h"
#include "connectors/tables/rows.h"
#include "transport/mysql/connection.h"

namespace eddy::connectors {

// One thread at a time. Connection and target must outlive it.
class MysqlStage {
 public:
  // The temporary table is made when it is needed first.
  MysqlStage(mysql::Connection& connection, const MysqlTarget& target);

  // Past the stage, for a batch of adds: loads it into the target itself. False when the server had something
  // to say about any row: the caller rolls back, and fills the stage. Rows that we refuse have their verdict.
  bool load_straight(std::span<const Change> changes, const MysqlStatements& statements,
                     std::vector<Verdict>& verdicts);

  // Empties it. Outside of a transaction it is quick; within one it must not end it.
  void empty(bool in_transaction);
  // Puts the rows of the group in. Those that do not fit get their verdict and are not in it afterwards;
  // true when others are.
  bool fill(std::span<const Change> changes, const MaskGroup& group, const MysqlStatements& statements,
            std::vector<Verdict>& verdicts);
  // The rows that `query` names get the verdict that `explain` makes of the query's second column ("" when
  // there is none) and leave the stage. True when others stay.
  bool reject(const std::string& query, const std::function<Verdict(std::string)>& explain,
              std::vector<Verdict>& verdicts);
  // Runs a statement that takes rows out of the stage; true when others stay.
  bool drop(const std::string& statement);

 private:
  using Rows = std::vector<std::size_t>;  // indexes into the batch
  void make();
  Rows judge_all(std::span<const Change> changes, const Rows& rows, std::vector<Verdict>& verdicts) const;
  Rows load(std::span<const Change> changes, const Rows& rows, const MaskGroup& group,
            const std::string& statement, bool numbered, std::vector<Verdict>& verdicts);  // those that went
  void insert(std::span<const Change> changes, const Rows& rows, const MaskGroup& group,
              const std::string& beginning, std::vector<Verdict>& verdicts);
  void heed_warnings(std::span<const std::size_t> rows, std::vector<Verdict>& verdicts);
  void remove(const Rows& rows);
  Verdict too_large(std::size_t bytes) const;

  mysql::Connection& connection_;
  const MysqlTarget& target_;
  bool takes_load_ = true;  // else rows go as INSERT
  bool is_made_ = false;
  bool is_empty_ = true;
  std::size_t rows_ = 0;
  std::size_t packet_bytes_max_ = 0;  // the server takes no longer statement, and no longer value
};

// A row that needs not be sent to be refused: a null key, a value that the column would bend. Open otherwise.
Verdict judge(const MysqlTarget& target, const Change& change);
// One row for LOAD DATA ("1\t…\n"), with or without its number, for the fields that are not kept.
void append_row(std::string& out, const MysqlTarget& target, const Change& change,
                std::optional<std::size_t> number, const std::vector<bool>& kept);

}  // namespace eddy::connectors
