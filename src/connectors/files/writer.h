// Writes the changes of one sync into a file.
//
// Why `applied` is true before the file holds the row. A file can only be written as a whole, at the end of a
// run; the verdict of a batch cannot wait for that. So deliver() makes each batch durable in the journal
// beside the file (journal.h) before it answers, and finish() makes journal and present file into the new
// file: written beside it, made durable, renamed over it, folder made durable; only then is the journal
// emptied. Whenever the process dies,
//   - before the rename: the old file is whole, and the journal is there;
//   - after it: the new file is whole, and what is left of the journal says again what the file holds
//   already.
// open() finishes what a former run has left before it does anything else, and so does the destructor of a
// writer that was never finished (interrupted, or failed). So every acknowledged row ends up in the file, and
// no reader ever sees half of one. With `content: changes` the journal becomes one more file, under the run's
// own name, once.
//
// What remains open: a run that was killed, and has no successor with a change to send, leaves its rows in
// the journal until there is one; unfinished() tells.
//
// Memory: one batch, and what the engine may use (512 MB); the rest spills into the folder of the journal.
#pragma once

#include <memory>
#include <optional>

#include "connectors/files/known_keys.h"
#include "connectors/files/merge.h"
#include "connectors/files/publish.h"
#include "core/clock.h"
#include "sync/destination.h"

namespace eddy::connectors {

class FileWriter final : public sync::Writer {
 public:
  // Takes the file's lock, and finishes what a former run has left. Throws Error("destination.…").
  FileWriter(const FileTarget& target, const sync::Delivery& delivery, Clock& clock,
             FileCheckpoint before = {});
  ~FileWriter() override;

  sync::Limits limits() const override { return {20'000, 16U << 20, 1}; }
  sync::Answer deliver(std::span<const Change> changes) override;
  std::vector<std::string> preview(std::span<const Change> changes) override;
  // May be followed by further batches, and another finish().
  void finish() override;
  const JournalRun& run() const { return journal_.run(); }  // of the batches since the last finish()

 private:
  struct Session;
  const FileTarget& target() const { return run().target; }
  void finish_what_was_left();
  void look_at_file();
  void look_for_repeated_keys(const StoredFile& stored);
  // Fills the table `batch`, and gives a verdict to every row that cannot be in it.
  void load(std::span<const Change> changes, std::vector<Verdict>& verdicts);
  void append_kept(engine::Appender& batch, const Change& change) const;
  void append_changed(engine::Appender& batch, const Change& change) const;
  std::optional<Verdict> cells_of(const Change& change, std::vector<std::optional<std::string>>& cells);
  // Takes the rows for which `condition` holds out of `batch`.
  void refuse(const std::string& condition, const Verdict& verdict, std::vector<Verdict>& verdicts);
  void refuse_what_does_not_fit(std::vector<Verdict>& verdicts);
  void refuse_by_mode(std::vector<Verdict>& verdicts);
  void write_segment();

  const sync::Mode mode_;
  const sync::Removal removed_;
  Clock& clock_;
  FileCheckpoint before_;
  Journal journal_;
  std::unique_ptr<Session> session_;  // the engine; gone before the journal, whose spill folder it uses
  std::vector<DecimalRoom> rooms_;    // of key and fields
  FileTypes types_;
  std::optional<KnownKeys> known_;
};

// A run has ended before its rows were in the file.
bool unfinished(const FileTarget& target);

}  // namespace eddy::connectors
