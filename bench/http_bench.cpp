#include <curl/curl.h>
#include <fmt/format.h>

#include <stdexcept>

#include "bench.h"
#include "connectors/declarative/destination.h"
#include "connectors/declarative/library.h"
#include "core/files.h"
#include "core/text.h"
#include "null_server.h"
#include "support/scratch.h"
#include "sync/apply.h"
#include "sync/delivery.h"
#include "sync/fold.h"
#include "sync/snapshot.h"

namespace eddy::bench {
namespace {

constexpr std::size_t connections = 8;

std::string model_sql(std::uint64_t rows) {
  return fmt::format(
      "select 'customer' || i || '@example.com' as email, i as number, 'Name ' || md5(i::varchar)[1:12] as "
      "name, "
      "['Prague','Paris','Lagos','Lima','Osaka'][1 + i % 5] as city, "
      "((i * 31 % 100000) / 100.0)::double as ltv, (i % 50)::integer as orders, i % 3 = 0 as active, (date "
      "'2020-01-01' + (i % 2000)::int)::date as signup from range({}) t(i)",
      rows);
}

std::shared_ptr<const connectors::Spec> null_connector() {
  const auto file = std::filesystem::path(EDDY_SOURCE_DIR) / "bench/connectors/null/connector.yml";
  return std::make_shared<const connectors::Spec>(
      connectors::parse_connector(read_file(file), file.string()));
}

config::Node yaml(const std::string& text) {
  Diagnostics diagnostics;
  auto node = config::parse(text, "bench", config::no_variables(), diagnostics);
  diagnostics.throw_if_any();
  return node;
}

sync::SyncSpec contacts_sync() {
  Diagnostics diagnostics;
  auto spec =
      sync::parse_sync("contacts",
                       yaml("model: presentation.rows\ndestination: crm\nobject: contacts\nkey: {email: "
                            "email}\nfields: {number: number, name: name, city: city, ltv: ltv, orders: "
                            "orders, active: active, signup: signup}\nguards: {first_run: 100000000}\n"),
                       diagnostics);
  diagnostics.throw_if_any();
  return *spec;
}

// A project with one plan, to be delivered as often as wanted.
class Planned {
 public:
  Planned(const std::filesystem::path& folder, std::uint64_t rows)
      : places_{folder, folder / ".eddy", folder / "lake", folder / "warehouse.duckdb"},
        store_(state::Store::open(places_.dot_eddy / "state.db")) {
    store_->begin_run({"bench", "run", "", "running", "", "", ""});
    store_->commit_model({"presentation.rows", "v1", "view:" + model_sql(rows), rows, "", "", "bench"});
    session_.emplace(places_, *store_,
                     engine::Options{.memory_limit = "1GB", .spill_folder = folder / "spill", .threads = 0},
                     warehouse::Access::read);
    connection_.emplace(session_->connect());
    sync::open_sync_database(*session_, *connection_);
    plan_ = sync::make_plan(*session_, *connection_, spec_, system_clock());
  }

  sync::Delivery delivery() const {
    return {plan_.definition.object,
            plan_.definition.mode,
            plan_.definition.removed,
            plan_.definition.key_schema(),
            plan_.definition.field_schema(),
            spec_.options,
            spec_.name};
  }

  // From the plan's table to a durable verdict for every row.
  sync::Tally deliver(sync::Destination& destination) {
    const auto writer = destination.open(delivery());
    const std::string run = new_id();
    sync::Ledger ledger(sync::ledger_file(*session_, spec_.name, run),
                        {spec_.name, plan_.id, run, plan_.epoch, plan_.counts.planned(), false});
    const Cancel cancel;
    const auto end = sync::deliver(*connection_, plan_, *writer, ledger, policy_, system_clock(),
                                   silent_progress(), cancel);
    if (end.failure) throw *end.failure;
    if (end.tally.applied != plan_.counts.planned())
      throw std::runtime_error(
          fmt::format("{} of {} rows applied", end.tally.applied, plan_.counts.planned()));
    return end.tally;
  }

 private:
  warehouse::Places places_;
  std::unique_ptr<state::Store> store_;
  std::optional<warehouse::Session> session_;
  std::optional<engine::Connection> connection_;
  sync::SyncSpec spec_ = contacts_sync();
  sync::RetryPolicy policy_;
  sync::Plan plan_;
};

// The first bodies of the plan, as our connector sends them.
std::vector<std::string> some_bodies(Planned& planned, const std::shared_ptr<const connectors::Spec>& spec,
                                     const config::Node& settings) {
  std::mutex mutex;
  std::vector<std::string> bodies;
  const Cancel cancel;
  auto wire = std::make_unique<http::ScriptedExchange>([&](const http::Request& request) -> http::Result {
    const std::lock_guard lock(mutex);
    if (bodies.size() < 200) bodies.push_back(request.body);
    return http::Response{200, {}, "{}"};
  });
  connectors::DeclarativeDestination destination(
      spec, std::make_shared<connectors::Session>(*spec, connectors::Settings(*spec, settings),
                                                  system_clock(), cancel, std::move(wire)));
  planned.deliver(destination);
  return bodies;
}

std::size_t ignore(char*, std::size_t size, std::size_t count, void*) { return size * count; }

// `requests` POSTs over eight connections, as fast as libcurl-multi goes.
void bare_posts(const std::string& url, const std::vector<std::string>& bodies, std::size_t requests) {
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

std::vector<Line> http(double scale) {
  const auto rows = static_cast<std::uint64_t>(1'000'000 * scale);
  const NullServer server;
  const testing::Scratch scratch;
  const auto spec = null_connector();
  const auto settings = yaml(fmt::format("{{token: bench-token, base_url: '{}'}}", server.url()));
  Planned planned(scratch / "project", rows);
  const auto bodies = some_bodies(planned, spec, settings);
  const std::size_t requests = (rows + 99) / 100;

  const Cancel cancel;
  const auto type = connectors::destination_type(spec);
  const auto destination =
      type.make(settings, {system_clock(), cancel, scratch.path(), scratch / "pace", "crm"});
  sync::Tally tally;
  const auto pair = alternate(
      3, [&] { tally = planned.deliver(*destination); },
      [&] { bare_posts(server.url() + "/crm/v3/objects/contacts/batch/upsert", bodies, requests); });
  const double per_second = static_cast<double>(requests) / pair.ours;
  Line line = ratio_line(fmt::format("{} rows over HTTP, 100 each, 8 at a time", with_commas(rows)), pair,
                         "libcurl-multi", 0.10, false);
  line.ours = fmt::format("{:.0f}/s", per_second);
  line.bare = fmt::format("{:.0f}/s (libcurl-multi)", static_cast<double>(requests) / pair.bare);
  return {line};
}

}  // namespace eddy::bench
