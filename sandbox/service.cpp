#include "sandbox/service.h"

#include "core/text.h"

namespace eddy::sandbox {

Reply json_reply(int status, const Json& body, std::string content_type) {
  return Reply::text(status, body.dump(-1, ' ', false, Json::error_handler_t::replace),
                     std::move(content_type));
}

std::optional<Json> parse_json(const std::string& body) {
  Json parsed = Json::parse(body, nullptr, false);
  if (parsed.is_discarded()) return std::nullopt;
  return parsed;
}

std::optional<std::string> form_or_query(const IncomingRequest& request, std::string_view name) {
  if (request.content_type() == "application/x-www-form-urlencoded")
    if (const auto form = http::parse_query(request.body))
      for (const auto& [key, value] : *form)
        if (key == name) return value;
  return request.query_value(name);
}

std::string bearer_of(const IncomingRequest& request) {
  const std::string_view value = request.header("Authorization");
  for (const std::string_view scheme : {"bearer ", "oauth "})
    if (value.size() > scheme.size() && lower(value.substr(0, scheme.size())) == scheme)
      return trim(value.substr(scheme.size()));
  return {};
}

std::string random_hex(std::mt19937_64& random, std::size_t digits) {
  std::string out;
  while (out.size() < digits) out += "0123456789abcdef"[random() % 16];
  return out;
}

std::string random_uuid(std::mt19937_64& random) {
  return fmt::format("{}-{}-4{}-a{}-{}", random_hex(random, 8), random_hex(random, 4), random_hex(random, 3),
                     random_hex(random, 3), random_hex(random, 12));
}

bool looks_like_email(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == 0 || at == std::string_view::npos || text.find('@', at + 1) != std::string_view::npos)
    return false;
  const std::string_view domain = text.substr(at + 1);
  const std::size_t dot = domain.rfind('.');
  if (dot == 0 || dot == std::string_view::npos || dot + 1 == domain.size()) return false;
  if (domain.find("..") != std::string_view::npos || text.find(".@") != std::string_view::npos) return false;
  return text.find_first_of(" \t\r\n,;:<>()[]\\\"") == std::string_view::npos;
}

namespace {
std::vector<std::string> without_last_slash(std::vector<std::string> segments) {
  while (!segments.empty() && segments.back().empty()) segments.pop_back();
  return segments;
}
}  // namespace

void Router::add(std::string method, std::string_view pattern, Handler handler) {
  routes_.push_back({std::move(method), split(pattern.substr(1), '/'), std::move(handler)});
}

Router::Match Router::find(const IncomingRequest& request) const {
  const auto segments = without_last_slash(request.segments);
  Match match;
  for (const Route& route : routes_) {
    if (route.pattern.size() != segments.size()) continue;
    Params params;
    bool same = true;
    for (std::size_t i = 0; same && i < segments.size(); ++i) {
      const std::string& want = route.pattern[i];
      if (want.front() == '{')
        params[want.substr(1, want.size() - 2)] = segments[i];
      else
        same = want == segments[i];
    }
    if (!same) continue;
    match.path_known = true;
    if (route.method != request.method) continue;
    match.handler = &route.handler;
    match.params = std::move(params);
    return match;
  }
  return match;
}

Service::Service(std::string name, const Surroundings& around)
    : name_(std::move(name)),
      clock_(around.clock),
      faults_(around.faults),
      bucket_(around.rate, around.clock),
      random_(around.seed),
      seed_(around.seed),
      scheme_(around.scheme) {}

void Service::add_rate_headers(const Call&, Reply&) {}

void Service::reset() {
  store_.clear();
  bucket_.refill();
  random_.seed(seed_);
}

bool Service::fault(Call& call, std::string_view name) {
  if (!call.asks_for(name) && !faults_.hit(name_ + "." + std::string{name})) return false;
  call.fault = name;
  return true;
}

std::chrono::milliseconds Service::remember_for_search(std::string_view name) {
  const auto lag =
      fault_on(name) ? faults_.duration(name_ + "." + std::string{name}) : std::chrono::milliseconds{0};
  store_.remember_for(lag);
  return lag;
}

}  // namespace eddy::sandbox
