#include "sync/group_commit.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace eddy::sync {

namespace {
// Workers wait for their group: a bound on memory, not on throughput.
constexpr std::size_t group_bytes_max = 4u << 20;
}  // namespace

void write_durably(int fd, std::string_view bytes, const std::filesystem::path& file) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      throw Error("sync.ledger_unwritable",
                  fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)),
                  "free space on its disk, then run again");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(fd) != 0)
    throw Error("sync.ledger_unwritable",
                fmt::format("cannot make {} durable: {}", file.string(), std::strerror(errno)),
                "check its disk, then run again");
}

GroupCommit::GroupCommit(int fd, std::filesystem::path file, Framing framing)
    : fd_(fd), file_(std::move(file)), framing_(std::move(framing)) {}

GroupCommit::~GroupCommit() { close(); }

void GroupCommit::append(std::string_view record) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] {
    return !failure_.empty() || pending_.empty() || pending_.size() + record.size() <= group_bytes_max;
  });
  const std::uint32_t group = gathering_;
  if (failure_.empty()) pending_ += record;
  while (failure_.empty() && groups_ < group) {
    // Whoever finds nobody writing writes: always the group that is gathering, for all that is before it is
    // on disk then.
    if (!led_)
      lead(lock);
    else
      written_[group % 2].wait(lock);
  }
  if (!failure_.empty())
    throw Error("sync.ledger_unwritable", failure_, "free space on its disk, then run again");
}

void GroupCommit::lead(std::unique_lock<std::mutex>& lock) {
  led_ = true;
  const std::string group = std::exchange(pending_, {});
  const std::uint32_t number = gathering_++;
  room_.notify_all();
  lock.unlock();
  std::string failure;
  try {
    write_durably(fd_, framing_(number, group), file_);
  } catch (const Error& error) {
    failure = error.message();
  } catch (const std::exception& error) {  // no memory: the others must not wait for ever
    failure = error.what();
  }
  lock.lock();
  led_ = false;
  groups_ = number;
  if (!failure.empty()) failure_ = failure;
  written_[number % 2].notify_all();
  if (failure_.empty()) {
    written_[gathering_ % 2].notify_one();  // one of those who wait for the next group leads it
  } else {
    written_[gathering_ % 2].notify_all();
    room_.notify_all();
  }
}

void GroupCommit::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::uint64_t GroupCommit::groups() const {
  const std::lock_guard lock(mutex_);
  return groups_;
}

}  // namespace eddy::sync
