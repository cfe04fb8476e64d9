#include "transport/http/server.h"

// Asio 1.74 uses std::exchange without including it; GCC 12 no longer brings it in by accident.
#include <utility>

#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK  // ThreadSanitizer does not understand memory fences
#endif
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <thread>

#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 9110 §5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, length};
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

std::string head_of(const Reply& reply, bool keep_alive) {
  const auto reason = beast::http::obsolete_reason(static_cast<beast::http::status>(reply.status));
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", reply.status,
                                 std::string_view{reason.data(), reason.size()}, http_date());
  for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
  if (!has_no_body(reply.status)) head += fmt::format("Content-Length: {}\r\n", reply.body.size());
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

using Message = beast::http::request<beast::http::string_body>;

// nullopt when the target cannot be decoded.
std::optional<IncomingRequest> understand(Message& message, const std::string& peer) {
  IncomingRequest request;
  request.method = std::string{message.method_string()};
  if (request.method == "HEAD") request.method = "GET";
  request.target = std::string{message.target()};
  request.peer = peer;
  const std::size_t question = request.target.find('?');
  const std::string raw_path = request.target.substr(0, question);
  const auto path = percent_decode(raw_path);
  if (!path || raw_path.empty() || raw_path.front() != '/') return std::nullopt;
  request.path = *path;
  for (const std::string& segment : split(std::string_view{raw_path}.substr(1), '/'))
    request.segments.push_back(*percent_decode(segment));
  if (question != std::string::npos) {
    auto query = parse_query(std::string_view{request.target}.substr(question + 1));
    if (!query) return std::nullopt;
    request.query = std::move(*query);
  }
  for (const auto& field : message)
    request.headers.emplace_back(std::string{field.name_string()}, std::string{field.value()});
  request.body = std::move(message.body());
  return request;
}

}  // namespace

std::string_view IncomingRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (beast::iequals({key.data(), key.size()}, {name.data(), name.size()})) return value;
  return {};
}

std::optional<std::string> IncomingRequest::query_value(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return std::nullopt;
}

std::string IncomingRequest::content_type() const {
  const std::string_view value = header("Content-Type");
  return lower(trim(value.substr(0, value.find(';'))));
}

Reply Reply::text(int status, std::string body, std::string content_type) {
  return {.status = status, .headers = {{"Content-Type", std::move(content_type)}}, .body = std::move(body)};
}

Reply& Reply::set(std::string_view name, std::string value) {
  std::erase_if(headers, [&](const NamedText& header) { return lower(header.first) == lower(name); });
  headers.emplace_back(std::string{name}, std::move(value));
  return *this;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::optional<std::vector<NamedText>> parse_query(std::string_view text) {
  std::vector<NamedText> pairs;
  for (const std::string& pair : split(text, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(std::string_view{pair}.substr(0, equals), true);
    auto value = percent_decode(std::string_view{pair}.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return std::nullopt;
    pairs.emplace_back(std::move(*name), std::move(*value));
  }
  return pairs;
}

// Everything below `connections_` runs on the one I/O thread, so nothing in it needs a lock.
class Server::Reactor {
 public:
  Reactor(Options options, Handler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        workers_(static_cast<std::size_t>(std::max(1, options_.threads))),
        acceptor_(io_),
        grace_(io_) {
    listen();
    asio::co_spawn(io_, accept(), asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Reactor() { stop(); }

  std::uint16_t port() const { return port_; }

  void stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { wind_down(); });
    thread_.join();
    workers_.join();
  }

 private:
  struct Connection {
    explicit Connection(tcp::socket socket) : stream(std::move(socket)) {}
    beast::tcp_stream stream;
    beast::flat_buffer buffer;
    std::string peer;
    bool waiting = true;  // for a request; such a connection may be closed at any time
  };
  using Parser = beast::http::request_parser<beast::http::string_body>;

  void listen() {
    try {
      const tcp::endpoint endpoint{asio::ip::make_address(options_.address), options_.port};
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(asio::socket_base::reuse_address(true));
      acceptor_.bind(endpoint);
      acceptor_.listen();
      port_ = acceptor_.local_endpoint().port();
    } catch (const boost::system::system_error& failure) {
      const std::string where = fmt::format("{}:{}", options_.address, options_.port);
      if (failure.code() == asio::error::address_in_use)
        throw Error("http.port_in_use", "another program already listens on " + where,
                    "stop it, or choose another port");
      throw Error("http.cannot_listen", "cannot listen on " + where + ": " + failure.code().message());
    }
  }

  void wind_down() {
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    for (Connection& connection : connections_)
      if (connection.waiting) connection.stream.cancel();
    if (connections_.empty()) return;
    grace_.expires_after(options_.stop_grace);
    grace_.async_wait([this](error_code ec) {
      if (!ec) io_.stop();
    });
  }

  asio::awaitable<void> accept() {
    while (!stopping_) {
      error_code ec;
      tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, ec));
      if (stopping_) co_return;
      if (ec) {  // out of descriptors, mostly: give connections time to end
        note("accept: " + ec.message());
        asio::steady_timer pause(io_, std::chrono::milliseconds{50});
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        continue;
      }
      socket.set_option(tcp::no_delay(true), ec);
      asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
    }
  }

  asio::awaitable<void> serve(tcp::socket socket) {
    const auto here = connections_.emplace(connections_.end(), std::move(socket));
    error_code ec;
    const tcp::endpoint peer = here->stream.socket().remote_endpoint(ec);
    if (!ec) here->peer = peer.address().to_string();
    try {
      if (connections_.size() > options_.connections_max) {
        co_await refuse(*here, 503, "too many connections\n");
      } else {
        bool again = true;
        while (again && !stopping_) again = co_await serve_one(*here);
      }
    } catch (const std::exception& failure) {
      note(std::string{"connection: "} + failure.what());
    }
    here->stream.socket().close(ec);
    connections_.erase(here);
    if (stopping_ && connections_.empty()) grace_.cancel();
  }

  // True when the connection may carry another request.
  asio::awaitable<bool> serve_one(Connection& connection) {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(options_.header_bytes_max));
    parser.body_limit(options_.body_bytes_max);
    error_code ec;
    connection.waiting = true;
    connection.stream.expires_after(options_.idle_timeout);
    co_await beast::http::async_read_header(connection.stream, connection.buffer, parser,
                                            asio::redirect_error(asio::use_awaitable, ec));
    connection.waiting = false;
    if (!ec) {
      connection.stream.expires_after(options_.transfer_timeout);
      if (beast::iequals(parser.get()[beast::http::field::expect], "100-continue")) {
        const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        co_await asio::async_write(connection.stream, asio::buffer(go_on),
                                   asio::redirect_error(asio::use_awaitable, ec));
      }
      if (!ec)
        co_await beast::http::async_read(connection.stream, connection.buffer, parser,
                                         asio::redirect_error(asio::use_awaitable, ec));
    }
    if (ec) {
      co_await answer_failure(connection, ec);
      co_return false;
    }
    Message message = parser.release();
    const bool head_only = message.method() == beast::http::verb::head;
    const bool keep_alive = message.keep_alive();
    auto request = understand(message, connection.peer);
    if (!request) {
      co_await refuse(connection, 400, "the request target is malformed\n");
      co_return false;
    }
    // Named, not a temporary: GCC 12 destroys temporaries of a co_await expression too early.
    auto work = [this, &request]() -> asio::awaitable<Reply> { co_return handled(*request); };
    Reply reply = co_await asio::co_spawn(workers_.get_executor(), work, asio::use_awaitable);
    const bool more = co_await send(connection, reply, head_only, keep_alive);
    co_return more;
  }

  Reply handled(const IncomingRequest& request) {
    try {
      return handler_(request);
    } catch (const std::exception& failure) {
      note(fmt::format("{} {}: {}", request.method, request.path, failure.what()));
    } catch (...) {
      note(fmt::format("{} {}: unknown exception", request.method, request.path));
    }
    return Reply::text(500, "internal error\n");
  }

  asio::awaitable<bool> send(Connection& connection, const Reply& reply, bool head_only, bool keep_alive) {
    if (reply.delay.count() > 0) co_await pause(reply.delay);
    if (reply.drop) co_return false;
    const bool more = keep_alive && !reply.close && !reply.raw && !reply.cut_body_after && !stopping_;
    const std::string head = reply.raw ? std::string{} : head_of(reply, more);
    std::string_view body = reply.body;
    if (reply.cut_body_after) body = body.substr(0, *reply.cut_body_after);
    if (!reply.raw && (head_only || has_no_body(reply.status))) body = {};
    error_code ec;
    if (reply.piece_bytes > 0) {
      ec = co_await send_in_pieces(connection, head + std::string{body}, reply);
    } else {
      const std::array<asio::const_buffer, 2> parts{asio::buffer(head),
                                                    asio::buffer(body.data(), body.size())};
      connection.stream.expires_after(options_.transfer_timeout);
      co_await asio::async_write(connection.stream, parts, asio::redirect_error(asio::use_awaitable, ec));
    }
    co_return more && !ec;
  }

  asio::awaitable<error_code> send_in_pieces(Connection& connection, std::string bytes, const Reply& reply) {
    error_code ec;
    for (std::size_t at = 0; at < bytes.size() && !ec && !stopping_; at += reply.piece_bytes) {
      if (at > 0) co_await pause(reply.piece_pause);
      connection.stream.expires_after(options_.transfer_timeout);
      const auto piece = asio::buffer(bytes.data() + at, std::min(reply.piece_bytes, bytes.size() - at));
      co_await asio::async_write(connection.stream, piece, asio::redirect_error(asio::use_awaitable, ec));
    }
    co_return ec;
  }

  asio::awaitable<void> pause(std::chrono::milliseconds duration) {
    asio::steady_timer timer(io_, duration);
    error_code ec;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  }

  asio::awaitable<void> answer_failure(Connection& connection, error_code ec) {
    using beast::http::error;
    if (ec == error::body_limit) {
      co_await refuse(connection, 413,
                      fmt::format("the body is larger than {} bytes\n", options_.body_bytes_max));
    } else if (ec == error::header_limit || ec == error::buffer_overflow) {
      co_await refuse(connection, 431,
                      fmt::format("the head is larger than {} bytes\n", options_.header_bytes_max));
    } else if (ec.category() == make_error_code(error::bad_method).category() && ec != error::end_of_stream &&
               ec != error::partial_message) {
      co_await refuse(connection, 400, "malformed request: " + ec.message() + "\n");
    }
  }

  // Answers and closes so that a client which is still sending reads the answer: without the drain, the
  // kernel resets the connection over the unread bytes and the client may lose what it was told.
  asio::awaitable<void> refuse(Connection& connection, int status, std::string text) {
    Reply reply = Reply::text(status, std::move(text));
    reply.close = true;
    co_await send(connection, reply, false, false);
    error_code ec;
    connection.stream.socket().shutdown(tcp::socket::shutdown_send, ec);
    connection.stream.expires_after(std::chrono::seconds{2});
    std::vector<char> sink(64 << 10);
    for (std::size_t drained = 0; !ec && !stopping_ && drained < (std::size_t{64} << 20);)
      drained += co_await connection.stream.async_read_some(asio::buffer(sink),
                                                            asio::redirect_error(asio::use_awaitable, ec));
  }

  void note(const std::string& line) const {
    if (options_.log) options_.log(line);
  }

  const Options options_;
  const Handler handler_;
  asio::thread_pool workers_;
  asio::io_context io_{1};
  std::uint16_t port_ = 0;
  std::list<Connection> connections_;
  tcp::acceptor acceptor_;
  asio::steady_timer grace_;
  bool stopping_ = false;
  std::thread thread_;
};

Server::Server(Options options, Handler handler)
    : reactor_(std::make_unique<Reactor>(std::move(options), std::move(handler))) {}
Server::~Server() = default;
std::uint16_t Server::port() const { return reactor_->port(); }
void Server::stop() { reactor_->stop(); }

}  // namespace eddy::http
