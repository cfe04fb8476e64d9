#include "connectors/declarative/session.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;
using std::chrono::milliseconds;

namespace {

std::vector<http::Rate> rates(const Spec& spec, const Settings& settings) {
  std::vector<http::Rate> out;
  for (const auto& [max, window] : spec.limits.buckets) {
    const auto number = as_number(max.text(settings.lookup()).value_or(""));
    if (!number || *number < 1)
      throw Error("destination.settings",
                  fmt::format("{}: {} is not a number of requests", spec.name, max.source()),
                  "give a whole number of at least 1");
    out.push_back({static_cast<std::size_t>(*number), window});
  }
  return out;
}

const AuthSpec* choose_auth(const Spec& spec, const Settings& settings) {
  std::vector<std::string> ways;
  for (const AuthSpec& auth : spec.auth) {
    if (std::all_of(auth.needs.begin(), auth.needs.end(),
                    [&](const std::string& name) { return settings.get(name).has_value(); }))
      return &auth;
    ways.push_back(join(auth.needs, " and "));
  }
  if (spec.auth.empty()) return nullptr;
  throw Error("destination.settings",
              fmt::format("{}: the connection has no complete credentials", spec.title),
              "set " + join(ways, ", or "));
}

Refusal wire_refusal(const http::Failure& failure) {
  return {ErrorClass::retry, failure.code, failure.message, std::nullopt};
}

}  // namespace

Session::Session(const Spec& spec, Settings settings, Clock& clock, const Cancel& cancel,
                 std::unique_ptr<http::Exchange> exchange, milliseconds request_timeout,
                 std::filesystem::path pace_file)
    : spec_(spec),
      settings_(std::move(settings)),
      auth_(choose_auth(spec, settings_)),
      clock_(clock),
      cancel_(cancel),
      exchange_(std::move(exchange)),
      total_timeout_(request_timeout),
      pace_(clock, {rates(spec, settings_), spec.limits.headers, spec.limits.concurrency},
            std::move(pace_file)) {}

// Time does not heal these.
void Session::throw_if_hopeless(const http::Failure& failure) const {
  if (failure.code == "http.url")
    throw Error("destination.settings", fmt::format("{}: {}", spec_.title, failure.message),
                "check the connection's base_url");
  if (failure.code == "http.certificate")
    throw Error("destination.certificate",
                fmt::format("{}: {}; nothing was sent", spec_.title, failure.message),
                "check the connection's base_url, the clock of this machine and its certificate authorities");
}

std::string Session::base_url() {
  Refusal why;
  const auto current = token(why);
  if (!current)
    throw Error("destination.unreachable", fmt::format("{}: {}", spec_.title, why.message),
                "check the network and the connection's base_url");
  return current->base_url;
}

std::optional<Session::Token> Session::token(Refusal& why) {
  const std::lock_guard lock(token_mutex_);
  if (auth_ == nullptr || auth_->kind != AuthSpec::Kind::oauth2) {
    Token none;
    none.base_url = *settings_.get("base_url");
    none.number = token_.number;
    return none;
  }
  const bool expired = token_.expires && clock_.monotonic() >= *token_.expires;
  if ((token_.number == 0 || token_.value.empty() || expired) && !fetch_token(why)) return std::nullopt;
  return token_;
}

void Session::forget(std::uint64_t refused) {
  const std::lock_guard lock(token_mutex_);
  if (token_.number == refused) token_.value.clear();
}

bool Session::fetch_token(Refusal& why) {
  const std::string base = *settings_.get("base_url");
  const std::string previous = token_.value;
  const json body =
      auth_->token_request.body.empty() ? json() : auth_->token_request.body.render(lookup(), 0, {});
  http::Request request =
      build_request(auth_->token_request, base, lookup(), encode(auth_->token_request, body));
  request.timeouts.total = total_timeout_;
  request.cancel = &cancel_;
  for (int attempt = 0; attempt < 5; ++attempt) {
    // A token that is about to end is handed out again until it has ended; a parallel refresh ends soon too.
    if (attempt > 0) clock_.sleep_for(std::chrono::seconds{1});
    if (cancel_.requested()) break;
    http::Result result = exchange_->send(request);
    if (!result) {
      throw_if_hopeless(result.error());
      why = wire_refusal(result.error());
      return false;
    }
    if (read_token(Reply(std::move(*result)), why)) return true;
    if (why.error_class != ErrorClass::auth) return false;
  }
  return false;
}

bool Session::read_token(const Reply& reply, Refusal& why) {
  const json* token = reply.json && reply.success_status() ? at(*reply.json, auth_->token) : nullptr;
  if (token == nullptr || !token->is_string() || token->get_ref<const std::string&>().empty()) {
    const ErrorSpec fields{{"/error", "/errors/0/code", "/code"},
                           {"/error_description", "/message", "/errors/0/message"},
                           {},
                           {},
                           {}};
    why = classify(reply, fields, clock_.now());
    if (auth_->retry_on.given() && auth_->retry_on.holds(reply)) {
      why.error_class = ErrorClass::auth;  // ask again
      return false;
    }
    const bool later =
        reply.status >= 500 || reply.status == 429 || reply.status == 408 || reply.success_status();
    if (later) {
      why.error_class = ErrorClass::retry;
      return false;
    }
    throw Error("destination.credentials",
                fmt::format("{} refuses to give an access token: {}: {}", spec_.title, why.code, why.message),
                "check the connection's credentials and its base_url");
  }
  Token fresh;
  fresh.value = token->get<std::string>();
  register_secret(fresh.value);
  fresh.number = token_.number + 1;
  fresh.base_url = *settings_.get("base_url");
  if (const json* base = auth_->base_url_from.empty() ? nullptr : at(*reply.json, auth_->base_url_from);
      base != nullptr && base->is_string())
    if (!base->get_ref<const std::string&>().empty()) fresh.base_url = base->get<std::string>();
  while (fresh.base_url.ends_with('/')) fresh.base_url.pop_back();
  const json* lifetime = auth_->expires_in.empty() ? nullptr : at(*reply.json, auth_->expires_in);
  if (const auto seconds = lifetime == nullptr ? std::nullopt : as_number(plain_text(*lifetime))) {
    if (*seconds <= 0) {
      why = {ErrorClass::auth, "token_expired", "the token endpoint hands out a token that has ended",
             std::nullopt};
      return false;
    }
    fresh.expires = clock_.monotonic() +
                    milliseconds{static_cast<std::int64_t>(std::min(*seconds, 86'400.0 * 365) * 1000)};
  }
  token_ = std::move(fresh);
  return true;
}

void Session::add_credentials(http::Request& request, const Token& token) const {
  if (auth_ == nullptr) return;
  const Lookup lookup = [&](std::string_view name) -> std::optional<json> {
    if (name == "auth.access_token") return json(token.value);
    return settings_.lookup()(name);
  };
  if (auth_->kind == AuthSpec::Kind::basic) {
    const std::string pair =
        auth_->user.text(lookup).value_or("") + ":" + auth_->password.text(lookup).value_or("");
    register_secret(pair);
    request.headers.set("Authorization", "Basic " + base64(pair));
  }
  for (const auto& [name, value] : auth_->headers)
    if (const auto text = value.text(lookup)) request.headers.set(name, *text);
}

// "api-usage=258/15000": beyond our share the rest of the day belongs to the service's other users.
void Session::note_usage(const Reply& reply) {
  if (!spec_.limits.usage) return;
  const auto line = reply.headers.get(spec_.limits.usage->header);
  if (!line) return;
  for (const std::string& part : split(*line, ';')) {
    const std::string clean = trim(part);
    const auto equals = clean.find('='), slash = clean.find('/');
    if (equals == std::string::npos || slash == std::string::npos ||
        clean.substr(0, equals) != spec_.limits.usage->name)
      continue;
    const auto used = as_number(clean.substr(equals + 1, slash - equals - 1)),
               most = as_number(clean.substr(slash + 1));
    if (!used || !most || *most <= 0) continue;
    const double share = as_share(spec_.limits.usage->stop_at.text(lookup()).value_or("100%"));
    const std::lock_guard lock(usage_mutex_);
    quota_used_ = *used >= *most * share
                      ? fmt::format("{:.0f} of {:.0f} requests of the day are used", *used, *most)
                      : "";
  }
}

void Session::throw_if_quota_used() {
  const std::lock_guard lock(usage_mutex_);
  if (quota_used_.empty()) return;
  throw Error("destination.quota", fmt::format("{} says that {}", spec_.title, quota_used_),
              fmt::format("wait until the quota is renewed, or raise {}",
                          join(spec_.limits.usage->stop_at.names(), ", ")));
}

Called Session::refused(Refusal refusal, const Reply& reply) {
  if (refusal.error_class == ErrorClass::throttle)
    refusal.wait = pace_.throttled(refusal.wait, reply.headers);
  else if (refusal.wait && reply.headers.get("Retry-After"))
    pace_.hold(*refusal.wait);  // "not now" is for everybody, while a rule's own wait is for these rows
  const std::string told =
      fmt::format("{} answers HTTP {}: {}: {}", spec_.title, reply.status, refusal.code, refusal.message);
  switch (refusal.error_class) {
    case ErrorClass::stop:
      throw Error("destination.quota", told, "wait until the service's quota is renewed");
    case ErrorClass::config:
      throw Error("destination.refused", told,
                  "check the object, the mapping and the permissions of the connection's user");
    default:
      break;
  }
  Called out;
  out.kind = refusal.error_class == ErrorClass::unsure ? Called::Kind::lost : Called::Kind::refused;
  out.refusal = std::move(refusal);
  return out;
}

Called Session::call(const RequestSpec& spec, const Content& content, const Lookup& lookup,
                     const std::function<bool(const Reply&)>& processed, const ErrorSpec& errors,
                     bool repeatable) {
  Called out;
  for (int attempt = 0;; ++attempt) {
    const auto current = token(out.refusal);
    out.kind = Called::Kind::not_sent;
    if (!current) return out;
    throw_if_quota_used();
    auto turn = pace_.take(cancel_);
    if (!turn) {
      out.kind = Called::Kind::held;
      out.refusal = {ErrorClass::throttle, cancel_.requested() ? "cancelled" : "paced",
                     "held back to stay within the service's limits", turn.error()};
      return out;
    }
    http::Request request = build_request(spec, current->base_url, lookup, content);
    request.repeatable = repeatable;
    request.timeouts.total = total_timeout_;
    request.cancel = &cancel_;
    add_credentials(request, *current);
    http::Result result = exchange_->send(request);
    if (!result) {
      out.kind = result.error().reach == http::Failure::Reach::not_sent ? Called::Kind::not_sent
                                                                        : Called::Kind::lost;
      throw_if_hopeless(result.error());
      out.refusal = wire_refusal(result.error());
      return out;
    }
    turn->left_after(result->left_after);
    Reply reply(std::move(*result));
    note_usage(reply);
    if (processed(reply)) {
      pace_.note(reply.headers);
      out.kind = Called::Kind::answered;
      out.reply = std::move(reply);
      return out;
    }
    Refusal refusal = classify(reply, errors, clock_.now());
    if (refusal.error_class != ErrorClass::throttle) pace_.note(reply.headers);
    if (refusal.error_class != ErrorClass::auth) return refused(std::move(refusal), reply);
    const bool refreshable = auth_ != nullptr && auth_->kind == AuthSpec::Kind::oauth2;
    if (!refreshable || attempt > 0)
      throw Error(
          "destination.credentials",
          fmt::format("{} refuses the credentials: {}: {}", spec_.title, refusal.code, refusal.message),
          "check the connection's credentials");
    forget(current->number);
  }
}

}  // namespace eddy::connectors
