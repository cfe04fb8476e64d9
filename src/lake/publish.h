// Files appear in the lake whole or not at all: written under .staging, made durable, then renamed into
// place. Being in place is not being visible: only the catalog (state::Store) makes a load or a model version
// count.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "state/store.h"

namespace eddy::lake {

// One file or folder on its way into the lake. Dies without publish(): what was written is removed. A process
// that dies leaves its staging entry behind with a lock file nobody holds, so that remove_abandoned() can
// tell it from a live one. Movable; belongs to one thread at a time. Errors: Error("file.unwritable"),
// Error("lake.exists").
class Staged {
 public:
  static Staged folder(const std::filesystem::path& lake);  // path() exists and is empty
  static Staged file(const std::filesystem::path& lake,
                     std::string_view extension = {});  // path() is yours to create
  Staged(Staged&& other) noexcept;
  ~Staged();

  const std::filesystem::path& path() const { return path_; }  // absolute when `lake` was
  // fsyncs all of it, renames it to lake/final (missing folders are made), fsyncs the folders on the way.
  // Never replaces: Error("lake.exists").
  void publish(const std::filesystem::path& final_below_lake);

 private:
  Staged(std::filesystem::path lake, std::string_view extension);
  std::filesystem::path lake_, path_, lock_path_;
  int lock_ = -1;
};

// Removes staging entries whose process is gone; those of live processes and threads stay. Returns how many
// were removed.
std::size_t remove_abandoned(const std::filesystem::path& lake);

// Removes load folders of a stream that the catalog does not know: a crash came between rename and commit.
// Only for whoever holds the project lock, and not while this stream is being loaded. Returns how many were
// removed.
std::size_t remove_uncommitted_loads(const std::filesystem::path& lake, state::Store& store,
                                     const std::string& source, const std::string& stream);

struct Retention {
  std::chrono::seconds age{std::chrono::hours{24 * 7}};  // younger versions stay
  std::size_t versions_min = 2;                          // so many of the newest stay, whatever their age
};

// Forgets and removes versions of a model beyond the retention, and version files that the catalog does not
// know. The current version always stays. Only for whoever holds the project lock, after commit_model.
// Returns how many were removed.
std::size_t collect_model_versions(const std::filesystem::path& lake, state::Store& store,
                                   const std::string& model, const Retention& retention, Clock::WallTime now);

}  // namespace eddy::lake
