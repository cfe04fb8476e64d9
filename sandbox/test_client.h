// For the tests beside this file: a sandbox on free ports with a clock that stands still, and a bare HTTP
// client.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/text.h"
#include "sandbox/sandbox.h"

namespace eddy::sandbox::testing {

struct Answer {
  int status = 0;    // 0: the connection ended without an answer
  std::string head;  // status line and headers
  std::string body;
  Json json() const { return Json::parse(body); }
  std::string header(std::string_view name) const {
    for (const std::string& line : split(head, '\n'))
      if (lower(line).starts_with(lower(name) + ":")) return trim(line.substr(name.size() + 1));
    return {};
  }
};

// One request on its own connection.
inline Answer send(std::uint16_t port, const std::string& method, const std::string& target,
                   const std::string& headers = {}, const std::string& body = {}) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{60, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
  const std::string bytes =
      fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Length: {}\r\n{}\r\n",
                  method, target, port, body.size(), headers) +
      body;
  for (std::string_view rest = bytes; !rest.empty();) {
    const ssize_t n = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (n <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  std::string all;
  char buffer[16384];
  for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
    all.append(buffer, static_cast<std::size_t>(n));
  ::close(fd);
  Answer answer;
  const std::size_t end = all.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  answer.head = all.substr(0, end);
  answer.body = all.substr(end + 4);
  answer.status = std::stoi(answer.head.substr(9, 3));
  return answer;
}

class SandboxTest : public ::testing::Test {
 protected:
  static Options options() {
    Options options;
    for (auto& [name, port] : options.ports) port = 0;
    options.threads = 4;
    return options;
  }
  void start(Options with = options()) { sandbox_ = std::make_unique<Sandbox>(std::move(with), clock_); }
  Sandbox& sandbox() {
    if (!sandbox_) start();
    return *sandbox_;
  }

  // A call of `service_` with its credentials.
  Answer call(const std::string& method, const std::string& target, const Json& body = nullptr) {
    return raw(method, target, body.is_null() ? "" : body.dump(), body.is_null() ? "" : "application/json");
  }
  Answer raw(const std::string& method, const std::string& target, const std::string& body,
             const std::string& type) {
    std::string headers = authorization();
    if (!type.empty()) headers += "Content-Type: " + type + "\r\n";
    return send(sandbox().port(service_), method, target, headers, body);
  }
  virtual std::string authorization() = 0;

  Json desk(const std::string& page) {
    return send(sandbox().port(service_), "GET", "/_sandbox" + page).json();
  }
  void fault(const std::string& name, const Json& rate = 1) {
    const Answer answer = send(sandbox().port(service_), "POST", "/_sandbox/faults", "",
                               Json{{service_ + "." + name, rate}}.dump());
    ASSERT_EQ(answer.status, 200) << answer.body;
  }
  void seed(const std::string& object, const Json& records) {
    ASSERT_EQ(
        send(sandbox().port(service_), "POST", "/_sandbox/" + service_ + "/" + object, "", records.dump())
            .status,
        201);
  }
  Json records(const std::string& object, const std::string& query = {}) {
    return desk("/" + service_ + "/" + object + query);
  }
  Json last_request() { return desk("/" + service_ + "/requests")["requests"].back(); }

  ManualClock clock_;
  std::string service_;
  std::unique_ptr<Sandbox> sandbox_;
};

}  // namespace eddy::sandbox::testing
