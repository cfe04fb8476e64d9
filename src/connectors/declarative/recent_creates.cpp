#include "connectors/declarative/recent_creates.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

namespace eddy::connectors {

namespace {

// How long ago the last create was; nothing when there was none. What cannot be read, or lies in the future
// of a clock that was set back, counts as just now.
std::chrono::microseconds age_of_last(const std::filesystem::path& file, Clock& clock) {
  std::error_code none;
  if (!file.empty() && !std::filesystem::exists(file, none)) return std::chrono::hours{24 * 365};
  if (file.empty()) return {};
  try {
    return std::max(std::chrono::microseconds{0}, clock.now() - parse_utc(trim(read_file(file))));
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

RecentCreates::RecentCreates(const std::filesystem::path& folder, const std::string& object,
                             std::chrono::milliseconds lag, Clock& clock)
    : file_(folder.empty() ? folder : folder / ("made." + percent_encode(object))),
      lag_(lag),
      clock_(clock),
      shown_from_(clock.monotonic() + lag) {
  shown_from_ -= std::min<std::chrono::microseconds>(lag, age_of_last(file_, clock));
}

Clock::MonotonicTime RecentCreates::about_to_make() const {
  if (!file_.empty()) {
    std::error_code said_by_the_write;
    std::filesystem::create_directories(file_.parent_path(), said_by_the_write);
    write_file_atomically(file_, format_utc(clock_.now()) + "\n");
  }
  return clock_.monotonic() + lag_;
}

}  // namespace eddy::connectors
