// The ledger of one delivery: an append-only file `.eddy/ledger/<sync>/<run>.ledger` with one verdict per
// row, durable before anything is built upon it. What a run has learned survives a kill at any instruction,
// and is folded into the snapshot later (fold.h).
//
// Format (little endian): header frame, then frames of records. A frame is magic, sequence number, length,
// CRC-32C, payload; each is one write and one fdatasync, shared by all workers that waited for it (group
// commit). A frame that is not whole at the end of the file is a write that was cut off: nobody was told that
// it is durable, so it is dropped. Damage before the last frame is an error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sync/group_commit.h"

namespace eddy::sync {

// What the ledger knows of one row, at last.
enum class RowFate : std::uint8_t { applied, rejected, in_doubt, gave_up, not_applied };
std::string_view name_of(RowFate fate);

struct LedgerHeader {
  std::string sync, plan_id, run_id;
  std::uint64_t epoch = 0;
  std::uint64_t rows = 0;  // in the plan
  bool unsafe = false;     // mode insert: a row with an intent and no verdict must not be sent again
};

struct RowVerdict {
  std::uint64_t number = 0;
  RowFate fate = RowFate::applied;
  bool created = false;
  std::uint32_t attempts = 1;
  std::string code, message, destination_id;
};

// Writing. Thread-safe: record() and intend() may be called from all workers.
class Ledger {
 public:
  // Creates the file; the header and the folder entry are durable afterwards. Throws
  // Error("sync.ledger_unwritable").
  Ledger(std::filesystem::path file, const LedgerHeader& header);
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // Both return when the record is durable. Throw Error("sync.ledger_unwritable"); nothing may be sent or
  // believed after that.
  void record(std::span<const RowVerdict> verdicts);
  void intend(std::uint64_t first, std::uint64_t count);  // these rows may leave from now on
  void intend(std::span<const std::uint64_t> numbers);
  // The run ended in order: rows with an intent and no verdict did not leave. Durable on return.
  void end();
  void close() { commits_->close(); }  // waits for what is pending

  std::uint64_t groups() const { return commits_->groups(); }  // number of fdatasyncs, for measuring

 private:
  std::optional<GroupCommit> commits_;  // made once the header is durable
};

// Reading. `intent` is called with ranges of rows that were allowed to leave, `verdict` with each verdict, in
// file order.
struct LedgerReading {
  LedgerHeader header;
  std::string digest;            // SHA-256 of all whole frames: one link of the snapshot's chain
  std::uint64_t torn_bytes = 0;  // dropped from the end
  bool ended = false;            // end() was written
};
// nullopt: the file ends inside its header, so nothing was ever sent. Throws Error("sync.ledger_damaged").
std::optional<LedgerReading> read_ledger(
    const std::filesystem::path& file,
    const std::function<void(std::uint64_t first, std::uint64_t count)>& intent,
    const std::function<void(const RowVerdict&)>& verdict);

}  // namespace eddy::sync
