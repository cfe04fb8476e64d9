// Connections on a loopback port, each handled on a thread of its own. For the doors that are not plain HTTP:
// TLS in front of a service, and the proxy that leads the services' real host names here.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace eddy::sandbox {

// A socket that closes itself. -1: none.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  ~Socket();
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept;
  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void cut();  // both directions; wakes who waits on it

 private:
  int fd_;
};

Socket connect_to_loopback(std::uint16_t port);  // -1 when nobody listens
bool write_all(int fd, const char* data, std::size_t size);

// Thread rule: construct, stop and destroy from one thread; `serve` is called from many at once.
class Listener {
 public:
  using Serve = std::function<void(int fd)>;  // returns when the connection is done; does not close it
  // Port 0 picks a free one. Throws Error("http.port_in_use").
  Listener(std::uint16_t port, Serve serve);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  std::uint16_t port() const { return port_; }
  void stop();  // cuts all connections and waits for their threads

 private:
  struct Connection {
    Socket socket;
    std::atomic<bool> done = false;
    std::thread thread{};
  };
  void accept_connections();
  void forget_ended();

  Serve serve_;
  Socket socket_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::list<Connection> connections_;
  std::thread thread_;
};

}  // namespace eddy::sandbox
