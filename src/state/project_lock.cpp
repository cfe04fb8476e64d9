#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "state/store.h"

namespace eddy::state {

ProjectLock::ProjectLock(const std::filesystem::path& dot_eddy, const std::string& command, int seconds) {
  std::filesystem::create_directories(dot_eddy);
  const auto file = dot_eddy / "lock";
  fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0)
    throw Error("state.unwritable", fmt::format("cannot open {}: {}", file.string(), std::strerror(errno)),
                "check the folder's permissions");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{seconds};
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      const std::string holder = trim(read_file(file));
      ::close(fd_);
      fd_ = -1;
      throw Error(
          "state.busy",
          fmt::format("another eddy works on this project: {}", holder.empty() ? "unknown process" : holder),
          "wait until it has finished, or end that process; nothing was changed");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  const std::string note = fmt::format("pid {}, eddy {}\n", ::getpid(), command);
  // The note only helps people; the lock is the flock itself.
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, note.data(), note.size(), 0) < 0) return;
}

ProjectLock::~ProjectLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace eddy::state
