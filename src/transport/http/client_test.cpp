#include "transport/http/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "core/secrets.h"
#include "support/scratch.h"

namespace eddy::http {
namespace {

using namespace std::chrono_literals;

// A server that does with each accepted socket whatever the test says, each in a thread of its own.
class RawServer {
 public:
  explicit RawServer(std::function<void(int socket, int number)> serve) : serve_(std::move(serve)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
      throw std::runtime_error("no listener");
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
  }
  ~RawServer() {
    thread_.request_stop();
    thread_.join();
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    connections_.clear();  // joins
    for (const int socket : sockets_) ::close(socket);
    ::close(listener_);
  }
  int port() const { return port_; }
  int accepted() const { return accepted_; }
  std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

 private:
  void loop(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int socket = ::accept(listener_, nullptr, nullptr);
      if (socket < 0) continue;
      sockets_.push_back(socket);
      connections_.emplace_back([this, socket, number = accepted_++] {
        // The server's own writes to a client that has gone; the client must look after itself.
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
        serve_(socket, number);
        ::shutdown(socket, SHUT_RDWR);
      });
    }
  }
  std::function<void(int, int)> serve_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> accepted_{0};
  std::vector<int> sockets_;  // touched by thread_ only, until it has ended
  std::vector<std::jthread> connections_;
  std::jthread thread_;
};

// Reads one request with its body; "" when the peer has gone.
std::string read_request(int socket) {
  std::string got;
  char buffer[4096];
  std::size_t wanted = std::string::npos;
  while (got.size() < wanted) {
    const ssize_t count = ::recv(socket, buffer, sizeof buffer, 0);
    if (count <= 0) return "";
    got.append(buffer, static_cast<std::size_t>(count));
    const auto end = got.find("\r\n\r\n");
    if (wanted == std::string::npos && end != std::string::npos) {
      wanted = end + 4;
      if (const auto at = got.find("Content-Length: "); at != std::string::npos)
        wanted += static_cast<std::size_t>(std::atoi(got.c_str() + at + 16));
    }
  }
  return got;
}

void write_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string ok(std::string_view body, std::string_view more = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(more) +
         "\r\n" + std::string(body);
}

Request get(const std::string& url) {
  Request request;
  request.url = url;
  request.timeouts = {.connect = 5s, .idle = 20s, .total = 20s};
  return request;
}

TEST(Client, SendsMethodHeadersBodyAndReadsTheReply) {
  std::string seen;
  RawServer server([&](int socket, int) {
    seen = read_request(socket);
    write_all(socket, "HTTP/1.1 207 Multi\r\nContent-Length: 2\r\nX-One: 1\r\nx-ONE: 2\r\n\r\nhi");
  });
  Client client;
  Request request = get(server.url("/a?b=1"));
  request.method = "PATCH";
  request.body = "{\"a\":1}";
  request.headers.set("Content-Type", "application/json");
  request.headers.set("X-Empty", "");
  const Result result = client.send(request);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->status, 207);
  EXPECT_EQ(result->body, "hi");
  EXPECT_EQ(result->headers.get("X-oNe"), "1");
  EXPECT_EQ(result->headers.get("missing"), std::nullopt);
  EXPECT_TRUE(seen.starts_with("PATCH /a?b=1 HTTP/1.1\r\n")) << seen;
  EXPECT_NE(seen.find("Content-Type: application/json\r\n"), std::string::npos) << seen;
  EXPECT_NE(seen.find("X-Empty:\r\n"), std::string::npos) << seen;
  EXPECT_EQ(seen.find("Expect:"), std::string::npos) << seen;
  EXPECT_TRUE(seen.ends_with("{\"a\":1}")) << seen;
}

TEST(Client, KeepsTheConnectionForRepeatableRequestsOnly) {
  RawServer server([&](int socket, int) {
    while (!read_request(socket).empty()) write_all(socket, ok("x"));
  });
  {
    Client client;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.send(get(server.url())).has_value());
    EXPECT_EQ(server.accepted(), 1);
  }
  Client fresh;
  Request once = get(server.url());
  once.repeatable = false;
  ASSERT_TRUE(fresh.send(once).has_value());
  ASSERT_TRUE(fresh.send(once).has_value());
  EXPECT_EQ(server.accepted(), 3);
}

TEST(Client, ManyThreads) {
  RawServer server([](int socket, int) {
    for (std::string request = read_request(socket); !request.empty(); request = read_request(socket))
      write_all(socket, ok(request.substr(4, request.find(' ', 4) - 4)));
  });
  Client client;
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        for (int k = 0; k < 10; ++k) {
          const std::string path = "/" + std::to_string(i) + "/" + std::to_string(k);
          const Result result = client.send(get(server.url(path)));
          if (result && result->body == path) ++good;
        }
      });
  }
  EXPECT_EQ(good, 40);
  EXPECT_LE(server.accepted(), 4);
}

TEST(Client, RefusedConnectionSentNothing) {
  int port = 0;
  {
    port = RawServer([](int, int) {}).port();
  }
  const Result result = Client().send(get("http://127.0.0.1:" + std::to_string(port) + "/"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reach, Failure::Reach::not_sent);
  EXPECT_EQ(result.error().code, "http.refused");
}

TEST(Client, UnknownNameSentNothing) {
  Request request = get("https://no-such-host.invalid/");
  const Result result = Client().send(request);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reach, Failure::Reach::not_sent);
}

TEST(Client, CutAfterTheRequestIsUnknown) {
  RawServer server([](int socket, int) { read_request(socket); });
  Request request = get(server.url());
  request.method = "POST";
  request.body = "x";
  request.repeatable = false;
  const Result result = Client().send(request);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reach, Failure::Reach::unknown);
  EXPECT_EQ(result.error().code, "http.cut");
  EXPECT_EQ(server.accepted(), 1);
}

TEST(Client, ADeadReusedConnectionNeverRepeatsAnUnsafeRequest) {
  std::atomic<int> posts{0};
  RawServer server([&](int socket, int) {
    std::string request = read_request(socket);
    if (request.starts_with("GET")) {
      write_all(socket, ok("x"));
      request = read_request(socket);  // whatever follows on this connection is read, and never answered
    }
    if (request.starts_with("POST")) ++posts;
  });
  Client client;
  ASSERT_TRUE(client.send(get(server.url())).has_value());
  Request post = get(server.url());
  post.method = "POST";
  post.body = "x";
  post.repeatable = false;
  EXPECT_FALSE(client.send(post).has_value());
  EXPECT_EQ(posts, 1);
}

TEST(Client, CutInTheMiddleOfTheBodyIsUnknown) {
  RawServer server([](int socket, int) {
    read_request(socket);
    write_all(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":");
  });
  const Result result = Client().send(get(server.url()));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reach, Failure::Reach::unknown);
  EXPECT_EQ(result.error().code, "http.cut");
}

TEST(Client, TotalTimeoutAfterTheRequestIsUnknown) {
  RawServer server([](int socket, int) {
    read_request(socket);
    read_request(socket);  // until the client gives up
  });
  Request request = get(server.url());
  request.timeouts.total = 200ms;
  const Result result = Client().send(request);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reach, Failure::Reach::unknown);
  EXPECT_EQ(result.error().code, "http.timeout");
}

TEST(Client, IdleTimeoutEndsAReplyThatStopsComing) {
  RawServer server([](int socket, int) {
    read_request(socket);
    write_all(socket, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab");
    read_request(socket);
  });
  Request request = get(server.url());
  request.timeouts.idle = 1s;
  const Result result = Client().send(request);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, "http.timeout");
}

TEST(Client, AnEndlessBodyIsCapped) {
  RawServer server([](int socket, int) {
    read_request(socket);
    write_all(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    for (int i = 0; i < 64; ++i) write_all(socket, chunk);
  });
  Request request = get(server.url());
  request.reply_bytes_max = 100'000;
  const Result result = Client().send(request);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, "http.too_large");
  EXPECT_EQ(result.error().reach, Failure::Reach::unknown);
}

TEST(Client, EndlessHeadersAreCapped) {
  RawServer server([](int socket, int) {
    read_request(socket);
    write_all(socket, "HTTP/1.1 200 OK\r\n");
    const std::string line = "X-Filler: " + std::string(8'000, 'x') + "\r\n";
    for (int i = 0; i < 300; ++i) write_all(socket, line);
  });
  const Result result = Client().send(get(server.url()));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reach, Failure::Reach::unknown);
}

TEST(Client, RedirectsAreNotFollowed) {
  RawServer server([](int socket, int) {
    read_request(socket);
    write_all(socket, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
  });
  const Result result = Client().send(get(server.url()));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->status, 302);
  EXPECT_EQ(server.accepted(), 1);
}

TEST(Client, PlainHttpOnlyToThisMachine) {
  const Result refused = Client().send(get("http://example.invalid/x?token=abc"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "http.url");
  EXPECT_EQ(refused.error().reach, Failure::Reach::not_sent);
  EXPECT_NE(refused.error().message.find("allow_http"), std::string::npos);
  EXPECT_EQ(refused.error().message.find("token"), std::string::npos);
  const Result allowed =
      Client({.allow_http = true, .ca_file = {}, .user_agent = "eddy"}).send(get("http://example.invalid/"));
  ASSERT_FALSE(allowed.has_value());
  EXPECT_NE(allowed.error().code, "http.url");
  for (const char* url : {"ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1", ""})
    EXPECT_EQ(Client().send(get(url)).error().code, "http.url") << url;
}

TEST(Client, LineBreaksInHeadersAreRefused) {
  Request request = get("http://127.0.0.1:1/");
  request.headers.set("Authorization", "Bearer a\r\nX-Injected: 1");
  const Result result = Client().send(request);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, "http.url");
  EXPECT_EQ(result.error().message.find("Injected"), std::string::npos);
}

TEST(Loopback, IsTheHostAndNothingElse) {
  for (const char* url : {"http://localhost/", "http://LOCALHOST:80", "http://127.0.0.1:9",
                          "http://127.9.9.9/", "http://[::1]:8080/x", "http://u:p@127.0.0.1/"})
    EXPECT_TRUE(is_loopback(url)) << url;
  for (const char* url :
       {"http://127.0.0.1.evil.example/", "http://localhost.evil.example/", "http://evil.example/127.0.0.1",
        "http://127.0.0.1@evil.example/", "http://[::2]/", "http://10.0.0.1/", "localhost", "http://127.1/"})
    EXPECT_FALSE(is_loopback(url)) << url;
}

TEST(FormEncode, EncodesNamesAndValues) {
  EXPECT_EQ(form_encode({{"a b", "1&2"}, {"ü", "="}}), "a%20b=1%262&%C3%BC=%3D");
}

// ---- TLS ----

struct Certificate {
  EVP_PKEY* key = nullptr;
  X509* x509 = nullptr;
  ~Certificate() {
    X509_free(x509);
    EVP_PKEY_free(key);
  }
  Certificate(const std::string& host, long valid_from, long valid_for)
      : key(EVP_RSA_gen(2048)), x509(X509_new()) {
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), valid_from);
    X509_gmtime_adj(X509_getm_notAfter(x509), valid_from + valid_for);
    X509_set_pubkey(x509, key);
    X509_NAME* name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(host.c_str()),
                               -1, -1, 0);
    X509_set_issuer_name(x509, name);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("IP:" + host).c_str());
    X509_add_ext(x509, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(x509, key, EVP_sha256());
  }
  std::string pem() const {
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(memory, x509);
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(memory);
    return text;
  }
};

// What the server could read of a request under that certificate; "" when the handshake failed.
Result ask_over_tls(const Certificate& certificate, const std::string& trusted_pem, std::string& read) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(context, certificate.x509);
  SSL_CTX_use_PrivateKey(context, certificate.key);
  testing::Scratch scratch;
  Result result;
  {
    RawServer server([&](int socket, int) {
      SSL* ssl = SSL_new(context);
      SSL_set_fd(ssl, socket);
      if (SSL_accept(ssl) == 1) {
        char buffer[4096];
        const int count = SSL_read(ssl, buffer, sizeof buffer);
        if (count > 0) {
          read.assign(buffer, static_cast<std::size_t>(count));
          const std::string reply = ok("secret reply");
          SSL_write(ssl, reply.data(), static_cast<int>(reply.size()));
        }
      }
      SSL_free(ssl);
    });
    ClientOptions options;
    options.ca_file = scratch.write("ca.pem", trusted_pem).string();
    Client client(options);
    result = client.send(get("https://127.0.0.1:" + std::to_string(server.port()) + "/"));
  }
  SSL_CTX_free(context);
  return result;
}

TEST(ClientTls, ATrustedCertificateForTheHostIsAccepted) {
  const Certificate certificate("127.0.0.1", -60, 3600);
  std::string read;
  const Result result = ask_over_tls(certificate, certificate.pem(), read);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->body, "secret reply");
}

void expect_refused(const Certificate& certificate, const std::string& trusted) {
  std::string read;
  const Result result = ask_over_tls(certificate, trusted, read);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, "http.certificate") << result.error().message;
  EXPECT_EQ(result.error().reach, Failure::Reach::not_sent);
  EXPECT_EQ(read, "");
}

TEST(ClientTls, UntrustedIsRefusedAndNothingIsSent) {
  const Certificate certificate("127.0.0.1", -60, 3600), other("127.0.0.1", -60, 3600);
  expect_refused(certificate, other.pem());
}

TEST(ClientTls, ExpiredIsRefusedAndNothingIsSent) {
  const Certificate certificate("127.0.0.1", -7200, 3600);
  expect_refused(certificate, certificate.pem());
}

TEST(ClientTls, WrongHostIsRefusedAndNothingIsSent) {
  const Certificate certificate("127.0.0.2", -60, 3600);
  expect_refused(certificate, certificate.pem());
}

TEST(ClientTls, ACutHandshakeSentNothing) {
  RawServer server([](int, int) {});
  const Result result = Client().send(get("https://127.0.0.1:" + std::to_string(server.port()) + "/"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reach, Failure::Reach::not_sent);
  EXPECT_EQ(result.error().code, "http.tls");
}

// The server's certificate is good, but every connection is closed as soon as it stands.
TEST(ClientTls, WritingToAClosedConnectionDoesNotEndTheProcess) {
  const Certificate certificate("127.0.0.1", -60, 3600);
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(context, certificate.x509);
  SSL_CTX_use_PrivateKey(context, certificate.key);
  testing::Scratch scratch;
  {
    RawServer server([&](int socket, int) {
      SSL* ssl = SSL_new(context);
      SSL_set_fd(ssl, socket);
      SSL_accept(ssl);
      const linger hard{1, 0};  // close with RST
      ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
      ::shutdown(socket, SHUT_RDWR);
      SSL_free(ssl);
    });
    ClientOptions options;
    options.ca_file = scratch.write("ca.pem", certificate.pem()).string();
    Client client(options);
    for (int i = 0; i < 5; ++i) {
      Request request = get("https://127.0.0.1:" + std::to_string(server.port()) + "/");
      request.method = "POST";
      request.body = std::string(4 << 20, 'x');
      EXPECT_FALSE(client.send(request).has_value());
    }
  }
  SSL_CTX_free(context);
}

}  // namespace
}  // namespace eddy::http
