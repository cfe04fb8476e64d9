// A TCP proxy on 127.0.0.1 that cuts the wire at a chosen moment: for answers that get lost.
#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace eddy::testing {

// Forwards to 127.0.0.1:port, several connections at a time. Thread-safe.
class CuttingProxy {
 public:
  explicit CuttingProxy(int port);
  ~CuttingProxy();  // closes all connections
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  int port() const { return port_; }
  // The next time a client sends bytes that contain `text`, its connection is cut. With `delivered` the
  // server still gets these bytes and its answer is awaited, then thrown away; without, the server never sees
  // them. Once; call before the traffic.
  void cut_at(std::string text, bool delivered);
  bool has_cut() const { return cut_; }

 private:
  void accept_clients();
  void forward(int client);

  int target_;
  int port_ = 0;
  int listener_ = -1;
  std::string text_;
  bool delivered_ = false;
  std::atomic<bool> armed_{false};
  std::atomic<bool> cut_{false};
  std::atomic<bool> closing_{false};
  std::atomic<int> clients_{0};
  std::thread acceptor_;
};

}  // namespace eddy::testing
