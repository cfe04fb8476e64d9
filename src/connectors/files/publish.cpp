#include "connectors/files/publish.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "connectors/files/merge.h"
#include "core/error.h"
#include "core/files.h"

namespace eddy::connectors {
namespace fs = std::filesystem;

namespace {

void make_folders(const fs::path& folder) {
  if (fs::is_directory(folder)) return;
  make_folders(folder.parent_path());
  std::error_code error;
  fs::create_directory(folder, error);
  if (error)
    throw Error("destination.unwritable",
                fmt::format("cannot make the folder {}: {}", folder.string(), error.message()),
                "check free space and permissions");
  sync_path(folder.parent_path());
}

void put_in_place(const fs::path& next, const fs::path& file, const FileCheckpoint& before) {
  // A reader keeps the rights it had on the file that is replaced.
  struct stat old {};
  if (::stat(file.c_str(), &old) == 0) ::chmod(next.c_str(), old.st_mode & 07777);
  sync_path(next);
  if (before) before("rename");
  if (::rename(next.c_str(), file.c_str()) != 0)
    throw Error("destination.unwritable",
                fmt::format("cannot replace {}: {}", file.string(), std::strerror(errno)),
                "check permissions of the folder");
  sync_path(file.parent_path());
}

}  // namespace

void rethrow_as_unwritable(const Error& error, const fs::path& file) {
  if (error.code() != "engine.query_failed" && error.code() != "file.unwritable") throw error;
  throw Error(
      "destination.unwritable",
      fmt::format("{} cannot be written: {}", file.string(),
                  error.message().substr(0, error.message().find('\n'))),
      "check free space and permissions of the folder; what was acknowledged is kept beside the file");
}

void publish(engine::Connection& connection, WorkFolder& work, const JournalRun& run,
             const FileCheckpoint& before) {
  work.require();
  const auto segments = run.segments();
  if (segments.empty()) return;
  const bool whole = run.target.content == FileContent::whole;
  const fs::path file = whole ? run.target.file : run.target.changes_file(run.run);
  std::error_code ignored;
  try {
    // A file of changes has a name of its own: when it is there, it is all there.
    if (whole || !fs::exists(file)) {
      if (before) before("write");
      const std::string select =
          whole ? whole_sql(connection, StoredFile(connection, run.target), run, segments)
                : changes_sql(connection, run, segments);
      connection.execute(copy_sql(select, run.target, run.next_file()));
      make_folders(file.parent_path());
      put_in_place(run.next_file(), file, before);
    }
  } catch (const Error& error) {
    fs::remove(run.next_file(), ignored);
    rethrow_as_unwritable(error, file);
  }
  if (before) before("clear");
  // In order: what is left after a crash is the end of the story, and says again what the file holds.
  for (const fs::path& segment : segments) fs::remove(segment);
  sync_path(run.folder());
}

}  // namespace eddy::connectors
