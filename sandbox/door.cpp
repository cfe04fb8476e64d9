#include "sandbox/door.h"

#include <thread>

namespace eddy::sandbox {
namespace {

// Of ASCII; bytes beyond become what they are in Latin-1.
std::string utf16(const std::string& text) {
  std::string out = "\xFF\xFE";
  for (const char c : text) {
    out += c;
    out += '\0';
  }
  return out;
}

}  // namespace

Door::Door(std::unique_ptr<Service> service, Faults& faults, Clock& clock, std::chrono::milliseconds latency)
    : service_(std::move(service)), faults_(faults), clock_(clock), latency_(latency) {}

Reply Door::handle(const IncomingRequest& request) {
  Call call{.request = request, .in_flight = ++in_flight_};
  struct Leave {
    std::atomic<std::size_t>& count;
    ~Leave() { --count; }
  } leave{in_flight_};
  if (latency_.count() > 0) std::this_thread::sleep_for(latency_);

  const std::lock_guard lock(mutex_);
  Reply reply;
  if (service_->issues_tokens(request)) {
    reply = service_->answer(call);
  } else {
    auto away = turned_away(call);
    reply = away ? std::move(*away) : service_->answer(call);
    if (!reply.drop) service_->add_rate_headers(call, reply);
    if (!away) damage(call, reply);
  }
  // What was refused before an endpoint saw it would have been a write for all the ledger can know.
  if (request.method != "GET" && (reply.status >= 400 || (reply.drop && !call.effect.applied)))
    call.effect.write = true;
  if (call.effect.applied) service_->store().changed_since_saved = true;
  ledger_.add({.at = clock_.now(),
               .method = request.method,
               .target = request.target,
               .status = reply.drop ? 0 : reply.status,
               .throttled = call.throttled,
               .fault = call.fault,
               .effect = call.effect});
  return reply;
}

std::optional<Reply> Door::turned_away(Call& call) {
  if (fault(call, "drop_before")) return Reply{.drop = true};
  if (fault(call, "http_500")) return service_->answer_trouble(Trouble::server_error, call);
  if (fault(call, "http_503")) return service_->answer_trouble(Trouble::unavailable, call);
  if (fault(call, "html_502"))
    return Reply::text(502,
                       "<html><head><title>502 Bad Gateway</title></head>\n<body><center><h1>502 Bad Gateway"
                       "</h1></center></body></html>\n",
                       "text/html");
  if (fault(call, "throttle") || !service_->bucket().take()) {
    call.throttled = true;
    return service_->answer_trouble(Trouble::throttled, call);
  }
  if (fault(call, "expire_token")) service_->expire_tokens();
  return std::nullopt;
}

void Door::damage(Call& call, Reply& reply) {
  if (reply.status < 200 || reply.status > 299 || reply.drop) return;
  if (call.effect.applied && fault(call, "drop_after_apply")) {
    reply = Reply{.drop = true};
    return;
  }
  if (!reply.body.empty()) {
    if (fault(call, "malformed_json")) reply.body.resize(reply.body.size() / 2);
    if (fault(call, "empty_2xx")) reply.body.clear();
    if (fault(call, "truncated")) reply.cut_body_after = reply.body.size() / 2;
    if (fault(call, "huge_body")) reply.body.append(std::size_t{32} << 20, ' ');
    if (fault(call, "wrong_charset")) reply.body = utf16(reply.body);
    if (fault(call, "wrong_content_type")) reply.set("Content-Type", "text/html; charset=utf-8");
  }
  if (fault(call, "slow")) {
    reply.delay = std::chrono::milliseconds{500};
    reply.piece_bytes = std::max<std::size_t>(64, reply.body.size() / 10);
    reply.piece_pause = std::chrono::milliseconds{20};
  }
}

bool Door::fault(Call& call, std::string_view name) {
  if (!call.asks_for(name) && !faults_.hit(service_->name() + "." + std::string{name})) return false;
  call.fault = name;
  return true;
}

}  // namespace eddy::sandbox
