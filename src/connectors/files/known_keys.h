// The keys that a file holds, for the modes that must know: `update` never creates, `insert` never
// overwrites. A table of the engine, which spills what does not fit in memory.
#pragma once

#include <string>

#include "connectors/files/merge.h"
#include "engine/database.h"

namespace eddy::connectors {

class KnownKeys {
 public:
  // Reads them all. `batch` is the table in which a batch waits for its verdicts (merge.h, segment_columns).
  KnownKeys(engine::Connection& connection, const StoredFile& stored, const JournalRun& run,
            const FileTypes& types);

  std::string is_known() const;  // SQL: true for the rows of `batch` whose key is there
  void add_batch();              // the keys of `batch` are there from now on
  void remove_batch();           // … and no longer

 private:
  engine::Connection& connection_;
  std::string match_;  // SQL: a row of `known` is of the same key as a row of `batch`
  std::string told_;   // SQL: the keys of `batch`
};

}  // namespace eddy::connectors
