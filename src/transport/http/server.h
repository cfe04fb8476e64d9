// The HTTP/1.1 server that Eddy's daemon and the sandbox stand on: requests in, replies out, nothing else.
// The only door to Boost Beast. TLS is not spoken: it listens on loopback, or behind a proxy that does.
//
// One thread moves the bytes of all connections; handlers run on a pool of `threads` and may block. A
// connection is served one request at a time (pipelined requests wait their turn) and kept alive as HTTP/1.1
// says.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eddy::http {

using NamedText = std::pair<std::string, std::string>;

// A request as the handler sees it. Owns its bytes.
struct IncomingRequest {
  std::string method{};  // "GET", "POST", …; a HEAD arrives as GET, the server leaves out the body
  std::string target{};  // as sent: path and query, still percent-encoded
  std::string path{};    // decoded, without the query
  std::vector<std::string> segments{};  // the path split at '/', then decoded: "%2F" stays within its segment
  std::vector<NamedText> query{};       // decoded, '+' is a space, in the order sent
  std::vector<NamedText> headers{};     // names as sent
  std::string body{};
  std::string peer{};  // the client's address: "127.0.0.1"

  std::string_view header(std::string_view name) const;  // first of that name, any case; "" when absent
  std::optional<std::string> query_value(std::string_view name) const;  // first of that name
  std::string content_type() const;                                     // lower case, without parameters
};

// What the handler answers. The server adds Content-Length, Date and Connection.
struct Reply {
  int status = 200;
  std::vector<NamedText> headers{};
  std::string body{};

  // Hooks for misbehaving on purpose; an ordinary reply leaves them alone.
  bool raw = false;    // body is all that is sent, head included; then the connection closes
  bool drop = false;   // nothing is sent, the connection is cut
  bool close = false;  // Connection: close after this reply
  std::optional<std::size_t> cut_body_after{};  // announce the whole body, send this many bytes of it, cut
  std::chrono::milliseconds delay{0};           // before the first byte
  std::size_t piece_bytes = 0;                  // >0: send in pieces of this size …
  std::chrono::milliseconds piece_pause{0};     // … with this pause between them

  static Reply text(int status, std::string body, std::string content_type = "text/plain; charset=utf-8");
  // Last of that name wins; replaces any earlier one.
  Reply& set(std::string_view name, std::string value);
};

// Decodes %XX, and '+' as a space when `plus_is_space`. nullopt when a '%' is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
// "a=1&b=x%20y" (a query string or a form body). nullopt when it cannot be decoded.
std::optional<std::vector<NamedText>> parse_query(std::string_view text);

// Thread rule: construct, stop and destroy from one thread; the handler is called from many at once.
class Server {
 public:
  // An exception that leaves the handler becomes a plain 500 (its text goes to `log`, never to the client).
  using Handler = std::function<Reply(const IncomingRequest&)>;

  struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;                              // 0 picks a free one
    int threads = 4;                                     // handlers at work at once
    std::size_t body_bytes_max = 8 << 20;                // more: 413
    std::size_t header_bytes_max = 32 << 10;             // request line and headers; more: 431
    std::size_t connections_max = 1024;                  // more: 503 and closed
    std::chrono::milliseconds idle_timeout{60'000};      // a kept-alive connection without a request
    std::chrono::milliseconds transfer_timeout{30'000};  // one request to arrive, one reply to leave
    std::chrono::milliseconds stop_grace{5'000};         // for handlers at work when stop() is called
    std::function<void(std::string_view)> log{};         // one line per unexpected event; may be empty
  };

  // Listens and serves at once. Throws Error("http.port_in_use"), Error("http.cannot_listen").
  Server(Options options, Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  // Takes no more connections, closes idle ones, lets requests being handled finish within stop_grace.
  // Idempotent.
  void stop();

 private:
  class Reactor;
  std::unique_ptr<Reactor> reactor_;
};

}  // namespace eddy::http
