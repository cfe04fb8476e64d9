#include "connectors/webhook/endpoint.h"

#include <fmt/format.h>

#include <charconv>

#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t secret_part_min = 16;  // of a URL: shorter ones are words

bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string::npos;
  });
}

// Headers that the message itself or the wire decides.
bool is_ours(const std::string& name) {
  const std::string low = lower(name);
  return low.starts_with("webhook-") || low == "content-length" || low == "transfer-encoding" ||
         low == "host" || low == "connection";
}

bool carries_credentials(const std::string& name) {
  const std::string low = lower(name);
  for (const char* word : {"auth", "key", "token", "secret", "cookie", "password", "signature"})
    if (low.find(word) != std::string::npos) return true;
  return false;
}

std::string origin_of(const std::string& url) {
  const auto scheme = url.find("://");
  return url.substr(0, url.find_first_of("/?#", scheme + 3));
}

void check_url(const config::Node& node) {
  const std::string& url = node.text();
  const bool known = url.starts_with("https://") || url.starts_with("http://");
  if (!known || origin_of(url).ends_with("://"))
    node.fail("destination.settings", "webhook: `url` is not an http:// or https:// address",
              "write it like https://hooks.example.com/eddy");
  if (url.find_first_of(" \t\r\n#") != std::string::npos)
    node.fail("destination.settings", "webhook: `url` has a blank or a # in it", "percent-encode it");
  if (origin_of(url).find('@') != std::string::npos)
    node.fail("destination.settings", "webhook: `url` holds a user name",
              "put credentials into a header: headers: {Authorization: \"Basic ${TOKEN}\"}");
  // Many services put the only credential into the path.
  std::string part;
  for (const char c : url.substr(origin_of(url).size()) + "/") {
    if (std::string_view("/?&=").find(c) == std::string_view::npos) {
      part += c;
      continue;
    }
    if (part.size() >= secret_part_min) register_secret(part);
    part.clear();
  }
}

http::Headers read_headers(const config::Node& node) {
  http::Headers headers;
  headers.set("Content-Type", "application/json");
  headers.set("Accept", "application/json");
  for (const config::Node::Entry& entry : node.entries()) {
    if (!is_token(entry.name) || is_ours(entry.name))
      entry.key.fail("destination.settings", fmt::format("webhook: header `{}` cannot be set", entry.name),
                     is_token(entry.name) ? "it is written by the message itself" : "");
    const std::string& value = entry.value.text();
    if (carries_credentials(entry.name)) {
      register_secret(value);
      if (const auto blank = value.rfind(' '); blank != std::string::npos)
        register_secret(value.substr(blank + 1));
    }
    headers.set(entry.name, value);
  }
  return headers;
}

}  // namespace

http::Rate parse_rate(std::string_view text) {
  const auto slash = text.find('/');
  const std::string count = trim(text.substr(0, slash));
  std::size_t max = 0;
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), max);
  if (slash != std::string_view::npos && error == std::errc{} && end == count.data() + count.size() &&
      max > 0) {
    std::string window = trim(text.substr(slash + 1));
    if (!window.empty() && std::isdigit(static_cast<unsigned char>(window.front())) == 0)
      window = "1" + window;
    try {
      if (const milliseconds span = parse_duration(window); span.count() > 0) return {max, span};
    } catch (const Error&) {
      // told below
    }
  }
  throw Error("destination.settings", fmt::format("webhook: `{}` is not a rate", text),
              "write it like 50/s, 1000/m or 190/10s");
}

EndpointSettings EndpointSettings::read(const config::Node& node) {
  EndpointSettings out;
  check_url(node["url"]);
  out.url = node["url"].text();
  out.method = node["method"].as_string("POST");
  out.headers = read_headers(node["headers"]);
  if (const std::string secret = node["secret"].as_string(""); !secret.empty()) out.signer = Signer(secret);
  if (node["timeout"].exists()) out.timeout = node["timeout"].as_duration();
  for (const config::Node& rate : node["rate"].items()) out.rates.push_back(parse_rate(rate.text()));
  if (node["concurrency"].exists()) {
    const auto workers = node["concurrency"].as_integer();
    if (workers < 1 || workers > 64)
      node["concurrency"].fail("destination.settings", "webhook: `concurrency` is between 1 and 64");
    out.concurrency = static_cast<std::size_t>(workers);
  }
  return out;
}

Endpoint::Endpoint(EndpointSettings settings, Clock& clock, const Cancel& cancel,
                   std::unique_ptr<http::Exchange> exchange, std::filesystem::path pace_file)
    : settings_(std::move(settings)),
      origin_(origin_of(settings_.url)),
      clock_(clock),
      cancel_(cancel),
      exchange_(std::move(exchange)),
      pace_(clock, {settings_.rates, {}, settings_.concurrency}, std::move(pace_file)) {}

http::Request Endpoint::request(const WebhookMessage& message) const {
  http::Request out;
  out.method = settings_.method;
  out.url = settings_.url;
  out.headers = settings_.headers;
  out.headers.set("webhook-id", message.id);
  // Of this attempt, as the standard wants it; the event's own time is in the body.
  const auto seconds = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count();
  const std::string timestamp = std::to_string(seconds);
  out.headers.set("webhook-timestamp", timestamp);
  if (settings_.signer.signs())
    out.headers.set("webhook-signature", settings_.signer.sign(message.id, timestamp, message.body));
  out.body = message.body;
  out.timeouts.total = settings_.timeout;
  out.timeouts.idle = settings_.timeout;
  out.cancel = &cancel_;
  out.timeouts.connect = std::min(out.timeouts.connect, settings_.timeout);
  return out;
}

void Endpoint::throw_if_hopeless(const http::Failure& failure) const {
  if (failure.code == "http.url")
    throw Error("destination.settings", "webhook: " + failure.message, "check the connection's url");
  if (failure.code == "http.certificate")
    throw Error("destination.certificate", fmt::format("webhook: {}; nothing was sent", failure.message),
                "check the connection's url, the clock of this machine and its certificate authorities");
}

Reception Endpoint::send(const WebhookMessage& message) {
  Reception out;
  auto turn = pace_.take(cancel_);
  if (!turn) {
    out.code = cancel_.requested() ? "cancelled" : "paced";
    out.message = "held back to stay within the connection's `rate`";
    out.wait = turn.error();
    out.held_back = true;
    return out;
  }
  http::Result result = exchange_->send(request(message));
  if (result) {
    turn->left_after(result->left_after);
    return judge(std::move(*result));
  }
  throw_if_hopeless(result.error());
  if (result.error().reach == http::Failure::Reach::unknown) out.kind = Reception::Kind::lost;
  out.code = result.error().code;
  out.message = result.error().message;
  return out;
}

Reception Endpoint::judge(http::Response response) {
  Reception out;
  out.reply = Reply(std::move(response));
  const int status = out.reply->status;
  out.code = fmt::format("http_{}", status);
  out.message =
      out.reply->body.empty() ? fmt::format("HTTP {} without a body", status) : for_people(out.reply->body);
  const std::string told = fmt::format("webhook: {} answers HTTP {}: {}", origin_, status, out.message);
  if (out.reply->success_status()) {
    out.kind = Reception::Kind::accepted;
    return out;
  }
  switch (status) {
    case 410:
      throw Error("destination.gone", told + "; it wants no more messages",
                  "correct the connection's url, or take the sync away");
    case 401:
    case 403:
      throw Error("destination.credentials", told, "check the connection's secret and headers");
    case 404:
    case 405:
      throw Error("destination.refused", told, "check the connection's url and method");
    default:
      break;
  }
  if (status >= 300 && status < 400)
    throw Error("destination.refused", told + "; redirects are not followed",
                "write the new address into url");
  const bool about_the_content =
      status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
  // 503 says that the message was not taken; the other 5xx may come after it was.
  const bool untold = status >= 500 && status != 503;
  out.kind = about_the_content ? Reception::Kind::refused
             : untold          ? Reception::Kind::lost
                               : Reception::Kind::later;
  if (about_the_content) return out;
  if (const auto header = out.reply->headers.get("Retry-After"))
    out.wait = http::parse_retry_after(*header, clock_.now());
  if (status == 429)
    out.wait = pace_.throttled(out.wait, out.reply->headers);
  else if (out.wait)
    pace_.hold(*out.wait);
  return out;
}

std::string Endpoint::show(const WebhookMessage& message) const {
  return redact(fmt::format(
      "{} {}/…\nwebhook-id: {}\n{}\n\n{}", settings_.method, origin_, message.id,
      settings_.signer.signs()
          ? fmt::format("webhook-signature: {} over id.timestamp.body",
                        settings_.signer.secrets() == 1 ? std::string("v1")
                                                        : fmt::format("{} × v1", settings_.signer.secrets()))
          : "not signed: the connection has no secret",
      message.body));
}

std::string Endpoint::reach() {
  http::Request head;
  head.method = "HEAD";
  head.url = settings_.url;
  head.timeouts.total = head.timeouts.idle = settings_.timeout;
  const http::Result result = exchange_->send(head);
  const char* signing = settings_.signer.signs() ? "signed" : "not signed";
  if (result)
    return fmt::format("{} answers (HTTP {} to HEAD); messages are {}", origin_, result->status, signing);
  throw_if_hopeless(result.error());
  throw Error("destination.unreachable", "webhook: " + result.error().message,
              "check the network and the connection's url");
}

}  // namespace eddy::connectors
