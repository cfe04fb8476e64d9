// One connection to one service: its settings, who we are there, how fast we may ask. Shared by all writers
// and workers.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "connectors/declarative/outcome.h"
#include "connectors/declarative/reply.h"
#include "connectors/declarative/request.h"
#include "connectors/declarative/settings.h"
#include "connectors/declarative/spec.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "transport/http/exchange.h"
#include "transport/http/pacing.h"

namespace eddy::connectors {

// What came of a request, retried never, except once after a refreshed token.
struct Called {
  enum class Kind {
    answered,  // `reply` says that the request was processed
    refused,   // `refusal` says what it means
    lost,      // no usable reply; `refusal` says why, the request may have been processed
    not_sent,  // nothing reached the service; `refusal` says why and how long to wait
    held,      // nothing was sent, to stay within the service's limits; `refusal` says how long to wait
  };
  Kind kind = Kind::lost;
  std::optional<Reply> reply;
  Refusal refusal;
};

// Thread-safe. `pace_file` is where the processes on a project share what they know of this connection's
// limits (transport/http/pacing.h); empty: nothing is shared.
class Session {
 public:
  Session(const Spec& spec, Settings settings, Clock& clock, const Cancel& cancel,
          std::unique_ptr<http::Exchange> exchange,
          std::chrono::milliseconds request_timeout = std::chrono::minutes{2},
          std::filesystem::path pace_file = {});

  const Settings& settings() const { return settings_; }
  Clock& clock() { return clock_; }
  // Where requests go: the setting base_url, unless authentication named another. Logs in when that is needed
  // to know.
  std::string base_url();
  // Values of settings and authentication.
  Lookup lookup() const { return settings_.lookup(); }

  // Throws Error("destination.credentials") when a fresh token is refused too, Error("destination.quota") for
  // the class `stop`, Error("destination.refused") for the class `config`. All other outcomes are values.
  // `processed` says whether a reply is a success as a whole.
  Called call(const RequestSpec& request, const Content& content, const Lookup& lookup,
              const std::function<bool(const Reply&)>& processed, const ErrorSpec& errors, bool repeatable);

 private:
  struct Token {
    std::string value;
    std::string base_url;
    std::optional<Clock::MonotonicTime> expires;
    std::uint64_t number = 0;  // of this token; 0: none yet
  };
  // A token that is good as far as we know; nullopt when the token endpoint cannot be reached now (`why` is
  // filled).
  std::optional<Token> token(Refusal& why);
  // After the token number `refused` was refused. Only the first of several workers asks for a new one.
  void forget(std::uint64_t refused);
  bool fetch_token(Refusal& why);
  // True when the token is there; false when it may be asked for again; throws
  // Error("destination.credentials") otherwise.
  bool read_token(const Reply& reply, Refusal& why);
  void add_credentials(http::Request& request, const Token& token) const;
  // Remembers that the day's quota is used up to our share; the next call says so instead of sending.
  void note_usage(const Reply& reply);
  void throw_if_quota_used();
  void throw_if_hopeless(const http::Failure& failure) const;
  Called refused(Refusal refusal, const Reply& reply);

  const Spec& spec_;
  Settings settings_;
  const AuthSpec* auth_ = nullptr;
  Clock& clock_;
  const Cancel& cancel_;
  std::unique_ptr<http::Exchange> exchange_;
  std::chrono::milliseconds total_timeout_;
  http::Pace pace_;
  std::mutex token_mutex_;  // held while a token is asked for: single flight
  Token token_;
  std::mutex usage_mutex_;
  std::string quota_used_;  // what the service said; empty: go on
};

}  // namespace eddy::connectors
