// The fastest HTTP server that can still be called one: a process of its own, one thread, epoll, keep-alive;
// it reads a request to its end and answers "200 OK, {}" at once.
#pragma once

#include <sys/types.h>

#include <string>

namespace eddy::bench {

class NullServer {
 public:
  NullServer();  // starts this program again with --null-server
  ~NullServer();
  NullServer(const NullServer&) = delete;
  NullServer& operator=(const NullServer&) = delete;
  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  pid_t process_ = -1;
  int alive_ = -1;  // the server ends when this end of its standard input closes
  int port_ = 0;
};

int null_server();  // the process itself: prints its port, serves until its standard input ends

}  // namespace eddy::bench
