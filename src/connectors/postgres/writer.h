// Writes batches into one PostgreSQL table.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/postgres/statements.h"
#include "connectors/tables/lanes.h"
#include "connectors/tables/rows.h"
#include "sync/destination.h"
#include "transport/postgres/connection.h"

namespace eddy::connectors {

// Each worker thread borrows a lane: a connection with its staging table, made on demand, used for one batch
// at a time. A batch is one transaction: all of its rows or none. Memory does not grow with the batch: rows
// are streamed.
//
// While a table that was empty at the start fills up, batches of adds are copied straight into it. The first
// one that the server does not take that way goes through the stage instead, where bad rows leave no dead
// ones behind and keys that are there are told apart; and so do all that follow.
class PostgresWriter final : public sync::Writer {
 public:
  // update_first: as in postgres_statements(). takes_copy: of the table, or true for one that is yet to be
  // made. create_table: the statement to run before the first batch;
  // empty when the table is there. Touches nothing by itself.
  PostgresWriter(postgres::ConnectOptions options, postgres::TableName table, const sync::Delivery& delivery,
                 bool update_first, bool takes_copy, std::string create_table);
  ~PostgresWriter() override;

  sync::Limits limits() const override;
  sync::Answer deliver(std::span<const Change> changes) override;
  std::vector<std::string> preview(std::span<const Change> changes) override;
  void finish() override;

 private:
  struct Lane;
  // False when the batch must go through the stage. Throws what send() throws when the wire is lost.
  bool send_straight(Lane& lane, std::span<const Change> changes, std::vector<Verdict>& verdicts);
  // Fills `verdicts` for all rows that do not get through to the server's judgement.
  void send(Lane& lane, std::span<const Change> changes, std::vector<Verdict>& verdicts);
  // The rows of one mask, within the transaction.
  void send_group(postgres::Connection& connection, std::span<const Change> changes, const MaskGroup& group,
                  std::vector<Verdict>& verdicts);
  std::size_t copy(postgres::Connection& connection, std::span<const Change> changes, const MaskGroup& group,
                   const std::string& statement, bool numbered, std::vector<Verdict>& verdicts);
  bool append_row(std::string& out, const Change& change, std::optional<std::size_t> number,
                  const std::vector<bool>& kept, Verdict& verdict) const;
  // Before the first batch: makes the table, and looks whether it is empty.
  void prepare(postgres::Connection& connection);

  postgres::ConnectOptions options_;
  postgres::TableName table_;
  sync::Delivery delivery_;
  bool update_first_;
  PostgresStatements statements_;  // of rows that keep nothing
  std::atomic<bool> straight_;     // the table was empty, and nothing has been refused since
  std::string create_table_;
  Lanes<Lane> lanes_;
};

}  // namespace eddy::connectors
