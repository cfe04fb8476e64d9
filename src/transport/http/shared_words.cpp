#include "transport/http/shared_words.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace eddy::http {

namespace {

constexpr std::int64_t magic = 0x3145434150594445;  // "EDYPACE1"
constexpr std::size_t head_words = 3;               // magic, boot, shape
constexpr auto holder_patience = std::chrono::seconds{2};
constexpr off_t lock_byte = 0, first_flag_byte = 1;

std::int64_t boot() {
  static const std::int64_t id = [] {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string text;
    std::getline(file, text);
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
    return static_cast<std::int64_t>(hash);
  }();
  return id;
}

off_t place_of(std::size_t word) { return static_cast<off_t>(word * sizeof(std::int64_t)); }

// False only when another process has the byte.
bool set_lock(int fd, short type, off_t byte) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = byte;
  range.l_len = 1;
  while (::fcntl(fd, F_OFD_SETLK, &range) != 0) {
    if (errno == EINTR) continue;
    return errno != EAGAIN && errno != EACCES;
  }
  return true;
}

}  // namespace

SharedWords::SharedWords(std::filesystem::path file, std::uint64_t shape, std::size_t count, Life life)
    : file_(std::move(file)), shape_(shape), count_(count), boot_(life == Life::boot ? boot() : 0) {
  if (file_.empty())
    go_alone();
  else
    open_file();
}

SharedWords::~SharedWords() {
  if (fd_ >= 0) ::close(fd_);
}

void SharedWords::open_file() {
  std::error_code ignored;  // open() fails then
  std::filesystem::create_directories(file_.parent_path(), ignored);
  fd_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) {
    go_alone();
    return;
  }
  lock_file();
  if (fd_ >= 0 && !file_is_ours()) make_anew();
  if (fd_ >= 0) set_lock(fd_, F_UNLCK, lock_byte);
}

void SharedWords::go_alone() {
  if (fd_ >= 0) ::close(fd_);  // and drops its locks
  fd_ = -1;
  own_.assign(count_, 0);
}

void SharedWords::lock_file() {
  const auto until = std::chrono::steady_clock::now() + holder_patience;
  while (!set_lock(fd_, F_WRLCK, lock_byte)) {
    if (std::chrono::steady_clock::now() > until) {
      go_alone();  // a process that was stopped while it held the lock must not stop us too
      return;
    }
    std::this_thread::sleep_for(std::chrono::microseconds{50});
  }
}

bool SharedWords::file_is_ours() const {
  std::array<std::int64_t, head_words> head{};
  struct stat info {};
  return ::fstat(fd_, &info) == 0 && info.st_size == place_of(head_words + count_) &&
         ::pread(fd_, head.data(), sizeof head, 0) == static_cast<ssize_t>(sizeof head) && head[0] == magic &&
         head[1] == boot_ && head[2] == static_cast<std::int64_t>(shape_);
}

void SharedWords::make_anew() {
  const std::vector<std::int64_t> zeros(head_words + count_);
  const std::array<std::int64_t, head_words> head{magic, boot_, static_cast<std::int64_t>(shape_)};
  const auto bytes = static_cast<ssize_t>(zeros.size() * sizeof(std::int64_t));
  // The head goes in last: a kill in between leaves a file that is made anew again.
  if (::ftruncate(fd_, bytes) != 0 ||
      ::pwrite(fd_, zeros.data(), static_cast<std::size_t>(bytes), 0) != bytes ||
      ::pwrite(fd_, head.data(), sizeof head, 0) != static_cast<ssize_t>(sizeof head))
    go_alone();
}

SharedWords::Held::Held(SharedWords& owner) : owner_(owner), lock_(owner.mutex_) {
  if (owner_.fd_ < 0) return;
  owner_.lock_file();
  if (owner_.fd_ < 0) return;
  struct stat info {};
  if (::fstat(owner_.fd_, &info) == 0 && info.st_nlink == 0) {
    // Somebody deleted it, and others may have made another since.
    ::close(std::exchange(owner_.fd_, -1));
    owner_.open_file();
    if (owner_.fd_ >= 0) owner_.lock_file();
    return;
  }
  if (owner_.file_is_ours()) return;
  std::array<std::int64_t, head_words> head{};
  const bool other_meaning = ::pread(owner_.fd_, head.data(), sizeof head, 0) == sizeof head &&
                             head[0] == magic && head[1] == owner_.boot_ &&
                             head[2] != static_cast<std::int64_t>(owner_.shape_);
  // A process that was started with newer settings has made the file its own: it shall keep it.
  if (other_meaning)
    owner_.go_alone();
  else
    owner_.make_anew();
}

SharedWords::Held::~Held() {
  if (owner_.fd_ >= 0) set_lock(owner_.fd_, F_UNLCK, lock_byte);
}

std::int64_t SharedWords::Held::get(std::size_t index) const {
  if (owner_.fd_ < 0) return owner_.own_[index];
  std::int64_t value = 0;
  if (::pread(owner_.fd_, &value, sizeof value, place_of(head_words + index)) != sizeof value) return 0;
  return value;
}

void SharedWords::Held::set(std::size_t index, std::int64_t value) {
  if (owner_.fd_ < 0)
    owner_.own_[index] = value;
  else if (::pwrite(owner_.fd_, &value, sizeof value, place_of(head_words + index)) != sizeof value)
    owner_.go_alone();
}

bool SharedWords::raise_flag(std::size_t index) {
  const std::lock_guard lock(mutex_);
  return fd_ < 0 || set_lock(fd_, F_WRLCK, first_flag_byte + static_cast<off_t>(index));
}

void SharedWords::drop_flag(std::size_t index) {
  const std::lock_guard lock(mutex_);
  if (fd_ >= 0) set_lock(fd_, F_UNLCK, first_flag_byte + static_cast<off_t>(index));
}

bool SharedWords::shared() const {
  const std::lock_guard lock(mutex_);
  return fd_ >= 0;
}

}  // namespace eddy::http
