#include "connectors/declarative/login.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/declarative/request.h"
#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;
using std::chrono::milliseconds;

namespace {

constexpr int asks_max = 5;
// A token that is about to end is handed out again until it has ended; a parallel refresh ends soon too.
constexpr milliseconds ask_again_after{1'000};
constexpr double about_to_end = 5;  // seconds
// A new token can be refused because somebody ended all of them just then; not so often in a row.
constexpr int refused_in_a_row_max = 5;
constexpr milliseconds ask_after_refusals{500};  // twice as long after each further one

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

// Everything that the settings say of who we are.
std::string origin_of(const AuthSpec* auth, const Settings& settings) {
  std::string out;
  if (auth == nullptr) return out;
  for (const std::string& name : auth->needs)
    out += fmt::format("|{}={}", name, settings.get(name).value_or(""));
  return out;
}

}  // namespace

void throw_if_hopeless(const Spec& spec, const http::Failure& failure) {
  if (failure.code == "http.url")
    throw Error("destination.settings", fmt::format("{}: {}", spec.title, failure.message),
                "check the connection's base_url");
  if (failure.code == "http.certificate")
    throw Error("destination.certificate",
                fmt::format("{}: {}; nothing was sent", spec.title, failure.message),
                "check the connection's base_url, the clock of this machine and its certificate authorities");
}

Refusal wire_refusal(const http::Failure& failure) {
  return {ErrorClass::retry, failure.code, failure.message, std::nullopt};
}

Login::Login(const Spec& spec, const Settings& settings, Clock& clock, const Cancel& cancel,
             http::Exchange& exchange, milliseconds request_timeout, std::filesystem::path token_file)
    : spec_(spec),
      settings_(settings),
      auth_(choose_auth(spec, settings)),
      clock_(clock),
      cancel_(cancel),
      exchange_(exchange),
      total_timeout_(request_timeout),
      kept_(
          auth_ != nullptr && !auth_->refresh_token.empty() ? std::move(token_file) : std::filesystem::path(),
          origin_of(auth_, settings)) {}

std::optional<Login::Token> Login::token(Refusal& why) {
  const std::lock_guard lock(mutex_);
  if (!renewable()) {
    Token none;
    none.base_url = *settings_.get("base_url");
    none.number = token_.number;
    return none;
  }
  const bool expired = token_.expires && clock_.monotonic() >= *token_.expires;
  if ((token_.number == 0 || token_.value.empty() || expired) && !fetch_token(why)) return std::nullopt;
  return token_;
}

void Login::taken(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  if (token_.number != number) return;
  taken_ = true;
  refused_in_a_row_ = 0;
}

Login::Refused Login::refused(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  if (token_.number != number || token_.value.empty()) return Refused::known;
  refused_ = token_.value;
  token_.value.clear();
  if (taken_) return Refused::ended;
  return ++refused_in_a_row_ < refused_in_a_row_max ? Refused::again : Refused::never;
}

std::string Login::take_note() {
  const std::lock_guard lock(mutex_);
  return std::exchange(note_, "");
}

Lookup Login::lookup() const {
  return [this](std::string_view name) -> std::optional<json> {
    if (name == "auth.assertion" && auth_->jwt)
      return json(assertion(*auth_->jwt, settings_.lookup(), clock_.now()));
    if (name == "refresh_token" && !refresh_token_.empty()) return json(refresh_token_);
    return settings_.lookup()(name);
  };
}

bool Login::fetch_token(Refusal& why) {
  if (refused_in_a_row_ > 1) clock_.sleep_for(ask_after_refusals * (1 << std::min(refused_in_a_row_ - 2, 6)));
  const TokenFile::Held held(kept_);
  // Another process may have used up the one we know.
  if (auto newest = kept_.read()) refresh_token_ = std::move(*newest);
  const json body =
      auth_->token_request.body.empty() ? json() : auth_->token_request.body.render(lookup(), 0, {});
  http::Request request = build_request(auth_->token_request, *settings_.get("base_url"), lookup(),
                                        encode(auth_->token_request, body));
  request.timeouts.total = total_timeout_;
  request.cancel = &cancel_;
  // A refresh token that the service replaces is used up by the request, whoever gets the answer.
  request.repeatable = auth_->refresh_token.empty();
  for (int ask = 0; ask < asks_max && !cancel_.requested(); ++ask) {
    http::Result result = exchange_.send(request);
    if (!result) {
      throw_if_hopeless(spec_, result.error());
      why = wire_refusal(result.error());
      return false;
    }
    if (read_token(Reply(std::move(*result)), why)) return true;
    if (why.error_class != ErrorClass::auth) return false;
    if (ask + 1 < asks_max) clock_.sleep_for(why.wait.value_or(ask_again_after));
  }
  why.error_class = ErrorClass::retry;
  return false;
}

bool Login::read_token(const Reply& reply, Refusal& why) {
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
  keep_refresh_token(reply);
  fresh.number = token_.number + 1;
  fresh.base_url = *settings_.get("base_url");
  if (const json* base = auth_->base_url_from.empty() ? nullptr : at(*reply.json, auth_->base_url_from);
      base != nullptr && base->is_string())
    if (!base->get_ref<const std::string&>().empty()) fresh.base_url = base->get<std::string>();
  while (fresh.base_url.ends_with('/')) fresh.base_url.pop_back();
  const json* lifetime = auth_->expires_in.empty() ? nullptr : at(*reply.json, auth_->expires_in);
  if (const auto seconds = lifetime == nullptr ? std::nullopt : as_number(plain_text(*lifetime))) {
    // Asked early, some services hand out the same token with the rest of its life: one that was refused, or
    // has ended, is waited out.
    if (*seconds <= 0 || (fresh.value == refused_ && *seconds <= about_to_end)) {
      why = {ErrorClass::auth, "token_expired", "the token endpoint hands out a token that has ended",
             std::max(ask_again_after, milliseconds{static_cast<std::int64_t>(*seconds * 1000)})};
      return false;
    }
    fresh.expires = clock_.monotonic() +
                    milliseconds{static_cast<std::int64_t>(std::min(*seconds, 86'400.0 * 365) * 1000)};
  }
  token_ = std::move(fresh);
  taken_ = false;
  return true;
}

void Login::keep_refresh_token(const Reply& reply) {
  const json* fresh = auth_->refresh_token.empty() ? nullptr : at(*reply.json, auth_->refresh_token);
  if (fresh == nullptr || !fresh->is_string()) return;
  const auto& value = fresh->get_ref<const std::string&>();
  const std::string known =
      refresh_token_.empty() ? settings_.get("refresh_token").value_or("") : refresh_token_;
  if (value.empty() || value == known) return;
  register_secret(value);
  refresh_token_ = value;
  try {
    kept_.write(value);
  } catch (const Error& e) {
    // This process goes on with it; the next one will not be able to.
    note_ = fmt::format("{} has replaced the refresh token, and the new one cannot be kept: {}", spec_.title,
                        e.message());
  }
}

void Login::add_credentials(http::Request& request, const Token& token) const {
  if (auth_ == nullptr) return;
  const Lookup with_token = [&](std::string_view name) -> std::optional<json> {
    if (name == "auth.access_token") return json(token.value);
    return settings_.lookup()(name);
  };
  if (auth_->kind == AuthSpec::Kind::basic) {
    const std::string pair =
        auth_->user.text(with_token).value_or("") + ":" + auth_->password.text(with_token).value_or("");
    register_secret(pair);
    request.headers.set("Authorization", "Basic " + base64(pair));
  }
  for (const auto& [name, value] : auth_->headers)
    if (const auto text = value.text(with_token)) request.headers.set(name, *text);
}

}  // namespace eddy::connectors
