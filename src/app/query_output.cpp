#include "app/query_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/error.h"
#include "core/secrets.h"

namespace eddy::app {
namespace {

constexpr std::size_t memory_bytes_max = 4 << 20, piece_bytes_max = 1 << 20;

// Or a disk that fails.
[[noreturn]] void no_room(const std::filesystem::path& folder) {
  throw Error("query.no_room",
              fmt::format("rows that nobody has read yet cannot be kept in {}: {}", folder.string(),
                          std::strerror(errno)),
              "free space on that disk, or write the result into a file");
}

int unnamed_file(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::string name = (folder / "query-XXXXXX").string();
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file >= 0) ::unlink(name.c_str());
  return file;
}

}  // namespace

QueryOutput::QueryOutput(std::filesystem::path folder)
    : folder_(std::move(folder)), printer_([this] { print(); }) {}

QueryOutput::~QueryOutput() {
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) closed_ = true;
    ended_ = true;
  }
  changed_.notify_all();
  if (printer_.joinable()) printer_.join();
  if (file_ >= 0) ::close(file_);
}

bool QueryOutput::write(std::string_view text) {
  const std::string safe = redact(text);
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    if (file_begin_ == file_end_ && memory_.size() + safe.size() <= memory_bytes_max)
      memory_ += safe;
    else
      put_into_file(safe);
  }
  changed_.notify_all();
  return true;
}

void QueryOutput::finish() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  printer_.join();
  if (unreadable_) no_room(folder_);
}

void QueryOutput::put_into_file(std::string_view text) {
  if (file_ < 0) file_ = unnamed_file(folder_);
  if (file_ < 0) no_room(folder_);
  while (!text.empty()) {
    const ssize_t n = ::pwrite(file_, text.data(), text.size(), static_cast<off_t>(file_end_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) no_room(folder_);
    file_end_ += static_cast<std::uint64_t>(n);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Called with the mutex. Empty: nothing waits.
std::string QueryOutput::take() {
  std::string piece;
  if (!memory_.empty()) {
    piece.swap(memory_);
    return piece;
  }
  if (file_begin_ == file_end_) return piece;
  piece.resize(std::min<std::uint64_t>(piece_bytes_max, file_end_ - file_begin_));
  const ssize_t n = ::pread(file_, piece.data(), piece.size(), static_cast<off_t>(file_begin_));
  if (n <= 0) {
    closed_ = unreadable_ = true;
    return {};
  }
  piece.resize(static_cast<std::size_t>(n));
  file_begin_ += static_cast<std::uint64_t>(n);
  if (file_begin_ == file_end_) {
    file_begin_ = file_end_ = 0;
    if (::ftruncate(file_, 0) != 0) return piece;  // only costs room
  }
  return piece;
}

void QueryOutput::print() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ended_ || !memory_.empty() || file_begin_ != file_end_; });
    const std::string piece = closed_ ? std::string() : take();
    if (piece.empty()) return;
    lock.unlock();
    const bool taken =
        std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size() && std::fflush(stdout) == 0;
    lock.lock();
    if (!taken) closed_ = true;
  }
}

}  // namespace eddy::app
