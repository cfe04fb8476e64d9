// Writes batches into one table of MySQL or MariaDB.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connectors/mysql/statements.h"
#include "connectors/tables/rows.h"
#include "sync/destination.h"
#include "transport/mysql/connection.h"

namespace eddy::connectors {

// Each worker thread borrows a lane: a connection with its staging table, made on demand, used for one batch
// at a time. A batch is one transaction: all of its rows or none, but for those that were found not to fit:
// they get their rejection and the others go on.
class MysqlWriter final : public sync::Writer {
 public:
  // create_table: the statement to run before the first batch; empty when the table is there. Touches nothing
  // by itself.
  MysqlWriter(mysql::ConnectOptions options, MysqlTarget target, Schema key_types, std::string create_table);
  ~MysqlWriter() override;

  sync::Limits limits() const override;
  sync::Answer deliver(std::span<const Change> changes) override;
  std::vector<std::string> preview(std::span<const Change> changes) override;
  void finish() override;

 private:
  struct Lane;
  std::unique_ptr<Lane> borrow_lane();
  void return_lane(std::unique_ptr<Lane> lane);
  void create_table_once(mysql::Connection& connection);
  void send(Lane& lane, std::span<const Change> changes, std::vector<Verdict>& verdicts);
  // Rows that the mode, or their keys, forbid leave the stage with their verdict; true when others stay.
  bool check_keys(Lane& lane, std::vector<Verdict>& verdicts) const;
  sync::Answer answer_to(const mysql::MysqlError& error, bool removing, std::vector<Verdict> verdicts) const;

  mysql::ConnectOptions options_;
  MysqlTarget target_;
  bool keys_can_meet_;
  std::mutex mutex_;  // guards the two below
  std::string create_table_;
  std::vector<std::unique_ptr<Lane>> idle_;
};

}  // namespace eddy::connectors
