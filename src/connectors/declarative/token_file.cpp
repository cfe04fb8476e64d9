#include "connectors/declarative/token_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "core/files.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

void make_private_folder(const std::filesystem::path& folder) {
  std::error_code ignored;  // writing the file fails then
  std::filesystem::create_directories(folder, ignored);
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, ignored);
}

[[noreturn]] void unwritable(const std::filesystem::path& path) {
  throw Error("file.unwritable", fmt::format("{} cannot be written", path.string()),
              "check the folder's permissions and the disk");
}

}  // namespace

TokenFile::TokenFile(std::filesystem::path file, const std::string& origin)
    : file_(std::move(file)), fingerprint_(sha256_hex(origin)) {}

std::optional<std::string> TokenFile::read() const {
  if (file_.empty() || !std::filesystem::exists(file_)) return std::nullopt;
  try {
    const json content = json::parse(read_file(file_));
    if (content.at("of").get<std::string>() != fingerprint_) return std::nullopt;
    std::string token = content.at("refresh_token").get<std::string>();
    if (token.empty()) return std::nullopt;
    register_secret(token);
    return token;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

void TokenFile::write(const std::string& refresh_token) const {
  if (file_.empty()) return;
  make_private_folder(file_.parent_path());
  const std::string text = json{{"of", fingerprint_}, {"refresh_token", refresh_token}}.dump() + "\n";
  // Never readable by others, not even for a moment: the mode is there before the bytes are.
  const std::filesystem::path fresh = file_.string() + fmt::format(".{}", ::getpid());
  ::unlink(fresh.c_str());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) unwritable(fresh);
  const bool good =
      ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  ::close(fd);
  if (!good || ::rename(fresh.c_str(), file_.c_str()) != 0) {
    ::unlink(fresh.c_str());
    unwritable(file_);
  }
  sync_path(file_.parent_path());
}

TokenFile::Held::Held(const TokenFile& file, std::chrono::milliseconds patience) {
  if (!file.kept()) return;
  make_private_folder(file.file_.parent_path());
  fd_ = ::open((file.file_.string() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) != 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
}

TokenFile::Held::~Held() {
  if (fd_ >= 0) ::close(fd_);  // and drops the lock
}

}  // namespace eddy::connectors
