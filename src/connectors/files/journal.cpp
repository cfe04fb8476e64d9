#include "connectors/files/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"

namespace eddy::connectors {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::string_view segment_ending = ".segment";
constexpr const char* description = "run.json";

[[noreturn]] void fail(std::string_view what, const fs::path& path) {
  throw Error("destination.unwritable",
              fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)),
              "check free space and permissions of the folder");
}

bool same_folder(int fd, const fs::path& folder) {
  struct stat held {
  }, named{};
  return ::fstat(fd, &held) == 0 && ::stat(folder.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

// The lock is on the folder itself, so that nothing has to be left behind. -1: somebody else has it.
int lock_folder(const fs::path& folder) {
  for (;;) {
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) fail("make the folder", folder);
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
      if (errno == ENOENT) continue;  // its last user has just taken it away
      fail("open", folder);
    }
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      ::close(fd);
      return -1;
    }
    if (same_folder(fd, folder)) return fd;
    ::close(fd);
  }
}

json to_json(const Schema& columns) {
  json out = json::array();
  for (const Column& column : columns) out.push_back({{"name", column.name}, {"type", name_of(column.type)}});
  return out;
}

Schema schema_of(const json& list) {
  Schema out;
  for (const json& item : list) {
    Column& column = out.emplace_back();
    column.name = item.at("name");
    if (!parse_type(item.at("type").get<std::string>(), column.type))
      throw std::runtime_error("unknown type");
  }
  return out;
}

template <typename Word>
Word word(const json& text, int count) {
  for (int i = 0; i < count; ++i)
    if (name_of(static_cast<Word>(i)) == text.get<std::string>()) return static_cast<Word>(i);
  throw std::runtime_error("unknown word");
}

}  // namespace

std::shared_ptr<WorkFolder> WorkFolder::of(const FileTarget& target) {
  static std::mutex mutex;
  static std::map<fs::path, std::weak_ptr<WorkFolder>> in_use;
  const std::lock_guard lock(mutex);
  std::weak_ptr<WorkFolder>& slot = in_use[fs::weakly_canonical(target.work_folder())];
  if (auto there = slot.lock()) return there;
  std::shared_ptr<WorkFolder> fresh(new WorkFolder(target));
  slot = fresh;
  return fresh;
}

WorkFolder::WorkFolder(const FileTarget& target) : file_(target.file), folder_(target.work_folder()) {
  lock_ = lock_folder(folder_);
  if (lock_ < 0)
    throw Error("destination.locked", fmt::format("{} is being written by another process", file_.string()),
                "wait until that run has ended");
  sync_path(folder_.parent_path());
}

WorkFolder::~WorkFolder() {
  ::rmdir(folder_.c_str());  // stays when it is not empty
  ::close(lock_);
}

void WorkFolder::require() const {
  if (!same_folder(lock_, folder_))
    throw Error("destination.unwritable",
                fmt::format("the folder of {} has gone while it was being written", file_.string()),
                "bring it back; what was acknowledged lies in it");
}

std::vector<fs::path> JournalRun::segments() const {
  std::vector<fs::path> out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder(), ignored))
    if (entry.path().extension() == segment_ending) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<JournalRun> journal_runs(const FileTarget& target) {
  std::vector<JournalRun> out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(target.work_folder(), ignored)) {
    JournalRun run{entry.path().filename().string(), target, {}, {}};
    if (!entry.is_directory() || run.segments().empty()) continue;
    try {
      const json j = json::parse(read_file(entry.path() / description));
      run.key = schema_of(j.at("key"));
      run.fields = schema_of(j.at("fields"));
      run.target.format = word<FileFormat>(j.at("format"), 3);
      run.target.compression = word<FileCompression>(j.at("compression"), 3);
      run.target.content = word<FileContent>(j.at("content"), 2);
    } catch (const std::exception& e) {
      throw Error("destination.journal_damaged",
                  fmt::format("{} holds rows that are not in {} yet, but what they mean cannot be read: {}",
                              entry.path().string(), target.file.string(), e.what()),
                  "bring run.json back from a copy; or move the folder away and send all rows again");
    }
    out.push_back(std::move(run));
  }
  std::sort(out.begin(), out.end(), [](const JournalRun& a, const JournalRun& b) { return a.run < b.run; });
  return out;
}

Journal::Journal(std::shared_ptr<WorkFolder> work, JournalRun run)
    : work_(std::move(work)), run_(std::move(run)), spill_(run_.folder().string() + ".spill") {
  start_anew(run_.run);
}

Journal::~Journal() {
  std::error_code ignored;
  fs::remove_all(spill_, ignored);
  if (run_.segments().empty()) {
    fs::remove_all(run_.folder(), ignored);
    return;
  }
  fs::remove(run_.next_file(), ignored);
  discard();
}

void Journal::start_anew(std::string run) {
  if (run != run_.run) {
    std::error_code ignored;
    fs::remove_all(run_.folder(), ignored);
  }
  run_.run = std::move(run);
  segments_ = 0;
  if (::mkdir(run_.folder().c_str(), 0755) != 0) fail("make the folder", run_.folder());
}

void Journal::commit() {
  work_->require();
  if (segments_ == 0) {
    write_file_atomically(run_.folder() / description, json{{"format", name_of(run_.target.format)},
                                                            {"compression", name_of(run_.target.compression)},
                                                            {"content", name_of(run_.target.content)},
                                                            {"key", to_json(run_.key)},
                                                            {"fields", to_json(run_.fields)}}
                                                           .dump(1));
    sync_path(run_.target.work_folder());
  }
  sync_path(staging());
  const fs::path segment = run_.folder() / fmt::format("{:012}{}", next_number(), segment_ending);
  if (::rename(staging().c_str(), segment.c_str()) != 0) fail("rename onto", segment);
  try {
    sync_path(run_.folder());
  } catch (const Error&) {
    // Nobody is told that these rows are safe; they must not turn up later.
    ::unlink(segment.c_str());
    throw;
  }
  ++segments_;
}

void Journal::discard() {
  std::error_code ignored;
  fs::remove(staging(), ignored);
}

}  // namespace eddy::connectors
