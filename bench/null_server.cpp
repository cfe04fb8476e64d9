#include "null_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string_view>

extern char** environ;

namespace eddy::bench {

namespace {

constexpr std::string_view answer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

struct Connection {
  std::string head;
  std::size_t body_left = 0;
  bool in_body = false;
};

// Takes bytes in; how many requests have ended with them.
int requests_in(Connection& connection, std::string_view bytes) {
  int ended = 0;
  while (!bytes.empty()) {
    if (!connection.in_body) {
      // The end of the head may lie across two reads.
      const std::size_t before = connection.head.size();
      connection.head.append(bytes);
      const auto end = connection.head.find("\r\n\r\n", before < 3 ? 0 : before - 3);
      if (end == std::string::npos) return ended;
      bytes.remove_prefix(end + 4 - before);
      const auto length = connection.head.find("Content-Length: ");
      connection.body_left =
          length == std::string::npos ? 0 : std::strtoull(connection.head.c_str() + length + 16, nullptr, 10);
      connection.head.clear();
      connection.in_body = true;
    }
    const std::size_t taken = std::min(connection.body_left, bytes.size());
    connection.body_left -= taken;
    bytes.remove_prefix(taken);
    if (connection.body_left > 0) return ended;
    connection.in_body = false;
    ++ended;
  }
  return ended;
}

int listener(int& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(fd, 64) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error("the null server cannot listen");
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

int null_server() {
  int port = 0;
  const int accepting = listener(port);
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  const auto watch = [&](int fd) {
    epoll_event event{EPOLLIN, {.fd = fd}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  };
  watch(accepting);
  watch(STDIN_FILENO);
  std::printf("%d\n", port);
  std::fflush(stdout);
  std::map<int, Connection> connections;
  std::string buffer(256 * 1024, '\0');
  std::array<epoll_event, 64> events{};
  for (;;) {
    const int ready = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == STDIN_FILENO) return 0;
      if (fd == accepting) {
        const int client = ::accept4(accepting, nullptr, nullptr, SOCK_CLOEXEC);
        const int on = 1;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[client];
        watch(client);
        continue;
      }
      const ssize_t got = ::read(fd, buffer.data(), buffer.size());
      if (got <= 0) {
        connections.erase(fd);
        ::close(fd);
        continue;
      }
      for (int n = requests_in(connections[fd], {buffer.data(), static_cast<std::size_t>(got)}); n > 0; --n)
        if (::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
    }
  }
}

NullServer::NullServer() {
  std::array<int, 2> in{}, out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  std::string program = self, word = "--null-server";
  std::array<char*, 3> arguments{program.data(), word.data(), nullptr};
  const int failed = ::posix_spawn(&process_, self.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  alive_ = in[1];
  std::array<char, 16> text{};
  const ssize_t got = failed != 0 ? -1 : ::read(out[0], text.data(), text.size() - 1);
  ::close(out[0]);
  if (got <= 0) throw std::runtime_error("the null server does not start");
  port_ = std::atoi(text.data());
}

NullServer::~NullServer() {
  ::close(alive_);
  ::waitpid(process_, nullptr, 0);
}

}  // namespace eddy::bench
