// When this project may last have made a record of one object, for lookups that lag.
//
// A search that does not show at once what was written cannot tell a record that was never made from one that
// was made a moment ago. Within a run BranchWriter knows what it has made; the run that follows knows only
// what is kept here: the time of the last create, in `.eddy/jobs/<connection>/made.<object>`, durable before
// the request leaves.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "core/clock.h"

namespace eddy::connectors {

// Thread-safe after its making.
class RecentCreates {
 public:
  // `folder` of the connection; empty: nothing is kept, and each writer takes it that something was made just
  // before it.
  RecentCreates(const std::filesystem::path& folder, const std::string& object, std::chrono::milliseconds lag,
                Clock& clock);

  // A search shows from then on whatever was made before this writer was opened.
  Clock::MonotonicTime shown_from() const { return shown_from_; }
  // The same of what leaves now. Throws Error("file.unwritable"); nothing may leave then.
  Clock::MonotonicTime about_to_make() const;

 private:
  std::filesystem::path file_;
  std::chrono::milliseconds lag_;
  Clock& clock_;
  Clock::MonotonicTime shown_from_;
};

}  // namespace eddy::connectors
