#include "support/mariadb_server.h"

#include <signal.h>

#include <stdexcept>

namespace eddy::testing {
namespace {
namespace fs = std::filesystem;

constexpr const char* server_program = "/usr/sbin/mariadbd";

}  // namespace

bool MariadbServer::installed() {
  return fs::exists(server_program) && run({.argv = {"which", "mariadb-install-db"}}).exit_code == 0;
}

MariadbServer::MariadbServer(Durability durability, std::vector<std::string> settings)
    : server_({.system_user = "mysql",
               .stop_signal = SIGKILL,
               .ready = "ready for connections",
               .sparse_data = true}) {
  if (!installed()) throw std::runtime_error("MariaDB is not installed");
  server_.make_data("mariadb", [&](const fs::path& fresh) {
    server_.run_as_server({"mariadb-install-db", "--no-defaults", "--datadir=" + fresh.string(),
                           "--auth-root-authentication-method=normal", "--skip-test-db",
                           "--skip-name-resolve", "--innodb-log-file-size=8M"});
  });
  server_.start_on_free_port([this, durability, settings = std::move(settings)](int port) {
    std::vector<std::string> argv = {
        server_program,
        "--no-defaults",
        "--datadir=" + server_.data().string(),
        "--port=" + std::to_string(port),
        "--socket=" + socket().string(),
        "--pid-file=" + (server_.sockets() / "pid").string(),
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--default-time-zone=+05:30",
        "--innodb-log-file-size=" + std::string(durability == Durability::off ? "8M" : "96M")};
    if (durability == Durability::off)
      argv.insert(argv.end(), {"--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0",
                               "--innodb-flush-method=nosync", "--innodb-buffer-pool-size=64M"});
    argv.insert(argv.end(), settings.begin(), settings.end());
    return argv;
  });
  require(run({.argv = {"mariadb", "--no-defaults", "-S", socket(), "-u", "root"},
               .input = "create database " + database() + " character set utf8mb4; grant all on *.* to " +
                        user() + "@'%' identified by '" + password() + "' with grant option;"}),
          "making the fixture's user");
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
