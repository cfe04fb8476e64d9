#include <curl/curl.h>
#include <fmt/format.h>

#include <functional>
#include <stdexcept>

#include "bench.h"
#include "connectors/declarative/destination.h"
#include "connectors/declarative/library.h"
#include "core/text.h"
#include "null_server.h"
#include "planned.h"
#include "support/scratch.h"

namespace eddy::bench {
namespace {

// The first bodies of the plan, as our connector sends them.
std::vector<std::string> some_bodies(Planned& planned, const std::shared_ptr<const connectors::Spec>& spec,
                                     const config::Node& settings,
                                     const std::function<std::string(const std::string&)>& answer) {
  std::mutex mutex;
  std::vector<std::string> bodies;
  const Cancel cancel;
  auto wire = std::make_unique<http::ScriptedExchange>([&](const http::Request& request) -> http::Result {
    const std::lock_guard lock(mutex);
    if (bodies.size() < 200) bodies.push_back(request.body);
    return http::Response{200, {}, answer(request.body)};
  });
  connectors::DeclarativeDestination destination(
      spec, std::make_shared<connectors::Session>(*spec, connectors::Settings(*spec, settings),
                                                  system_clock(), cancel, std::move(wire)));
  planned.deliver(destination);
  return bodies;
}

std::size_t ignore(char*, std::size_t size, std::size_t count, void*) { return size * count; }

// `requests` POSTs, so many at a time, as fast as libcurl-multi goes.
void bare_posts(const std::string& url, const std::vector<std::string>& bodies, std::size_t requests,
                std::size_t connections) {
  CURLM* multi = curl_multi_init();
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Expect:");
  std::vector<CURL*> handles;
  std::size_t started = 0, ended = 0;
  const auto start = [&](CURL* handle) {
    const std::string& body = bodies[started++ % bodies.size()];
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_multi_add_handle(multi, handle);
  };
  for (std::size_t i = 0; i < connections && started < requests; ++i) {
    CURL* handle = handles.emplace_back(curl_easy_init());
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    start(handle);
  }
  while (ended < requests) {
    int running = 0, left = 0;
    curl_multi_perform(multi, &running);
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      long status = 0;
      curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
      if (message->data.result != CURLE_OK || status != 200) throw std::runtime_error("a bare POST failed");
      ++ended;
      CURL* handle = message->easy_handle;
      curl_multi_remove_handle(multi, handle);
      if (started < requests) start(handle);
    }
    if (ended < requests) curl_multi_poll(multi, nullptr, 0, 1'000, nullptr);
  }
  for (CURL* handle : handles) curl_easy_cleanup(handle);
  curl_slist_free_all(headers);
  curl_multi_cleanup(multi);
}

}  // namespace

// What a connector adds to the wire: rendering, matching every row of the reply, the ledger. Measured with
// the HubSpot connector against a service that answers each batch after a while, faster than any of them
// does.
std::vector<Line> connector(double scale) {
  constexpr std::chrono::milliseconds latency{20};
  const auto rows = static_cast<std::uint64_t>(100'000 * scale);
  const NullServer server(latency);
  const testing::Scratch scratch;
  const auto spec = shipped_connector("hubspot");
  const auto settings =
      yaml(fmt::format("{{token: bench-token, base_url: '{}', requests_per_10s: 1000000}}", server.url()));
  Planned planned(scratch / "project", rows);
  const auto bodies = some_bodies(planned, spec, settings, upsert_results);
  const std::size_t requests = (rows + 99) / 100;
  const Cancel cancel;
  const auto destination = connectors::destination_type(spec).make(
      settings, {system_clock(), cancel, scratch.path(), scratch / "pace", "crm"});
  const auto pair = alternate(
      3, [&] { planned.deliver(*destination); },
      [&] {
        bare_posts(server.url() + "/crm/v3/objects/contacts/batch/upsert", bodies, requests,
                   spec->limits.concurrency);
      });
  Line line = ratio_line(
      fmt::format("{} rows to a service that answers in {} ms", with_commas(rows), latency.count()), pair,
      "libcurl-multi", 0.5, false);
  return {line};
}

std::vector<Line> http(double scale) {
  const auto rows = static_cast<std::uint64_t>(1'000'000 * scale);
  const NullServer server;
  const testing::Scratch scratch;
  const auto spec = null_connector();
  const auto settings = yaml(fmt::format("{{token: bench-token, base_url: '{}'}}", server.url()));
  Planned planned(scratch / "project", rows);
  const auto bodies = some_bodies(planned, spec, settings, [](const std::string&) { return "{}"; });
  const std::size_t requests = (rows + 99) / 100;

  const Cancel cancel;
  const auto type = connectors::destination_type(spec);
  const auto destination =
      type.make(settings, {system_clock(), cancel, scratch.path(), scratch / "pace", "crm"});
  sync::Tally tally;
  const auto pair = alternate(
      3, [&] { tally = planned.deliver(*destination); },
      [&] {
        bare_posts(server.url() + "/crm/v3/objects/contacts/batch/upsert", bodies, requests,
                   spec->limits.concurrency);
      });
  const double per_second = static_cast<double>(requests) / pair.ours;
  Line line = ratio_line(fmt::format("{} rows over HTTP, 100 each, 8 at a time", with_commas(rows)), pair,
                         "libcurl-multi", 0.10, false);
  line.ours = fmt::format("{:.0f}/s", per_second);
  line.bare = fmt::format("{:.0f}/s (libcurl-multi)", static_cast<double>(requests) / pair.bare);
  return {line};
}

}  // namespace eddy::bench
