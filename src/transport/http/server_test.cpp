#include "transport/http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <latch>

#include "core/error.h"

namespace eddy::http {
namespace {

// A bare socket, so that what is on the wire is what the test wrote.
class Wire {
 public:
  explicit Wire(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot connect");
    const timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Wire() { ::close(fd_); }
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  std::string read_to_end() {
    while (more()) {
    }
    return std::exchange(buffer_, {});
  }
  // One reply with its announced body; what follows stays for the next call.
  std::string read_reply() {
    std::size_t head = 0;
    while ((head = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!more()) return std::exchange(buffer_, {});
    std::size_t length = 0;
    const std::size_t at = buffer_.find("Content-Length: ");
    if (at < head) length = std::stoul(buffer_.substr(at + 16));
    while (buffer_.size() < head + 4 + length)
      if (!more()) break;
    std::string reply = buffer_.substr(0, head + 4 + length);
    buffer_.erase(0, reply.size());
    return reply;
  }

 private:
  bool more() {
    char bytes[4096];
    const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n > 0) buffer_.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  }
  int fd_;
  std::string buffer_;
};

std::string once(std::uint16_t port, std::string_view request) {
  Wire wire(port);
  wire.send(request);
  return wire.read_to_end();
}

std::string get(std::string_view target) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", target);
}

Server::Handler echo() {
  return [](const IncomingRequest& request) {
    std::string text = request.method + " " + request.path;
    for (const std::string& segment : request.segments) text += " [" + segment + "]";
    for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
    return Reply::text(200, text + " " + request.body);
  };
}

TEST(Server, AnswersWithDecodedPathQueryAndBody) {
  Server server({}, echo());
  const std::string reply =
      once(server.port(),
           "POST /a%20b/c%2Fd?x=1%262&y=p+q&flag HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
           "Content-Length: 5\r\n\r\nhello");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n")) << reply;
  EXPECT_NE(reply.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(reply.ends_with("POST /a b/c/d [a b] [c/d] x=1&2 y=p q flag= hello")) << reply;
}

TEST(Server, KeepsTheConnectionAndServesPipelinedRequestsInOrder) {
  Server server({}, echo());
  Wire wire(server.port());
  wire.send("GET /one HTTP/1.1\r\nHost: x\r\n\r\nGET /two HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(wire.read_reply().find("GET /one"), std::string::npos);
  EXPECT_NE(wire.read_reply().find("GET /two"), std::string::npos);
  wire.send("GET /three HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string third = wire.read_reply();
  EXPECT_NE(third.find("GET /three"), std::string::npos);
  EXPECT_NE(third.find("Connection: keep-alive"), std::string::npos);
}

TEST(Server, HeadHasTheLengthAndNoBody) {
  Server server({}, echo());
  const std::string reply = once(server.port(), "HEAD /abc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(reply.find("Content-Length: 15\r\n"), std::string::npos) << reply;  // "GET /abc [abc] "
  EXPECT_TRUE(reply.ends_with("\r\n\r\n"));
}

TEST(Server, NoContentCarriesNoLength) {
  Server server({}, [](const IncomingRequest&) { return Reply{.status = 204}; });
  const std::string reply = once(server.port(), get("/"));
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 204 No Content\r\n"));
  EXPECT_EQ(reply.find("Content-Length"), std::string::npos);
}

TEST(Server, ReadsChunkedBodies) {
  Server server({}, echo());
  const std::string reply =
      once(server.port(),
           "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
           "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_TRUE(reply.ends_with("abcde")) << reply;
}

TEST(Server, AsksForTheBodyWhenTheClientWaitsForIt) {
  Server server({}, echo());
  Wire wire(server.port());
  wire.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(wire.read_reply(), "HTTP/1.1 100 Continue\r\n\r\n");
  wire.send("ok");
  EXPECT_TRUE(wire.read_reply().ends_with("ok"));
}

TEST(Server, RefusesWhatIsTooLargeOrMalformedAndLivesOn) {
  Server server({.body_bytes_max = 100, .header_bytes_max = 512}, echo());
  EXPECT_TRUE(
      once(server.port(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x'))
          .starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(once(server.port(), "GET / HTTP/1.1\r\nX: " + std::string(2000, 'h') + "\r\n\r\n")
                  .starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(once(server.port(), "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(once(server.port(), get("/%zz")).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(once(server.port(), get("/?a=%4")).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(once(server.port(), get("/fine")).starts_with("HTTP/1.1 200 "));
}

TEST(Server, AHandlerThatThrowsIsA500ThatSaysNothing) {
  std::promise<std::string> noted;
  Server server({.log = [&](std::string_view line) { noted.set_value(std::string{line}); }},
                [](const IncomingRequest&) -> Reply { throw std::runtime_error("private detail"); });
  const std::string reply = once(server.port(), get("/x"));
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 500 ")) << reply;
  EXPECT_EQ(reply.find("private"), std::string::npos);
  EXPECT_EQ(noted.get_future().get(), "GET /x: private detail");
}

TEST(Server, HandlersRunAtTheSameTime) {
  std::latch both(2);
  Server server({.threads = 2}, [&](const IncomingRequest&) {
    both.arrive_and_wait();  // returns only when two handlers are in it
    return Reply::text(200, "met");
  });
  Wire first(server.port()), second(server.port());
  first.send(get("/1"));
  second.send(get("/2"));
  EXPECT_TRUE(first.read_to_end().ends_with("met"));
  EXPECT_TRUE(second.read_to_end().ends_with("met"));
}

TEST(Server, MisbehavesWhenTold) {
  Server server({}, [](const IncomingRequest& request) {
    Reply reply = Reply::text(200, "0123456789");
    reply.drop = request.path == "/drop";
    if (request.path == "/cut") reply.cut_body_after = 4;
    if (request.path == "/raw") {
      reply.raw = true;
      reply.body = "not http";
    }
    if (request.path == "/slow") {
      reply.delay = std::chrono::milliseconds{1};
      reply.piece_bytes = 7;
      reply.piece_pause = std::chrono::milliseconds{1};
    }
    return reply;
  });
  EXPECT_EQ(once(server.port(), get("/drop")), "");
  const std::string cut = once(server.port(), get("/cut"));
  EXPECT_NE(cut.find("Content-Length: 10"), std::string::npos);
  EXPECT_TRUE(cut.ends_with("\r\n\r\n0123"));
  EXPECT_EQ(once(server.port(), get("/raw")), "not http");
  EXPECT_TRUE(once(server.port(), get("/slow")).ends_with("\r\n\r\n0123456789"));
}

TEST(Server, StopLetsTheRequestInHandFinishAndClosesIdleConnections) {
  std::promise<void> entered, go;
  Server server({}, [&](const IncomingRequest& request) {
    if (request.path == "/work") {
      entered.set_value();
      go.get_future().wait();
    }
    return Reply::text(200, "finished");
  });
  Wire idle(server.port()), busy(server.port());
  idle.send("GET /idle HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.read_reply();
  busy.send("GET /work HTTP/1.1\r\nHost: x\r\n\r\n");
  entered.get_future().wait();
  std::thread stopper([&] { server.stop(); });
  EXPECT_EQ(idle.read_to_end(), "");  // closed while the other one is still at work
  go.set_value();
  const std::string last = busy.read_to_end();
  EXPECT_TRUE(last.ends_with("finished")) << last;
  EXPECT_NE(last.find("Connection: close"), std::string::npos);
  stopper.join();
  EXPECT_THROW(Wire{server.port()}, std::runtime_error);
}

TEST(Server, AHandlerThatOutlivesTheGraceIsCutOff) {
  std::promise<void> entered, go;
  Server server({.stop_grace = std::chrono::milliseconds{1}}, [&](const IncomingRequest&) {
    entered.set_value();
    go.get_future().wait();
    return Reply::text(200, "too late");
  });
  auto wire = std::make_unique<Wire>(server.port());
  wire->send(get("/"));
  entered.get_future().wait();
  std::thread stopper([&] { server.stop(); });
  while (true) {  // the port is closed before the grace begins
    try {
      Wire probe(server.port());
    } catch (const std::runtime_error&) {
      break;
    }
  }
  go.set_value();
  stopper.join();
  SUCCEED();
}

TEST(Server, APortInUseIsSaid) {
  Server first({}, echo());
  try {
    Server second({.port = first.port()}, echo());
    FAIL() << "two servers on one port";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "http.port_in_use");
  }
}

TEST(Server, TooManyConnectionsAreTurnedAway) {
  Server server({.connections_max = 1}, echo());
  Wire first(server.port());
  first.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  first.read_reply();
  EXPECT_TRUE(once(server.port(), get("/b")).starts_with("HTTP/1.1 503 "));
}

TEST(PercentDecode, KeepsOrRefuses) {
  EXPECT_EQ(percent_decode("a%20b%2Bc+d"), "a b+c+d");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode("%"), std::nullopt);
  EXPECT_EQ(percent_decode("%4g"), std::nullopt);
  EXPECT_EQ(parse_query("a=1&&b&c=%3D"), (std::vector<NamedText>{{"a", "1"}, {"b", ""}, {"c", "="}}));
}

}  // namespace
}  // namespace eddy::http
