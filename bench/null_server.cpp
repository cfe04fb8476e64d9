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
#include <deque>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

extern char** environ;

namespace eddy::bench {

namespace {

constexpr std::string_view answer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

struct Connection {
  std::string head;
  std::string body;  // kept only where it is answered
  std::size_t body_left = 0;
  bool in_body = false;
};

// Takes bytes in; how many requests have ended with them. With `keep`, their bodies are put there.
int requests_in(Connection& connection, std::string_view bytes, std::vector<std::string>* keep) {
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
    if (keep != nullptr) connection.body.append(bytes.substr(0, taken));
    connection.body_left -= taken;
    bytes.remove_prefix(taken);
    if (connection.body_left > 0) return ended;
    connection.in_body = false;
    if (keep != nullptr) keep->push_back(std::exchange(connection.body, {}));
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

// One result per input, as the contract says: the record's id, its properties, and the trace id that was
// sent.
std::string upsert_results(const std::string& body) {
  constexpr std::string_view mark = "\"objectWriteTraceId\":\"";
  std::string results;
  for (auto at = body.find(mark); at != std::string::npos; at = body.find(mark, at)) {
    at += mark.size();
    const std::string trace = body.substr(at, body.find('"', at) - at);
    if (!results.empty()) results += ',';
    results +=
        R"({"id":"10)" + trace +
        R"(","properties":{"createdate":"2026-01-01T00:00:00.000Z","hs_object_id":"10)" + trace +
        R"("},"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z","archived":)"
        R"(false,"new":true,"objectWriteTraceId":")" +
        trace + "\"}";
  }
  return R"({"status":"COMPLETE","results":[)" + results +
         R"(],"startedAt":"2026-01-01T00:00:00.000Z","completedAt":"2026-01-01T00:00:00.001Z"})";
}

int null_server(const std::string& manner) {
  using Clock = std::chrono::steady_clock;
  struct Due {
    Clock::time_point when;
    int fd;
    std::string text;
  };
  std::deque<Due> answers;  // in the order in which they are due
  const bool results = !manner.empty();
  const std::chrono::milliseconds latency{results ? std::stoi(manner) : 0};
  int port = 0;
  const int accepting = listener(port);
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  const auto watch = [&](int fd) {
    epoll_event event{EPOLLIN, {.fd = fd}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  };
  const auto send = [](int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  };
  watch(accepting);
  watch(STDIN_FILENO);
  std::printf("%d\n", port);
  std::fflush(stdout);
  std::map<int, Connection> connections;
  std::string buffer(256 * 1024, '\0');
  std::array<epoll_event, 64> events{};
  for (;;) {
    int wait = -1;
    for (; !answers.empty(); answers.pop_front()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(answers.front().when - Clock::now());
      if (wait = static_cast<int>(left.count()); wait > 0) break;
      send(answers.front().fd, answers.front().text);
      wait = -1;
    }
    const int ready = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), wait);
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
        std::erase_if(answers, [fd](const Due& due) { return due.fd == fd; });
        ::close(fd);
        continue;
      }
      std::vector<std::string> bodies;
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
      for (int n = requests_in(connections[fd], bytes, results ? &bodies : nullptr); n > 0 && !results; --n)
        send(fd, answer);
      for (const std::string& body : bodies) {
        const std::string json = upsert_results(body);
        answers.push_back({Clock::now() + latency, fd,
                           "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                               std::to_string(json.size()) + "\r\n\r\n" + json});
      }
    }
  }
}

NullServer::NullServer() : NullServer(std::string()) {}
NullServer::NullServer(std::chrono::milliseconds latency) : NullServer(std::to_string(latency.count())) {}

NullServer::NullServer(const std::string& manner) {
  std::array<int, 2> in{}, out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  std::string program = self, word = "--null-server", how = manner;
  std::array<char*, 4> arguments{program.data(), word.data(), how.data(), nullptr};
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
