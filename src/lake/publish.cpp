#include "lake/publish.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "lake/layout.h"

namespace eddy::lake {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view lock_suffix = ".lock";

[[noreturn]] void fail(std::string_view what, const fs::path& path) {
  throw Error("file.unwritable", fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)),
              "check free space and permissions of the lake folder");
}

// A lock that ends with the process. -1 when somebody else holds it or took the file away in between.
int take_lock(const fs::path& path, bool create) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0644);
  if (fd < 0) {
    if (create) fail("create", path);
    return -1;
  }
  struct stat held {
  }, named{};
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0 && ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
      held.st_ino == named.st_ino)
    return fd;
  ::close(fd);
  return -1;
}

void make_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    errno = error.value();
    fail("create", folder);
  }
}

void sync_tree(const fs::path& path) {
  if (fs::is_directory(path))
    for (const auto& entry : fs::directory_iterator(path)) sync_tree(entry.path());
  sync_path(path);
}

}  // namespace

Staged::Staged(fs::path lake, std::string_view extension) : lake_(std::move(lake)) {
  const fs::path staging = lake_ / staging_folder();
  make_folders(staging);
  // A cleaner of another process may hold the lock file in the instant after it is made: then take another
  // name.
  while (lock_ < 0) {
    const std::string id = new_id();
    path_ = staging / (id + std::string(extension));
    lock_path_ = staging / (id + std::string(extension) + std::string(lock_suffix));
    lock_ = take_lock(lock_path_, true);
  }
}

Staged Staged::folder(const fs::path& lake) {
  Staged staged(lake, {});
  make_folders(staged.path_);
  return staged;
}

Staged Staged::file(const fs::path& lake, std::string_view extension) { return Staged(lake, extension); }

Staged::Staged(Staged&& other) noexcept
    : lake_(std::move(other.lake_)),
      path_(std::move(other.path_)),
      lock_path_(std::move(other.lock_path_)),
      lock_(std::exchange(other.lock_, -1)) {}

Staged::~Staged() {
  if (lock_ < 0) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  ::unlink(lock_path_.c_str());
  ::close(lock_);
}

void Staged::publish(const fs::path& final_below_lake) {
  const fs::path target = lake_ / final_below_lake;
  if (fs::exists(target))
    throw Error("lake.exists", fmt::format("{} is already there", target.string()),
                "versions in the lake are never overwritten");
  sync_tree(path_);
  make_folders(target.parent_path());
  if (::rename(path_.c_str(), target.c_str()) != 0) fail("rename onto", target);
  // Each new folder's name lives in its parent: all of them, up to the lake folder itself.
  for (fs::path folder = final_below_lake.parent_path();; folder = folder.parent_path()) {
    sync_path(lake_ / folder);
    if (folder.empty()) break;
  }
}

std::size_t remove_abandoned(const fs::path& lake) {
  const fs::path staging = lake / staging_folder();
  std::size_t removed = 0;
  if (!fs::is_directory(staging)) return removed;
  std::set<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(staging)) {
    fs::path path = entry.path();
    entries.insert(path.extension() == lock_suffix ? path.replace_extension() : path);
  }
  for (const fs::path& path : entries) {
    const fs::path lock_path = path.string() + std::string(lock_suffix);
    const int lock = take_lock(lock_path, false);
    // The lock file is made before the entry and removed after it: an entry without one belongs to nobody.
    if (lock < 0 && fs::exists(lock_path)) continue;
    std::error_code error;
    removed += fs::remove_all(path, error) > 0 && !error ? 1 : 0;
    if (lock >= 0) {
      ::unlink(lock_path.c_str());
      ::close(lock);
    }
  }
  return removed;
}

std::size_t remove_uncommitted_loads(const fs::path& lake, state::Store& store, const std::string& source,
                                     const std::string& stream) {
  const fs::path folder = lake / stream_folder(source, stream);
  if (!fs::is_directory(folder)) return 0;
  std::set<std::string> known;
  for (const state::Load& load : store.loads(source, stream)) known.insert(load.id);
  std::vector<fs::path> orphans;
  for (const auto& entry : fs::directory_iterator(folder))
    if (!known.contains(entry.path().filename().string())) orphans.push_back(entry.path());
  for (const fs::path& orphan : orphans) fs::remove_all(orphan);
  return orphans.size();
}

std::size_t collect_model_versions(const fs::path& lake, state::Store& store, const std::string& model,
                                   const Retention& retention, Clock::WallTime now) {
  const auto current = store.current_model(model);
  const std::vector<state::ModelVersion> versions = store.model_versions(model);
  std::vector<std::string> forgotten;
  std::set<std::string> kept_files;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const state::ModelVersion& version = versions[i];
    const bool is_current = current && current->version == version.version;
    const bool young = now - parse_utc(version.built_at) <= retention.age;
    if (is_current || young || i < retention.versions_min)
      kept_files.insert((lake / version.path).filename().string());
    else
      forgotten.push_back(version.version);
  }
  // First the catalog, then the files: a crash in between leaves a file nobody knows, never a version without
  // its file.
  if (!forgotten.empty()) store.forget_model_versions(forgotten);
  const fs::path folder = lake / model_folder(model);
  if (!fs::is_directory(folder)) return 0;
  std::vector<fs::path> gone;
  for (const auto& entry : fs::directory_iterator(folder))
    if (!kept_files.contains(entry.path().filename().string())) gone.push_back(entry.path());
  for (const fs::path& path : gone) fs::remove_all(path);
  return gone.size();
}

}  // namespace eddy::lake
