// A real MariaDB, private to one test program: own data folder, own free port, gone when the object dies.
//
// MariaDB does not like to run as root: then the server runs as the system user `mysql`. A freshly
// initialised data folder is cached in the build folder, so that a start takes about a second.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/private_server.h"

namespace eddy::testing {

class MariadbServer {
 public:
  using Durability = testing::Durability;

  static bool installed();

  // `settings`: more words for its command line ("--local-infile=0"). Starts it and waits until it takes
  // connections. Throws std::runtime_error with the server's log when it does not.
  explicit MariadbServer(Durability durability = Durability::off, std::vector<std::string> settings = {});

  // A user with all rights, who logs in with a password.
  std::string host() const { return "127.0.0.1"; }
  int port() const { return server_.port(); }
  std::string user() const { return "eddy"; }
  std::string password() const { return "fixture-password"; }
  std::string database() const { return "crm"; }
  std::filesystem::path socket() const { return server_.sockets() / "s"; }

  // Runs SQL with the mariadb client and returns its standard output: tabs between cells, no headers, values
  // as they are. Throws std::runtime_error with the client's words.
  std::string sql(const std::string& statements) const;
  std::vector<std::string> client() const;  // command line of the client: more options may follow

  void stop() { server_.stop(); }    // as a crash: clients are cut off, nothing is shut down in order
  void start() { server_.start(); }  // again, after stop(): same port, same data
  std::string log() const { return server_.log(); }

 private:
  PrivateServer server_;
};

}  // namespace eddy::testing

// First line of a test that needs MariaDB.
#define EDDY_NEEDS_MARIADB()                      \
  if (!eddy::testing::MariadbServer::installed()) \
  GTEST_SKIP() << "MariaDB IS NOT INSTALLED: this test did not run. Install the package `mariadb-server`."
