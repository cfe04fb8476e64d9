#include "support/postgres_server.h"

#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>
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

}  // namespace

bool PostgresServer::installed() { return !newest_bin().empty(); }

PostgresServer::PostgresServer(Durability durability)
    : bin_(newest_bin()),
      server_({.system_user = "postgres",
               .stop_signal = SIGQUIT,
               .ready = "database system is ready to accept connections"}) {
  if (bin_.empty()) throw std::runtime_error("PostgreSQL is not installed");
  server_.make_data("postgres-" + bin_.parent_path().filename().string(), [&](const fs::path& fresh) {
    const fs::path password_file = server_.folder().write("password", fmt::format("{}\n", password()));
    server_.run_as_server({bin_ / "initdb", "-D", fresh, "-U", "postgres", "-N", "--no-instructions", "-E",
                           "UTF8", "--no-locale", "--wal-segsize=1", "--auth-local=trust",
                           "--auth-host=scram-sha-256", "--pwfile=" + password_file.string()});
  });
  server_.start_on_free_port([this, durability](int port) {
    std::vector<std::string> argv = {bin_ / "postgres", "-D", server_.data(), "-p", std::to_string(port)};
    for (const std::string& setting :
         {std::string("listen_addresses=127.0.0.1"), "unix_socket_directories=" + socket_folder().string(),
          std::string("lc_messages=C"), std::string("timezone=Europe/Berlin")})
      argv.insert(argv.end(), {"-c", setting});
    if (durability == Durability::off)
      argv.insert(argv.end(), {"-c", "fsync=off", "-c", "synchronous_commit=off", "-c",
                               "full_page_writes=off", "-c", "autovacuum=off"});
    return argv;
  });
}

std::string PostgresServer::conninfo() const {
  return "host=" + host() + " port=" + std::to_string(port()) + " user=" + user() +
         " password=" + password() + " dbname=" + database();
}

std::string PostgresServer::sql(const std::string& statements) const {
  const Finished finished =
      run({.argv = {bin_ / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", socket_folder(),
                    "-p", std::to_string(port()), "-U", user(), "-d", database(), "-f", "-"},
           .environment = {{"PGTZ", "UTC"}, {"PGCLIENTENCODING", "UTF8"}},
           .input = statements});
  require(finished, "psql");
  return finished.out;
}

}  // namespace eddy::testing
