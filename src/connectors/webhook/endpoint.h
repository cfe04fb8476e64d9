// One receiver of webhooks: where it is, how it is spoken to, and what its replies mean. Shared by all
// writers of the connection.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "connectors/declarative/reply.h"
#include "connectors/webhook/message.h"
#include "connectors/webhook/signature.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "transport/http/exchange.h"
#include "transport/http/pacing.h"

namespace eddy::connectors {

struct EndpointSettings {
  std::string url;
  std::string method = "POST";
  http::Headers headers;
  Signer signer;
  std::chrono::milliseconds timeout{30'000};  // the standard recommends 15 to 30 seconds
  std::vector<http::Rate> rates;
  std::size_t concurrency = 4;

  // Throws Error("destination.settings"). Registers what must not be shown: secrets, the values of headers
  // that carry credentials, the long parts of the URL's path and query.
  static EndpointSettings read(const config::Node& node);
};

// "50/s", "1000/m", "190 per 10s" is "190/10s". Throws Error("destination.settings").
http::Rate parse_rate(std::string_view text);

// What came of one request.
struct Reception {
  enum class Kind {
    accepted,  // 2xx; `reply` is there
    refused,   // 4xx: about what was sent; nothing was applied
    later,     // not taken, and may be sent again: busy, unavailable, unreachable
    lost,      // may have been taken: no answer came, or one that does not tell; the same id goes again
  };
  Kind kind = Kind::later;
  std::optional<Reply> reply;
  std::string code, message;
  std::optional<std::chrono::milliseconds> wait;  // with `later`
  bool held_back = false;                         // with `later`: nothing left, because `rate` had to be kept
};

// Thread-safe. `pace_file` is where the processes on a project share what they know of this endpoint's limits
// (transport/http/pacing.h); empty: nothing is shared.
class Endpoint {
 public:
  Endpoint(EndpointSettings settings, Clock& clock, const Cancel& cancel,
           std::unique_ptr<http::Exchange> exchange, std::filesystem::path pace_file = {});

  // Signs with the present time and sends once. Throws Error when going on is pointless: destination.gone
  // (410: it wants no more), destination.credentials (401, 403), destination.refused (3xx, 404, 405: the URL
  // is wrong), destination.settings and destination.certificate (nothing was sent).
  Reception send(const WebhookMessage& message);
  // The request without its signature, for people.
  std::string show(const WebhookMessage& message) const;
  // HEAD: any reply will do. Throws Error("destination.unreachable").
  std::string reach();

  const EndpointSettings& settings() const { return settings_; }
  Clock& clock() { return clock_; }

 private:
  http::Request request(const WebhookMessage& message) const;
  Reception judge(http::Response response);
  void throw_if_hopeless(const http::Failure& failure) const;

  EndpointSettings settings_;
  std::string origin_;  // https://host:port, which is all of the URL that is ever shown
  Clock& clock_;
  const Cancel& cancel_;
  std::unique_ptr<http::Exchange> exchange_;
  http::Pace pace_;
};

}  // namespace eddy::connectors
