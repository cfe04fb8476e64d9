#include "support/postgres_server.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace eddy::testing {
namespace {
namespace fs = std::filesystem;

fs::path newest_bin() {
  fs::path best;
  int best_version = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version > best_version && fs::exists(entry.path() / "bin/initdb")) {
      best_version = version;
      best = entry.path() / "bin";
    }
  }
  return best;
}

bool is_root() { return ::geteuid() == 0; }

const passwd& server_user() {
  const passwd* entry = ::getpwnam("postgres");
  if (entry == nullptr) throw std::runtime_error("running as root, and there is no system user `postgres`");
  return *entry;
}

// setpriv replaces itself by the program: the pid we hold is the server's own. The server also stops when the
// test is killed.
std::vector<std::string> as_server_user(std::vector<std::string> argv) {
  std::vector<std::string> words = {"setpriv", "--pdeathsig", "QUIT"};
  if (is_root())
    words.insert(words.end(), {"--reuid", std::to_string(server_user().pw_uid), "--regid",
                               std::to_string(server_user().pw_gid), "--init-groups"});
  words.emplace_back("--");
  words.insert(words.end(), argv.begin(), argv.end());
  return words;
}

void give_to_server_user(const fs::path& folder) {
  if (is_root() && ::chown(folder.c_str(), server_user().pw_uid, server_user().pw_gid) != 0)
    throw std::runtime_error("cannot give " + folder.string() + " to the user postgres");
}

void require(const Finished& finished, const std::string& what) {
  if (finished.exit_code != 0) throw std::runtime_error(what + " failed:\n" + finished.out + finished.err);
}

void copy_tree(const fs::path& from, const fs::path& to) {
  require(run({.argv = {"cp", "-a", "--reflink=auto", from, to}}), "copying " + from.string());
}

void initialise(const fs::path& bin, const fs::path& data, const fs::path& password_file) {
  Command command{
      .argv = as_server_user({bin / "initdb", "-D", data, "-U", "postgres", "-N", "--no-instructions", "-E",
                              "UTF8", "--no-locale", "--wal-segsize=1", "--auth-local=trust",
                              "--auth-host=scram-sha-256", "--pwfile=" + password_file.string()}),
      .directory = "/"};
  require(run(command), "initdb");
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

// The build folder may lie where the server's user cannot go (below /root), so initdb works in `scratch`.
void make_data_folder(const fs::path& bin, const fs::path& scratch, const std::string& password) {
  const fs::path cached = fs::path(EDDY_BINARY_DIR) / ("postgres-" + bin.parent_path().filename().string() +
                                                       (is_root() ? "-system" : ""));
  const FileLock lock(cached.string() + ".lock");
  if (!fs::exists(cached)) {
    const fs::path password_file = scratch / "password";
    std::ofstream(password_file) << password << '\n';
    initialise(bin, scratch / "fresh", password_file);
    fs::remove_all(cached.string() + ".part");
    copy_tree(scratch / "fresh", cached.string() + ".part");
    fs::rename(cached.string() + ".part", cached);
    fs::remove_all(scratch / "fresh");
  }
  copy_tree(cached, scratch / "data");
}

}  // namespace

bool PostgresServer::installed() { return !newest_bin().empty(); }

PostgresServer::PostgresServer(Durability durability) : durability_(durability), bin_(newest_bin()) {
  if (bin_.empty()) throw std::runtime_error("PostgreSQL is not installed");
  fs::create_directories(socket_folder());
  give_to_server_user(scratch_.path());
  give_to_server_user(socket_folder());
  make_data_folder(bin_, scratch_.path(), password());
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

PostgresServer::~PostgresServer() { stop(); }

void PostgresServer::start() {
  if (server_) return;
  std::vector<std::string> argv = {bin_ / "postgres",
                                   "-D",
                                   scratch_ / "data",
                                   "-p",
                                   std::to_string(port_),
                                   "-c",
                                   "listen_addresses=127.0.0.1",
                                   "-c",
                                   "unix_socket_directories=" + socket_folder().string(),
                                   "-c",
                                   "lc_messages=C",
                                   "-c",
                                   "timezone=Europe/Berlin"};
  if (durability_ == Durability::off)
    argv.insert(argv.end(), {"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
                             "-c", "autovacuum=off"});
  auto server = std::make_unique<Background>(Command{.argv = as_server_user(argv), .directory = "/"},
                                             scratch_ / ("log-" + std::to_string(++starts_)));
  server->wait_for("database system is ready to accept connections");
  server_ = std::move(server);
}

void PostgresServer::stop() {
  if (!server_) return;
  ::kill(server_->pid(), SIGQUIT);
  server_.reset();
}

std::string PostgresServer::log() const {
  std::string all;
  for (int i = 1; i <= starts_; ++i) all += scratch_.read("log-" + std::to_string(i));
  return all;
}

std::string PostgresServer::conninfo() const {
  return "host=" + host() + " port=" + std::to_string(port_) + " user=" + user() + " password=" + password() +
         " dbname=" + database();
}

std::string PostgresServer::sql(const std::string& statements) const {
  const Finished finished =
      run({.argv = {bin_ / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", socket_folder(),
                    "-p", std::to_string(port_), "-U", user(), "-d", database(), "-f", "-"},
           .environment = {{"PGTZ", "UTC"}, {"PGCLIENTENCODING", "UTF8"}},
           .input = statements});
  require(finished, "psql");
  return finished.out;
}

}  // namespace eddy::testing
