// The fastest HTTP server that can still be called one: a process of its own, one thread, epoll, keep-alive;
// it reads a request to its end and answers "200 OK, {}" at once. Or it answers as HubSpot's batch upsert
// does, with one result per input, after as long as a service takes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

namespace eddy::bench {

class NullServer {
 public:
  NullServer();  // starts this program again with --null-server
  // With a result for every input, each answer so long after its request.
  explicit NullServer(std::chrono::milliseconds latency);
  ~NullServer();
  NullServer(const NullServer&) = delete;
  NullServer& operator=(const NullServer&) = delete;
  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  explicit NullServer(const std::string& manner);
  pid_t process_ = -1;
  int alive_ = -1;  // the server ends when this end of its standard input closes
  int port_ = 0;
};

// What HubSpot's batch upsert answers: a result per input, with the trace id that was sent.
std::string upsert_results(const std::string& body);
// The process itself: prints its port, serves until its standard input ends. `manner`: "", or the latency in
// milliseconds.
int null_server(const std::string& manner);

}  // namespace eddy::bench
