// Writes batches into one table of MySQL or MariaDB.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "connectors/mysql/statements.h"
#include "connectors/tables/lanes.h"
#include "sync/destination.h"
#include "transport/mysql/connection.h"

namespace eddy::connectors {

// Each worker thread borrows a lane: a connection with its staging table, made on demand, used for one batch
// at a time. A batch is one transaction: all of its rows or none, but for those that were found not to fit:
// they get their rejection and the others go on.
//
// While a table that was empty at the start fills up, batches of adds are loaded straight into it. The first
// one about which the server has anything to say goes through the stage instead, and so do all that follow.
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
  // Before the first batch: makes the table, and looks whether it is empty.
  void prepare(mysql::Connection& connection);
  // False when the batch must go through the stage.
  bool send_straight(Lane& lane, std::span<const Change> changes, std::vector<Verdict>& verdicts);
  void send(Lane& lane, std::span<const Change> changes, std::vector<Verdict>& verdicts);
  // Rows that the mode, or their keys, forbid leave the stage with their verdict; true when others stay.
  bool check_keys(Lane& lane, std::vector<Verdict>& verdicts) const;

  mysql::ConnectOptions options_;
  MysqlTarget target_;
  bool keys_can_meet_;
  std::atomic<bool> straight_;  // the table was empty, and nothing has been refused since
  std::string create_table_;
  Lanes<Lane> lanes_;
};

}  // namespace eddy::connectors
