#include "sandbox/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"

namespace eddy::sandbox {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void Socket::cut() {
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

Socket connect_to_loopback(std::uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (!socket || ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return Socket{};
  const int on = 1;
  ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

bool write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::send(fd, data, size, MSG_NOSIGNAL);
    if (n <= 0) return false;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

Listener::Listener(std::uint16_t port, Serve serve)
    : serve_(std::move(serve)), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  ::setsockopt(socket_.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = loopback(port);
  socklen_t size = sizeof address;
  if (::bind(socket_.fd(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(socket_.fd(), 64) != 0 ||
      ::getsockname(socket_.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw Error("http.port_in_use", fmt::format("cannot listen on port {} of 127.0.0.1", port),
                "choose another port, or 0 for a free one");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { accept_connections(); });
}

Listener::~Listener() { stop(); }

void Listener::accept_connections() {
  // A peer that is gone must not end the program: OpenSSL writes without MSG_NOSIGNAL.
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (!stopping_) {
    Socket accepted(::accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted) continue;
    const int on = 1;
    ::setsockopt(accepted.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    forget_ended();
    if (stopping_) return;
    Connection& connection = connections_.emplace_back(std::move(accepted));
    connection.thread = std::thread([this, &connection] {
      serve_(connection.socket.fd());
      connection.socket.cut();
      connection.done = true;
    });
  }
}

void Listener::forget_ended() {
  std::erase_if(connections_, [](Connection& connection) {
    if (!connection.done) return false;
    connection.thread.join();
    return true;
  });
}

void Listener::stop() {
  if (stopping_.exchange(true)) return;
  socket_.cut();
  thread_.join();
  for (Connection& connection : connections_) connection.socket.cut();
  for (Connection& connection : connections_) connection.thread.join();
  connections_.clear();
}

}  // namespace eddy::sandbox
