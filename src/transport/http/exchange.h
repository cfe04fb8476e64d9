// One request, one reply: the words of HTTP out. Whoever speaks to a service takes an Exchange, so a test
// scripts the replies without a socket; client.h holds the real one.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/cancel.h"

namespace eddy::http {

// Header lines in order; names compare without case (RFC 9110 §5.1). A name may occur more than once.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> lines) : lines_(lines) {}
  void add(std::string name, std::string value) { lines_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string name, std::string value);                     // replaces every line of that name
  std::optional<std::string_view> get(std::string_view name) const;  // the first; valid until the next change
  const std::vector<std::pair<std::string, std::string>>& lines() const { return lines_; }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

struct Timeouts {
  std::chrono::milliseconds connect{10'000};  // name, TCP and TLS together
  std::chrono::milliseconds idle{60'000};     // no progress in either direction for so long; whole seconds
  std::chrono::milliseconds total{300'000};   // from the call to the last byte
};

struct Request {
  std::string method = "GET";
  std::string url;  // absolute, http:// or https://
  Headers headers;
  std::string body;
  Timeouts timeouts{};
  std::size_t reply_bytes_max = 64U << 20;  // of the decoded body
  // Sending it twice does no harm. Otherwise it always gets a fresh connection: on a reused one that the
  // server has just closed, the request could be lost, or repeated, without anybody being able to tell.
  bool repeatable = true;
  // Once cancel is requested the request has `cancel_grace` left to finish; then it is cut
  // ("http.cancelled"). Must outlive the call.
  const Cancel* cancel = nullptr;
  std::chrono::milliseconds cancel_grace{10'000};
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;  // decoded (gzip, deflate)
  // From the call until the request left: name, connection and TLS, when they were needed.
  std::chrono::microseconds left_after{0};
};

// No reply, or none that can be used. `message` is fit for people, secrets redacted.
struct Failure {
  enum class Reach {
    not_sent,  // not a byte of the request left: refused, name not found, TLS refused, connect timeout
    unknown,   // the server may have acted on it: cut off, timed out, reply too large
  };
  Reach reach = Reach::unknown;
  // "http.refused", "http.name", "http.certificate" (not trusted), "http.tls", "http.connect_timeout",
  // "http.timeout", "http.cut", "http.too_large", "http.url" (not acceptable: scheme, plain http),
  // "http.cancelled"
  std::string code;
  std::string message;
};

using Result = std::expected<Response, Failure>;

class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual Result send(const Request& request) = 0;  // thread-safe; never throws for what the wire does
};

// An Exchange from a function; the function must be thread-safe when the Exchange is shared.
class ScriptedExchange final : public Exchange {
 public:
  explicit ScriptedExchange(std::function<Result(const Request&)> answer) : answer_(std::move(answer)) {}
  Result send(const Request& request) override { return answer_(request); }

 private:
  std::function<Result(const Request&)> answer_;
};

// "a=1&b=x%20y": names and values percent-encoded.
std::string form_encode(const std::vector<std::pair<std::string, std::string>>& pairs);
// The host of an absolute URL is this machine: localhost, 127.0.0.0/8 or ::1.
bool is_loopback(std::string_view url);

}  // namespace eddy::http
