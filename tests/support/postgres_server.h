// A real PostgreSQL, private to one test program: own data folder, own free port, gone when the object dies.
//
// Uses the newest version under /usr/lib/postgresql. PostgreSQL refuses to run as root: then the server runs
// as the system user `postgres`. A freshly initialised data folder is cached in the build folder, so that a
// start takes about half a second.
#pragma once

#include <filesystem>
#include <string>

#include "support/private_server.h"

namespace eddy::testing {

class PostgresServer {
 public:
  using Durability = testing::Durability;

  static bool installed();

  // Starts it and waits until it takes connections. Throws std::runtime_error with the server's log when it
  // does not.
  explicit PostgresServer(Durability durability = Durability::off);

  // Over TCP a password is asked (scram-sha-256); over the unix socket it is not.
  std::string host() const { return "127.0.0.1"; }
  int port() const { return server_.port(); }
  std::string user() const { return "postgres"; }
  std::string password() const { return "fixture-password"; }
  std::string database() const { return "postgres"; }
  std::filesystem::path socket_folder() const { return server_.sockets(); }
  std::string conninfo() const;  // keyword=value form, over TCP

  // Runs SQL with psql and returns its standard output, unaligned, without headers. Throws std::runtime_error
  // with psql's words.
  std::string sql(const std::string& statements) const;
  std::filesystem::path bin() const { return bin_; }  // where psql is

  void stop() { server_.stop(); }    // as a crash: clients are cut off, nothing is shut down in order
  void start() { server_.start(); }  // again, after stop(): same port, same data
  std::string log() const { return server_.log(); }

 private:
  std::filesystem::path bin_;
  PrivateServer server_;
};

}  // namespace eddy::testing

// First line of a test that needs PostgreSQL.
#define EDDY_NEEDS_POSTGRES()                      \
  if (!eddy::testing::PostgresServer::installed()) \
  GTEST_SKIP() << "PostgreSQL IS NOT INSTALLED: this test did not run. Install the package `postgresql`."
