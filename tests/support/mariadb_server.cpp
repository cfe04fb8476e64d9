#include "support/mariadb_server.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <stdexcept>

namespace eddy::testing {
namespace {
namespace fs = std::filesystem;

constexpr const char* server_program = "/usr/sbin/mariadbd";

bool is_root() { return ::geteuid() == 0; }

const passwd& server_user() {
  const passwd* entry = ::getpwnam("mysql");
  if (entry == nullptr) throw std::runtime_error("running as root, and there is no system user `mysql`");
  return *entry;
}

// setpriv replaces itself by the program: the pid we hold is the server's own. The server also stops when the
// test is killed.
std::vector<std::string> as_server_user(const std::vector<std::string>& argv) {
  std::vector<std::string> words = {"setpriv", "--pdeathsig", "KILL"};
  if (is_root())
    words.insert(words.end(), {"--reuid", std::to_string(server_user().pw_uid), "--regid",
                               std::to_string(server_user().pw_gid), "--init-groups"});
  words.emplace_back("--");
  words.insert(words.end(), argv.begin(), argv.end());
  return words;
}

void give_to_server_user(const fs::path& folder) {
  if (is_root() && ::chown(folder.c_str(), server_user().pw_uid, server_user().pw_gid) != 0)
    throw std::runtime_error("cannot give " + folder.string() + " to the user mysql");
}

void require(const Finished& finished, const std::string& what) {
  if (finished.exit_code != 0) throw std::runtime_error(what + " failed:\n" + finished.out + finished.err);
}

void copy_tree(const fs::path& from, const fs::path& to) {
  require(run({.argv = {"cp", "-a", "--reflink=auto", "--sparse=always", from, to}}),
          "copying " + from.string());
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

// The build folder may lie where the server's user cannot go (below /root), so the work is done in `scratch`.
void make_data_folder(const fs::path& scratch) {
  const fs::path cached = fs::path(EDDY_BINARY_DIR) / (is_root() ? "mariadb-system" : "mariadb");
  const FileLock lock(cached.string() + ".lock");
  if (!fs::exists(cached)) {
    const fs::path fresh = scratch / "fresh";
    require(run({.argv = as_server_user({"mariadb-install-db", "--no-defaults", "--datadir=" + fresh.string(),
                                         "--auth-root-authentication-method=normal", "--skip-test-db",
                                         "--skip-name-resolve", "--innodb-log-file-size=8M"}),
                 .directory = "/"}),
            "mariadb-install-db");
    fs::remove_all(cached.string() + ".part");
    copy_tree(fresh, cached.string() + ".part");
    fs::rename(cached.string() + ".part", cached);
    fs::remove_all(fresh);
  }
  copy_tree(cached, scratch / "data");
}

}  // namespace

bool MariadbServer::installed() {
  return fs::exists(server_program) && run({.argv = {"which", "mariadb-install-db"}}).exit_code == 0;
}

MariadbServer::MariadbServer(Durability durability, std::vector<std::string> settings)
    : durability_(durability), settings_(std::move(settings)) {
  if (!installed()) throw std::runtime_error("MariaDB is not installed");
  fs::create_directories(socket().parent_path());
  give_to_server_user(scratch_.path());
  give_to_server_user(socket().parent_path());
  make_data_folder(scratch_.path());
  // Another program may take the port between the question and the start.
  for (int attempt = 1; !server_; ++attempt) {
    port_ = free_port();
    try {
      start();
    } catch (const std::exception&) {
      if (attempt == 3) throw;
    }
  }
  require(run({.argv = {"mariadb", "--no-defaults", "-S", socket(), "-u", "root"},
               .input = "create database " + database() + " character set utf8mb4; grant all on *.* to " +
                        user() + "@'%' identified by '" + password() + "' with grant option;"}),
          "making the fixture's user");
}

MariadbServer::~MariadbServer() { stop(); }

void MariadbServer::start() {
  if (server_) return;
  std::vector<std::string> argv = {
      server_program,
      "--no-defaults",
      "--datadir=" + (scratch_ / "data").string(),
      "--port=" + std::to_string(port_),
      "--socket=" + socket().string(),
      "--pid-file=" + (scratch_ / "socket/pid").string(),
      "--bind-address=127.0.0.1",
      "--skip-name-resolve",
      "--default-time-zone=+05:30",
      "--innodb-log-file-size=" + std::string(durability_ == Durability::off ? "8M" : "96M")};
  if (durability_ == Durability::off)
    argv.insert(argv.end(), {"--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0",
                             "--innodb-flush-method=nosync", "--innodb-buffer-pool-size=64M"});
  argv.insert(argv.end(), settings_.begin(), settings_.end());
  auto server = std::make_unique<Background>(Command{.argv = as_server_user(argv), .directory = "/"},
                                             scratch_ / ("log-" + std::to_string(++starts_)));
  server->wait_for("ready for connections");
  server_ = std::move(server);
}

void MariadbServer::stop() {
  if (!server_) return;
  ::kill(server_->pid(), SIGKILL);
  server_.reset();
}

std::string MariadbServer::log() const {
  std::string all;
  for (int i = 1; i <= starts_; ++i) all += scratch_.read("log-" + std::to_string(i));
  return all;
}

std::vector<std::string> MariadbServer::client() const {
  return {"mariadb",
          "--no-defaults",
          "-S",
          socket(),
          "-u",
          user(),
          "-p" + password(),
          "--local-infile=1",
          "--default-character-set=utf8mb4",
          database()};
}

std::string MariadbServer::sql(const std::string& statements) const {
  auto argv = client();
  argv.insert(argv.end(), {"--batch", "--raw", "--skip-column-names"});
  const Finished finished = run({.argv = argv, .input = statements});
  require(finished, "mariadb");
  return finished.out;
}

}  // namespace eddy::testing
