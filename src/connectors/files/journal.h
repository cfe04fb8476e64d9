// What a destination file was told and does not hold yet: a hidden folder beside it.
//
//   .customers.csv.eddy/        locked (flock) by the process that writes the file
//     <run>/                    one run: 20261123T105342Z-01J…
//       run.json                what its segments mean; written before the first of them
//       000000000001.segment    the rows of one batch (Parquet): all cells as text, operation, order
//       next                    the new file on its way
//     <run>.spill/              the engine's
//
// A segment is acknowledged only when its bytes, its name and the folders' names are on disk; so every row
// for which deliver() answered `applied` is in the file or here, whatever happens to the process, and whoever
// writes the file next finds it. What is half written has no name that counts.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connectors/files/target.h"
#include "core/value.h"

namespace eddy::connectors {

// The hidden folder of one file. All writers of this process share it (`removed: set` makes two for one
// sync); another process gets Error("destination.locked").
class WorkFolder {
 public:
  static std::shared_ptr<WorkFolder> of(const FileTarget& target);
  ~WorkFolder();  // the folder goes when nothing is left in it
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  // Held by whoever reads the file, or puts another in its place. Guards `settled`.
  std::mutex& turn() { return turn_; }
  bool settled = false;  // what former processes have left is in the file
  // Throws Error("destination.unwritable") when the folder is not the one that was locked: it was moved away,
  // or the disk is gone.
  void require() const;

 private:
  explicit WorkFolder(const FileTarget& target);
  std::filesystem::path file_, folder_;
  int lock_ = -1;
  std::mutex turn_;
};

struct JournalRun {
  std::string run;  // names files of changes, too; sorts by time
  FileTarget target;
  Schema key, fields;

  std::filesystem::path folder() const { return target.work_folder() / run; }
  std::filesystem::path next_file() const {
    return folder() / "next";
  }                                                     // on the target's disk: rename() is atomic
  std::vector<std::filesystem::path> segments() const;  // in order
};

// The runs that have segments, oldest first. Throws Error("destination.journal_damaged").
std::vector<JournalRun> journal_runs(const FileTarget& target);

// Writing. Belongs to one thread at a time.
class Journal {
 public:
  Journal(std::shared_ptr<WorkFolder> work, JournalRun run);
  ~Journal();  // the run's folder goes when it has no segments
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  const JournalRun& run() const { return run_; }
  WorkFolder& work() { return *work_; }
  const std::filesystem::path& spill() const { return spill_; }
  // A segment is written to staging() and becomes one with commit(), which is durable on return.
  std::filesystem::path staging() const { return run_.folder() / "segment.next"; }
  std::uint64_t next_number() const { return segments_ + 1; }
  void commit();
  void discard();
  std::uint64_t committed() const { return segments_; }
  // All of it is in the file: what follows is another run.
  void start_anew(std::string run);

 private:
  std::shared_ptr<WorkFolder> work_;
  JournalRun run_;
  std::filesystem::path spill_;
  std::uint64_t segments_ = 0;
};

}  // namespace eddy::connectors
