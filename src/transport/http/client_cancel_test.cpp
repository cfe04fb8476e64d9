// Ctrl-C while a request is under way.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "transport/http/client.h"

namespace eddy::http {
namespace {

using namespace std::chrono_literals;

// Takes one request in and answers when told to, or never.
class Silent {
 public:
  Silent() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::listen(listener_, 1) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
      throw std::runtime_error("no listener");
    port_ = ntohs(address.sin_port);
  }
  ~Silent() {
    if (socket_ >= 0) ::close(socket_);
    ::close(listener_);
  }
  // Returns when the request has arrived.
  void take() {
    socket_ = ::accept(listener_, nullptr, nullptr);
    std::array<char, 4096> buffer{};
    [[maybe_unused]] const auto got = ::read(socket_, buffer.data(), buffer.size());
  }
  void answer() {
    constexpr std::string_view text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    [[maybe_unused]] const auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  int listener_, socket_ = -1, port_ = 0;
};

Request post(const Silent& server, const Cancel& cancel, std::chrono::milliseconds grace) {
  Request request;
  request.method = "POST";
  request.url = server.url();
  request.body = "rows";
  request.cancel = &cancel;
  request.cancel_grace = grace;
  return request;
}

TEST(ClientCancel, AnAnswerWithinTheGraceIsTaken) {
  Silent server;
  Cancel cancel;
  Client client;
  std::jthread wire([&] {
    server.take();
    cancel.request();
    std::this_thread::sleep_for(50ms);
    server.answer();
  });
  const Result result = client.send(post(server, cancel, 60s));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->body, "ok");
}

TEST(ClientCancel, WithoutOneTheRequestIsCutAndItsFateUnknown) {
  Silent server;
  Cancel cancel;
  Client client;
  std::jthread wire([&] {
    server.take();
    cancel.request();
  });
  const Result result = client.send(post(server, cancel, 10ms));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "http.cancelled");
  EXPECT_EQ(result.error().reach, Failure::Reach::unknown);
  EXPECT_NE(result.error().message.find("interrupt"), std::string::npos) << result.error().message;
}

}  // namespace
}  // namespace eddy::http
