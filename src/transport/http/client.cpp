#include "transport/http/client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>

#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::http {

namespace {

constexpr std::size_t header_bytes_max = 1U << 20;

void initialise_curl_once() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK)
    throw Error("http.unavailable", fmt::format("libcurl cannot start: {}", curl_easy_strerror(code)));
}

// OpenSSL writes without MSG_NOSIGNAL: a connection that the server has closed would end the process. Blocked
// for this thread only; a SIGPIPE that was raised meanwhile is taken off, so that nobody gets it afterwards.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    const timespec at_once{0, 0};
    while (!was_pending_ && sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) continue;
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

// What one transfer collects; the callbacks run inside curl_easy_perform.
struct Collected {
  Response response;
  std::size_t header_bytes = 0;
  std::size_t body_max = 0;
  bool too_large = false;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* to) {
  auto& collected = *static_cast<Collected*>(to);
  const std::size_t bytes = size * count;
  if (bytes > collected.body_max - std::min(collected.body_max, collected.response.body.size())) {
    collected.too_large = true;
    return 0;
  }
  collected.response.body.append(data, bytes);
  return bytes;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* to) {
  auto& collected = *static_cast<Collected*>(to);
  const std::size_t bytes = size * count;
  const std::string_view line(data, bytes);
  collected.header_bytes += bytes;
  if (collected.header_bytes > header_bytes_max) {
    collected.too_large = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    collected.response
        .headers = {};  // the headers of "100 Continue" or of a proxy's CONNECT are not the reply's
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    collected.response.headers.add(std::string(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  return bytes;
}

// Ctrl-C is seen here: at least once a second while nothing moves, often while something does.
struct Watch {
  const Cancel* cancel = nullptr;
  std::chrono::milliseconds grace{0};
  std::optional<std::chrono::steady_clock::time_point> until = std::nullopt;
  bool cut = false;
};

int on_progress(void* to, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& watch = *static_cast<Watch*>(to);
  if (!watch.cancel->requested()) return 0;
  const auto now = std::chrono::steady_clock::now();
  if (!watch.until) watch.until = now + watch.grace;
  watch.cut = now >= *watch.until;
  return watch.cut ? 1 : 0;
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

void append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  static_cast<void>(list.release());
  list.reset(longer);
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

List header_list(const Request& request) {
  List list;
  for (const auto& [name, value] : request.headers.lines())
    append(list, value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  append(list, "Expect:");  // no wait for "100 Continue"
  if (!request.headers.get("Content-Type")) append(list, "Content-Type:");
  return list;
}

std::string_view code_of(CURLcode code, bool sent) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
      return "http.url";
    case CURLE_UNSUPPORTED_PROTOCOL:  // also said of an answer that is not HTTP
      return sent ? "http.cut" : "http.url";
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "http.name";
    case CURLE_COULDNT_CONNECT:
      return "http.refused";
    case CURLE_PEER_FAILED_VERIFICATION:
      return "http.certificate";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
      return "http.tls";
    case CURLE_OPERATION_TIMEDOUT:
      return sent ? "http.timeout" : "http.connect_timeout";
    default:
      return "http.cut";
  }
}

std::string origin_of(const std::string& url) {
  const auto scheme = url.find("://");
  return url.substr(0, scheme == std::string::npos ? url.find('?') : url.find_first_of("/?#", scheme + 3));
}

Failure refused_url(std::string message) { return {Failure::Reach::not_sent, "http.url", redact(message)}; }

}  // namespace

struct Client::Handle {
  Handle() : curl(curl_easy_init()) {
    if (curl == nullptr) throw std::bad_alloc();
  }
  ~Handle() { curl_easy_cleanup(curl); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  template <typename T>
  void set(CURLoption option, T value) {
    if (const CURLcode code = curl_easy_setopt(curl, option, value); code != CURLE_OK)
      throw Error("http.unavailable", fmt::format("libcurl refuses an option: {}", curl_easy_strerror(code)));
  }
  void prepare(const Request& request, const ClientOptions& options);
  void prepare_body(const Request& request);
  Result perform(const Request& request);

  CURL* curl;
  char error[CURL_ERROR_SIZE] = {};
};

void Client::Handle::prepare_body(const Request& request) {
  const bool bodyless = request.body.empty() &&
                        (request.method == "GET" || request.method == "DELETE" || request.method == "HEAD");
  if (!bodyless) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (request.method == "HEAD")
    set(CURLOPT_NOBODY, 1L);
  else
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void Client::Handle::prepare(const Request& request, const ClientOptions& options) {
  curl_easy_reset(curl);  // keeps live connections, the DNS cache and TLS sessions
  error[0] = '\0';
  set(CURLOPT_ERRORBUFFER, error);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options.ca_file.empty()) set(CURLOPT_CAINFO, options.ca_file.c_str());
  if (is_loopback(request.url)) set(CURLOPT_PROXY, "");
  set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  set(CURLOPT_USERAGENT, options.user_agent.c_str());
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_FRESH_CONNECT, request.repeatable ? 0L : 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.timeouts.connect.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeouts.total.count()));
  const auto idle = std::chrono::ceil<std::chrono::seconds>(request.timeouts.idle);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(idle.count()));
  prepare_body(request);
}

Result Client::Handle::perform(const Request& request) {
  Collected collected;
  collected.body_max = request.reply_bytes_max;
  const List headers = header_list(request);
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_WRITEFUNCTION, on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&collected));
  set(CURLOPT_HEADERFUNCTION, on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&collected));

  Watch watch{request.cancel, request.cancel_grace};
  if (request.cancel != nullptr) {
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, on_progress);
    set(CURLOPT_XFERINFODATA, static_cast<void*>(&watch));
  }

  const CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    collected.response.status = static_cast<int>(status);
    curl_off_t left_after = 0;
    curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &left_after);
    collected.response.left_after = std::chrono::microseconds{left_after};
    return std::move(collected.response);
  }
  // The request line is the first thing to leave; libcurl counts its bytes as it hands them to the
  // connection.
  long request_bytes = 0;
  curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_bytes);
  const bool sent = request_bytes > 0;
  const std::string why = error[0] != '\0' ? error : curl_easy_strerror(code);
  Failure failure{sent ? Failure::Reach::unknown : Failure::Reach::not_sent, std::string(code_of(code, sent)),
                  redact(fmt::format("{}: {}", origin_of(request.url), why))};
  if (collected.too_large) {
    failure.code = "http.too_large";
    failure.message = redact(fmt::format("{}: the reply is larger than {}", origin_of(request.url),
                                         human_bytes(request.reply_bytes_max)));
  }
  if (watch.cut) {
    failure.code = "http.cancelled";
    failure.message =
        redact(fmt::format("{}: no answer within {} s of the interrupt", origin_of(request.url),
                           std::chrono::ceil<std::chrono::seconds>(request.cancel_grace).count()));
  }
  return std::unexpected(std::move(failure));
}

Client::Client(ClientOptions options) : options_(std::move(options)) { initialise_curl_once(); }
Client::~Client() {
  const WithoutSigpipe guard;  // closing TLS connections writes to them
  idle_.clear();
}

std::unique_ptr<Client::Handle> Client::borrow() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  return std::make_unique<Handle>();
}

void Client::give_back(std::unique_ptr<Handle> handle) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(handle));
}

Result Client::send(const Request& request) {
  if (!request.url.starts_with("https://") && !request.url.starts_with("http://"))
    return std::unexpected(
        refused_url(fmt::format("`{}` is not an http:// or https:// URL", origin_of(request.url))));
  if (request.url.starts_with("http://") && !options_.allow_http && !is_loopback(request.url))
    return std::unexpected(refused_url(
        fmt::format("{} is not encrypted; use https://, or set allow_http: true in the connection",
                    origin_of(request.url))));
  for (const auto& [name, value] : request.headers.lines())
    if (has_line_break(name) || has_line_break(value))
      return std::unexpected(refused_url(
          fmt::format("header {} holds a line break", name.substr(0, name.find_first_of("\r\n")))));
  const WithoutSigpipe guard;
  auto handle = borrow();
  handle->prepare(request, options_);
  Result result = handle->perform(request);
  give_back(std::move(handle));
  return result;
}

}  // namespace eddy::http
