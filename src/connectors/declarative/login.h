// Who we are at a service: the chosen way of its `auth`, and the access token that this way needs.
#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "connectors/declarative/outcome.h"
#include "connectors/declarative/reply.h"
#include "connectors/declarative/settings.h"
#include "connectors/declarative/spec.h"
#include "connectors/declarative/token_file.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "transport/http/exchange.h"

namespace eddy::connectors {

// Time does not heal some failures: throws Error("destination.settings") for a URL that is none, and
// Error("destination.certificate").
void throw_if_hopeless(const Spec& spec, const http::Failure& failure);
Refusal wire_refusal(const http::Failure& failure);

// Thread-safe. Keeps references to everything it is made from. Throws Error("destination.settings") when the
// settings hold no complete credentials.
class Login {
 public:
  // `token_file`: where a refresh token that the service replaces is kept (token_file.h); empty: nowhere.
  Login(const Spec& spec, const Settings& settings, Clock& clock, const Cancel& cancel,
        http::Exchange& exchange, std::chrono::milliseconds request_timeout,
        std::filesystem::path token_file);

  struct Token {
    std::string value;
    std::string base_url;  // where requests go
    std::optional<Clock::MonotonicTime> expires;
    std::uint64_t number = 0;  // of this token; 0: none yet
  };
  // A token that is good as far as we know; nullopt when the token endpoint cannot be reached now (`why` is
  // filled). Throws Error("destination.credentials") when it refuses.
  std::optional<Token> token(Refusal& why);
  // A token can be had anew after it was refused.
  bool renewable() const { return auth_ != nullptr && auth_->kind == AuthSpec::Kind::oauth2; }
  // The service has taken the token of that number.
  void taken(std::uint64_t number);
  // What it means that the service refuses the token of that number. The next token() asks for a new one,
  // once for all workers, and the more slowly the more new ones in a row were refused.
  enum class Refused {
    known,  // another worker has seen it before: there is, or will be, a newer one
    ended,  // it was good until now
    again,  // it was new, as some before it: it may have ended early, as tokens do
    never,  // so were too many in a row: the credentials are refused
  };
  Refused refused(std::uint64_t number);
  void add_credentials(http::Request& request, const Token& token) const;
  // What somebody should be told, once: "" when there is nothing.
  std::string take_note();

 private:
  bool fetch_token(Refusal& why);
  // True when the token is there; false when it may be asked for again, after `wait`; throws otherwise.
  bool read_token(const Reply& reply, Refusal& why);
  void keep_refresh_token(const Reply& reply);
  Lookup lookup() const;

  const Spec& spec_;
  const Settings& settings_;
  const AuthSpec* auth_ = nullptr;
  Clock& clock_;
  const Cancel& cancel_;
  http::Exchange& exchange_;
  const std::chrono::milliseconds total_timeout_;
  const TokenFile kept_;
  mutable std::mutex mutex_;  // held while a token is asked for: single flight. Guards what follows
  Token token_;
  bool taken_ = false;         // the service has taken token_
  int refused_in_a_row_ = 0;   // new tokens that were refused
  std::string refused_;        // the value of the token that was refused last
  std::string refresh_token_;  // that replaces the setting's; empty: none has
  std::string note_;
};

}  // namespace eddy::connectors
