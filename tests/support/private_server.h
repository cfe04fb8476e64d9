// What private database servers of tests share: a folder that dies with them, a free port, a data folder out
// of a cache, and a system user to run as, because such servers refuse to run as root.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/scratch.h"

namespace eddy::testing {

enum class Durability {
  off,
  real
};  // off: no fsync, for tests; real: the server's own defaults, for measuring

// Throws std::runtime_error with what the program printed when it has failed.
void require(const Finished& finished, const std::string& what);

class PrivateServer {
 public:
  struct Kind {
    std::string system_user;  // when the test runs as root
    int stop_signal = 0;      // ends it at once, in the middle of whatever it does
    std::string ready;        // what its log says when it takes connections
    bool sparse_data = false;
  };
  using CommandLine = std::function<std::vector<std::string>(int port)>;

  explicit PrivateServer(Kind kind);
  ~PrivateServer();  // stops it
  PrivateServer(const PrivateServer&) = delete;
  PrivateServer& operator=(const PrivateServer&) = delete;

  const Scratch& folder() const { return scratch_; }
  std::filesystem::path data() const { return scratch_ / "data"; }
  std::filesystem::path sockets() const { return scratch_ / "socket"; }  // the server may write there
  int port() const { return port_; }

  // Makes data(), as a copy of what `initialise` has once put into the folder that it is given: it is kept in
  // the build folder under this name.
  void make_data(const std::string& name,
                 const std::function<void(const std::filesystem::path& fresh)>& initialise);
  // Runs a program to its end as the server's user; throws std::runtime_error with its words when it fails.
  void run_as_server(const std::vector<std::string>& argv) const;

  // Starts it on a free port and waits until it takes connections. Throws std::runtime_error with the
  // server's log when it does not.
  void start_on_free_port(CommandLine command_line);
  void stop();   // as a crash: clients are cut off, nothing is shut down in order
  void start();  // again, after stop(): same port, same data
  std::string log() const;

 private:
  std::vector<std::string> as_server(const std::vector<std::string>& argv) const;
  void give_to_server(const std::filesystem::path& folder) const;
  void copy_tree(const std::filesystem::path& from, const std::filesystem::path& to) const;

  Kind kind_;
  Scratch scratch_;
  CommandLine command_line_;
  int port_ = 0;
  int starts_ = 0;
  std::unique_ptr<Background> server_;
};

}  // namespace eddy::testing
