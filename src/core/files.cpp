#include "core/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/error.h"
#include "core/text.h"

namespace eddy {
namespace {
[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what) {
  throw Error("file.unwritable", fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)),
              "check free space and permissions of the folder");
}
}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::error_code ignored;
  if (!in || std::filesystem::is_directory(path, ignored))
    throw Error("file.unreadable", fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  return {std::istreambuf_iterator<char>(in), {}};
}

void sync_path(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(path, "open");
  const int result = ::fsync(fd);
  ::close(fd);
  if (result != 0) fail(path, "sync");
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::filesystem::create_directories(folder);
  const std::filesystem::path staged = folder / fmt::format(".{}.{}", path.filename().string(), new_id());
  const int fd = ::open(staged.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) fail(staged, "create");
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      ::close(fd);
      ::unlink(staged.c_str());
      fail(staged, "write");
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0 || ::close(fd) != 0) fail(staged, "sync");
  if (::rename(staged.c_str(), path.c_str()) != 0) fail(path, "rename onto");
  sync_path(folder);
}

}  // namespace eddy
