#include "support/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string_view>

namespace eddy::testing {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(int port) : target_(port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error("the proxy cannot listen");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_clients(); });
}

CuttingProxy::~CuttingProxy() {
  closing_ = true;
  acceptor_.join();
  while (clients_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds{5});
  ::close(listener_);
}

void CuttingProxy::cut_at(std::string text, bool delivered) {
  text_ = std::move(text);
  delivered_ = delivered;
  armed_ = true;
}

void CuttingProxy::accept_clients() {
  while (!closing_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, 20) <= 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    ++clients_;
    std::thread([this, client] {
      forward(client);
      --clients_;
    }).detach();
  }
}

void CuttingProxy::forward(int client) {
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(target_);
  bool open = ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  std::string buffer(65536, '\0');
  bool swallow = false;
  while (open && !closing_) {
    pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (::poll(ends, 2, 20) <= 0) continue;
    for (int i = 0; i < 2 && open; ++i) {
      if (ends[i].revents == 0) continue;
      const ssize_t n = ::recv(ends[i].fd, buffer.data(), buffer.size(), 0);
      if (n <= 0 || (i == 1 && swallow)) {
        open = false;
        break;
      }
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
      if (i == 0 && armed_ && bytes.find(text_) != std::string_view::npos) {
        armed_ = false;
        cut_ = true;
        if (!delivered_) open = false;
        swallow = true;
      }
      open = open && send_all(ends[1 - i].fd, bytes);
    }
  }
  ::close(client);
  ::close(server);
}

}  // namespace eddy::testing
