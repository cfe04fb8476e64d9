// A small project that is run by the real program, and the books in which a test reads what became of it.
//
// Its model has some forty people with a name and a score, read from a CSV file. On each day some of them
// have changed, some have gone and some are new.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "fault.h"
#include "support/process.h"

namespace eddy::testing {

using Records = std::map<std::string, std::string>;  // key -> "name|score"

// The model on that day.
Records people(int day, int rows = 40);

// What a destination has written down by itself.
struct Book {
  Records records;                                             // what it holds now
  std::map<std::string, int> created;                          // key -> how many records were made with it
  std::map<std::pair<std::string, std::string>, int> applied;  // (key, fields) -> how often that was written
};

class SmallProject {
 public:
  // Files that are always there; `sync` is the text of syncs/people.yml, `connections` of connections.yml.
  SmallProject(std::filesystem::path folder, const std::string& connections, const std::string& sync);
  // Nothing but connections.yml and syncs/: the model is the table crm.people of the connection `warehouse`.
  static SmallProject with_own_warehouse(std::filesystem::path folder, const std::string& connections,
                                         const std::string& sync);

  const std::filesystem::path& folder() const { return folder_; }
  void write(const std::string& name, const std::string& text) const;
  void set_model(const Records& records) const;
  // A copy that goes its own way; the copy's folder must not exist.
  SmallProject copy_to(const std::filesystem::path& folder) const;
  // The same project, whose folder a test has brought elsewhere.
  SmallProject move_to(const std::filesystem::path& folder) const { return SmallProject(folder); }

  // Of build/…/bin/eddy, or of the program that EDDY_FAULTS_PROGRAM names.
  Command command(const std::vector<std::string>& arguments, const Fault* fault = nullptr) const;
  Finished eddy(const std::vector<std::string>& arguments) const;
  Finished eddy(const std::vector<std::string>& arguments, const Fault& fault) const;
  LastCall last_call() const { return testing::last_call(aside()); }

  // What the program has recorded as delivered: the snapshot, without rows it is not sure of. Reads a copy,
  // so that the files stay as a crash has left them.
  Records snapshot() const;
  // Keys of open rejects by outcome: rejected | in_doubt | retry.
  std::map<std::string, std::set<std::string>> open_rejects() const;
  // The counts of the sync in the newest run, as `eddy runs ID --json` tells them.
  std::map<std::string, std::int64_t> counts() const;

 private:
  explicit SmallProject(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path aside() const { return folder_.string() + ".aside"; }
  std::filesystem::path folder_;
};

// A SQLite file as destination that writes down by triggers whatever is done to its table. `unique`: the key
// is.
struct SqliteBook {
  static void create(const std::filesystem::path& file, const std::string& journal_mode);
  static Book read(const std::filesystem::path& file);
};

// The differences between what should be there and what is, as lines; "" when there are none.
std::string difference(const Records& expected, const Records& actual);

}  // namespace eddy::testing
