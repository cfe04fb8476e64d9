#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "bench.h"
#include "connectors/declarative/library.h"
#include "planned.h"
#include "support/scratch.h"
#include "transport/http/server.h"

namespace eddy::bench {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr std::size_t calls_max = 190;
constexpr auto window = std::chrono::seconds{10};
constexpr auto measured = 2 * window;  // from the first request on
constexpr auto thinking = std::chrono::milliseconds{40};

// HubSpot's batch upsert behind the account's limit of 190 requests in 10 s, counted as its documentation
// says it may be: over the last ten seconds ("TEN_SECONDLY_ROLLING"), or in windows on the clock.
class LimitedService {
 public:
  enum class Counting { sliding, fixed };
  explicit LimitedService(Counting counting) : counting_(counting) {}

  http::Reply answer(const http::IncomingRequest& request) {
    http::Reply reply = decide(request);
    reply.delay = thinking;
    return reply;
  }
  steady_clock::time_point begin() {
    const std::lock_guard lock(mutex_);
    return begin_;
  }
  // Of what could be accepted in the measured time.
  double used() const {
    return static_cast<double>(accepted_) / (calls_max * static_cast<double>(measured / window));
  }
  double refused() const { return static_cast<double>(refused_) / static_cast<double>(accepted_ + refused_); }

 private:
  http::Reply decide(const http::IncomingRequest& request) {
    const std::lock_guard lock(mutex_);
    const auto now = steady_clock::now();
    if (accepted_ + refused_ == 0) begin_ = now;
    const bool counts = now - begin_ < measured;
    if (counting_ == Counting::sliding)
      while (!recent_.empty() && now - recent_.front() >= window) recent_.pop_front();
    else
      while (!recent_.empty() &&
             recent_.front().time_since_epoch() / window != now.time_since_epoch() / window)
        recent_.pop_front();
    http::Reply reply;
    if (recent_.size() >= calls_max) {
      if (counts) ++refused_;
      reply = http::Reply::text(
          429,
          R"({"status":"error","message":"You have reached your ten_secondly_rolling limit.",)"
          R"("errorType":"RATE_LIMIT","policyName":"TEN_SECONDLY_ROLLING"})",
          "application/json");
    } else {
      recent_.push_back(now);
      if (counts) ++accepted_;
      json results = json::array();
      const json body = json::parse(request.body);
      for (const json& input : body["inputs"])
        results.push_back({{"id", "1"}, {"objectWriteTraceId", input["objectWriteTraceId"]}, {"new", true}});
      reply = http::Reply::text(200, json{{"status", "COMPLETE"}, {"results", results}}.dump(),
                                "application/json");
    }
    reply.set("X-HubSpot-RateLimit-Interval-Milliseconds", "10000");
    reply.set("X-HubSpot-RateLimit-Max", std::to_string(calls_max));
    reply.set("X-HubSpot-RateLimit-Remaining", std::to_string(calls_max - recent_.size()));
    return reply;
  }

  const Counting counting_;
  std::mutex mutex_;
  std::deque<steady_clock::time_point> recent_;
  steady_clock::time_point begin_{};
  std::size_t accepted_ = 0, refused_ = 0;
};

// `syncs` deliveries at once, each with a session of its own, as in processes of their own: what they share
// is the pace file.
Line measure(LimitedService::Counting counting, int syncs, const std::string& what) {
  LimitedService service(counting);
  http::Server::Options options;
  options.threads = 8;
  http::Server server(options, [&](const http::IncomingRequest& request) { return service.answer(request); });
  const auto settings =
      yaml(fmt::format("{{token: bench-token, base_url: 'http://127.0.0.1:{}', requests_per_10s: {}}}",
                       server.port(), calls_max));
  std::shared_ptr<const connectors::Spec> hubspot;
  for (const auto& loaded : connectors::load_connectors("/nowhere"))
    if (loaded.spec->name == "hubspot") hubspot = loaded.spec;
  const testing::Scratch scratch;
  Cancel cancel;
  std::vector<std::jthread> deliveries;
  std::atomic<int> failed{0};
  for (int i = 0; i < syncs; ++i)
    deliveries.emplace_back([&, i] {
      try {
        Planned planned(scratch / fmt::format("project-{}", i), 100'000);
        const auto destination = connectors::destination_type(hubspot).make(
            settings, {system_clock(), cancel, scratch.path(), scratch / "pace", "hubspot"});
        planned.deliver(*destination, cancel);
      } catch (const std::exception& error) {
        ++failed;
        std::fprintf(stderr, "%s\n", error.what());
      }
    });
  while (failed == 0 && (service.begin() == steady_clock::time_point{} ||
                         steady_clock::now() - service.begin() < measured + std::chrono::milliseconds{500}))
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  cancel.request();
  deliveries.clear();
  if (failed > 0) throw std::runtime_error("a delivery failed");
  return {what,
          fmt::format("{:.1f} % used", 100 * service.used()),
          fmt::format("{:.1f} % answered 429", 100 * service.refused()),
          service.used(),
          "≥ 0.95, ≤ 1 %",
          service.used() >= 0.95 && service.refused() <= 0.01};
}

}  // namespace

std::vector<Line> quota(double) {
  return {measure(LimitedService::Counting::sliding, 1, "quota of 190 requests per 10 s, sliding, one sync"),
          measure(LimitedService::Counting::fixed, 2, "the same on fixed windows, two syncs at once")};
}

}  // namespace eddy::bench
