#include "support/private_server.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <stdexcept>

namespace eddy::testing {
namespace {
namespace fs = std::filesystem;

bool is_root() { return ::geteuid() == 0; }

const passwd& system_user(const std::string& name) {
  const passwd* entry = ::getpwnam(name.c_str());
  if (entry == nullptr)
    throw std::runtime_error("running as root, and there is no system user `" + name + "`");
  return *entry;
}

class FileLock {
 public:
  explicit FileLock(const fs::path& file) : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0) throw std::runtime_error("cannot lock " + file.string());
  }
  ~FileLock() { ::close(fd_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_;
};

}  // namespace

void require(const Finished& finished, const std::string& what) {
  if (finished.exit_code != 0) throw std::runtime_error(what + " failed:\n" + finished.out + finished.err);
}

PrivateServer::PrivateServer(Kind kind) : kind_(std::move(kind)) {
  fs::create_directories(sockets());
  give_to_server(scratch_.path());
  give_to_server(sockets());
}

PrivateServer::~PrivateServer() { stop(); }

// setpriv replaces itself by the program: the pid we hold is the server's own. The server also stops when the
// test is killed.
std::vector<std::string> PrivateServer::as_server(const std::vector<std::string>& argv) const {
  std::vector<std::string> words = {"setpriv", "--pdeathsig", ::sigabbrev_np(kind_.stop_signal)};
  if (is_root()) {
    const passwd& user = system_user(kind_.system_user);
    words.insert(words.end(), {"--reuid", std::to_string(user.pw_uid), "--regid", std::to_string(user.pw_gid),
                               "--init-groups"});
  }
  words.emplace_back("--");
  words.insert(words.end(), argv.begin(), argv.end());
  return words;
}

void PrivateServer::run_as_server(const std::vector<std::string>& argv) const {
  require(run({.argv = as_server(argv), .directory = "/"}), argv.front());
}

void PrivateServer::give_to_server(const fs::path& folder) const {
  if (!is_root()) return;
  const passwd& user = system_user(kind_.system_user);
  if (::chown(folder.c_str(), user.pw_uid, user.pw_gid) != 0)
    throw std::runtime_error("cannot give " + folder.string() + " to the user " + kind_.system_user);
}

void PrivateServer::copy_tree(const fs::path& from, const fs::path& to) const {
  std::vector<std::string> argv = {"cp", "-a", "--reflink=auto"};
  if (kind_.sparse_data) argv.emplace_back("--sparse=always");
  argv.insert(argv.end(), {from, to});
  require(run({.argv = argv}), "copying " + from.string());
}

// The build folder may lie where the server's user cannot go (below /root), so the work is done in scratch.
void PrivateServer::make_data(const std::string& name,
                              const std::function<void(const fs::path& fresh)>& initialise) {
  const fs::path cached = fs::path(EDDY_BINARY_DIR) / (name + (is_root() ? "-system" : ""));
  const FileLock lock(cached.string() + ".lock");
  if (!fs::exists(cached)) {
    const fs::path fresh = scratch_ / "fresh";
    initialise(fresh);
    fs::remove_all(cached.string() + ".part");
    copy_tree(fresh, cached.string() + ".part");
    fs::rename(cached.string() + ".part", cached);
    fs::remove_all(fresh);
  }
  copy_tree(cached, data());
}

void PrivateServer::start_on_free_port(CommandLine command_line) {
  command_line_ = std::move(command_line);
  // Another program may take the port between the question and the start.
  for (int attempt = 1; !server_; ++attempt) {
    port_ = free_port();
    try {
      start();
    } catch (const std::exception&) {
      if (attempt == 3) throw;
    }
  }
}

void PrivateServer::start() {
  if (server_) return;
  auto server =
      std::make_unique<Background>(Command{.argv = as_server(command_line_(port_)), .directory = "/"},
                                   scratch_ / ("log-" + std::to_string(++starts_)));
  server->wait_for(kind_.ready);
  server_ = std::move(server);
}

void PrivateServer::stop() {
  if (!server_) return;
  ::kill(server_->pid(), kind_.stop_signal);
  server_.reset();
}

std::string PrivateServer::log() const {
  std::string all;
  for (int i = 1; i <= starts_; ++i) all += scratch_.read("log-" + std::to_string(i));
  return all;
}

}  // namespace eddy::testing
