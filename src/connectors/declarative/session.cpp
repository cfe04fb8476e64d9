#include "connectors/declarative/session.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

using std::chrono::milliseconds;

namespace {

std::vector<http::Rate> rates(const Spec& spec, const std::vector<BucketSpec>& buckets,
                              const Settings& settings) {
  std::vector<http::Rate> out;
  for (const auto& [max, window] : buckets) {
    const auto number = as_number(max.text(settings.lookup()).value_or(""));
    if (!number || *number < 1)
      throw Error("destination.settings",
                  fmt::format("{}: {} is not a number of requests", spec.name, max.source()),
                  "give a whole number of at least 1");
    out.push_back({static_cast<std::size_t>(*number), window});
  }
  return out;
}

constexpr int renewals_max = 5;  // for one request

// The service has gone so far as to look at what the request wants.
bool has_looked_at_it(const Refusal& refusal) {
  return refusal.error_class == ErrorClass::row || refusal.error_class == ErrorClass::config ||
         refusal.error_class == ErrorClass::done;
}

}  // namespace

Session::Session(const Spec& spec, Settings settings, Clock& clock, const Cancel& cancel,
                 std::unique_ptr<http::Exchange> exchange, milliseconds request_timeout, SessionFiles files)
    : spec_(spec),
      settings_(std::move(settings)),
      clock_(clock),
      cancel_(cancel),
      exchange_(std::move(exchange)),
      total_timeout_(request_timeout),
      login_(spec, settings_, clock, cancel, *exchange_, request_timeout, std::move(files.token)),
      pace_(clock,
            {rates(spec, spec.limits.buckets, settings_), spec.limits.headers, spec.limits.concurrency},
            files.pace),
      quota_(spec, settings_, clock, std::move(files.quota)),
      row_pace_(std::make_shared<RowPace>(spec.limits.rows, clock)) {
  for (const auto& [name, buckets] : spec.limits.named)
    named_paces_[name] = std::make_unique<http::Pace>(
        clock, http::PaceLimits{rates(spec, buckets, settings_)},
        files.pace.empty() ? files.pace
                           : std::filesystem::path(files.pace.string() + "." + percent_encode(name)));
}

std::string Session::base_url() {
  Refusal why;
  const auto current = login_.token(why);
  if (!current)
    throw Error("destination.unreachable", fmt::format("{}: {}", spec_.title, why.message),
                "check the network and the connection's base_url");
  return current->base_url;
}

Called Session::refused(Refusal refusal, const Reply& reply, http::Pace& pace) {
  if (refusal.error_class == ErrorClass::throttle)
    refusal.wait = pace.throttled(refusal.wait, reply.headers);
  else if (refusal.wait && reply.headers.get("Retry-After"))
    pace.hold(*refusal.wait);  // "not now" is for everybody, while a rule's own wait is for these rows
  const std::string told =
      fmt::format("{} answers HTTP {}: {}: {}", spec_.title, reply.status, refusal.code, refusal.message);
  switch (refusal.error_class) {
    case ErrorClass::stop: {
      const auto until = quota_.used_up(refusal.wait);
      if (!until) throw Error("destination.quota", told, "wait until the service's quota is renewed");
      throw Error("destination.quota",
                  fmt::format("{}; nothing is sent until {}", told,
                              format_utc(std::chrono::ceil<std::chrono::seconds>(*until))),
                  "run it again then; when the quota has been raised, `eddy doctor` asks the service anew");
    }
    case ErrorClass::config:
      throw Error("destination.refused", told,
                  "check the object, the mapping and the permissions of the connection's user");
    case ErrorClass::other_way:
      throw Error("destination.other_way", told, "choose another way in the connection: `write_by`");
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
  const auto own = named_paces_.find(spec.limit);
  // Who was too fast for a limit of their own waits alone.
  http::Pace& slowed = own == named_paces_.end() ? pace_ : *own->second;
  for (int renewals = 0;;) {
    const auto current = login_.token(out.refusal);
    out.kind = Called::Kind::not_sent;
    if (!current) return out;
    std::optional<http::Pace::Turn> own_turn, turn;
    std::optional<milliseconds> wait;
    const auto take = [&](http::Pace& pace, std::optional<http::Pace::Turn>& into) {
      if (auto got = pace.take(cancel_))
        into.emplace(std::move(*got));
      else
        wait = got.error();
    };
    if (own != named_paces_.end()) take(*own->second, own_turn);
    if (!wait) take(pace_, turn);
    if (wait) {
      out.kind = Called::Kind::held;
      out.refusal = {ErrorClass::throttle, cancel_.requested() ? "cancelled" : "paced",
                     "held back to stay within the service's limits", wait};
      return out;
    }
    http::Request request = build_request(spec, current->base_url, lookup, content);
    request.repeatable = repeatable;
    request.timeouts.total = total_timeout_;
    request.cancel = &cancel_;
    login_.add_credentials(request, *current);
    quota_.spend();
    http::Result result = exchange_->send(request);
    if (!result) {
      out.kind = result.error().reach == http::Failure::Reach::not_sent ? Called::Kind::not_sent
                                                                        : Called::Kind::lost;
      throw_if_hopeless(spec_, result.error());
      out.refusal = wire_refusal(result.error());
      return out;
    }
    turn->left_after(result->left_after);
    if (own_turn) own_turn->left_after(result->left_after);
    Reply reply(std::move(*result));
    quota_.note(reply.headers);
    if (processed(reply)) {
      login_.taken(current->number);
      pace_.note(reply.headers);
      out.kind = Called::Kind::answered;
      out.reply = std::move(reply);
      return out;
    }
    Refusal refusal = classify(reply, errors, clock_.now());
    if (refusal.error_class != ErrorClass::throttle) pace_.note(reply.headers);
    if (refusal.error_class != ErrorClass::auth) {
      if (has_looked_at_it(refusal)) login_.taken(current->number);
      Called no = refused(std::move(refusal), reply, slowed);
      no.reply = std::move(reply);
      return no;
    }
    const Login::Refused refused =
        login_.renewable() ? login_.refused(current->number) : Login::Refused::never;
    if (refused == Login::Refused::known) continue;
    // Others may be served with tokens that are refused to this request every time.
    if (refused == Login::Refused::never || ++renewals == renewals_max)
      throw Error(
          "destination.credentials",
          fmt::format("{} refuses the credentials: {}: {}", spec_.title, refusal.code, refusal.message),
          "check the connection's credentials");
  }
}

}  // namespace eddy::connectors
