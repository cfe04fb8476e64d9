// eddy-sandbox: local stand-ins for the Salesforce, HubSpot, Marketo and Zendesk APIs.
#include <signal.h>

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "core/error.h"
#include "core/files.h"
#include "sandbox/sandbox.h"

namespace {

using namespace eddy;
using namespace eddy::sandbox;

const char* const about =
    "Local stand-ins for four SaaS APIs, for tests and demonstrations. Each listens on its own port of "
    "127.0.0.1,\n"
    "keeps what it receives in memory and shows it under /_sandbox on every port:\n"
    "  GET  /_sandbox/SERVICE/OBJECT[?key=FIELD:VALUE][&limit=N]    GET /_sandbox/SERVICE/requests\n"
    "  GET  /_sandbox/stats     GET|POST /_sandbox/faults           POST /_sandbox/reset\n"
    "  POST /_sandbox/SERVICE/OBJECT adds records without validation\n\n"
    "Accepted credentials are printed below as defaults; every one can be set by its flag.";

// "NAME=VALUE" of a known service.
std::pair<std::string, std::string> of_service(const std::string& text, const char* option) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  if (equals == std::string::npos || std::ranges::find(service_names(), name) == service_names().end())
    throw Error(
        "sandbox.usage", fmt::format("`{} {}` does not name a service", option, text),
        fmt::format("write {} SERVICE=VALUE, SERVICE being salesforce, hubspot, marketo or zendesk", option));
  return {name, text.substr(equals + 1)};
}

struct Flags {
  Options options;
  std::vector<std::string> rates, latencies;
  int port_base = -1;
  std::string jwt_key_file, search_rate, export_rate;
  std::filesystem::path certificate_file;
  bool list_faults = false;
};

void declare(CLI::App& app, Flags& flags) {
  Options& options = flags.options;
  for (const std::string& name : service_names())
    app.add_option("--" + name + "-port", options.ports[name], "Port of " + name + "; 0 picks a free one")
        ->capture_default_str()
        ->group("Ports");
  app.add_option("--port-base", flags.port_base, "N: the services listen on N+1 … N+4; 0: on free ports")
      ->group("Ports")
      ->check(CLI::Range(0, 65531));

  app.add_option("--tls", flags.certificate_file,
                 "Speak HTTPS, with a certificate made now and written to this file")
      ->group("Ports");
  app.add_option(
         "--proxy-port", options.proxy_port,
         "An HTTPS proxy that leads the services' real host names here; 0 picks a free port; needs --tls")
      ->group("Ports");

  const auto word = [&](const char* flag, std::string& target, const char* text) {
    app.add_option(flag, target, text)->capture_default_str()->group("Credentials");
  };
  word("--salesforce-client-id", options.salesforce.credentials.client_id,
       "client_id; iss of a JWT assertion");
  word("--salesforce-client-secret", options.salesforce.credentials.client_secret, "client_secret");
  word("--salesforce-refresh-token", options.salesforce.credentials.refresh_token, "refresh_token");
  word("--salesforce-username", options.salesforce.credentials.username, "sub of a JWT assertion");
  word("--salesforce-jwt-public-key", flags.jwt_key_file,
       "PEM file; without it JWT signatures are not verified");
  word("--hubspot-token", options.hubspot.token, "Access token of the private app");
  word("--hubspot-client-id", options.hubspot.client_id, "OAuth client_id");
  word("--hubspot-client-secret", options.hubspot.client_secret, "OAuth client_secret");
  word("--hubspot-refresh-token", options.hubspot.refresh_token, "OAuth refresh_token");
  word("--marketo-client-id", options.marketo.client_id, "client_id");
  word("--marketo-client-secret", options.marketo.client_secret, "client_secret");
  word("--zendesk-email", options.zendesk.email, "Basic authentication is EMAIL/token:API_TOKEN");
  word("--zendesk-api-token", options.zendesk.api_token, "The API token");
  word("--zendesk-oauth-token", options.zendesk.oauth_token, "Accepted as Bearer");

  app.add_option(
         "--fault", options.faults,
         "SERVICE.NAME, SERVICE.NAME=RATE (0…1), SERVICE.NAME=TIMES (2…) or SERVICE.NAME=RATExTIMES, with "
         "@DURATION behind it for what lasts; "
         "repeatable")
      ->group("Behaviour");
  app.add_flag("--list-faults,--faults", flags.list_faults, "Print all faults and end")->group("Behaviour");
  app.add_option("--seed", options.seed, "Of shuffles and of faults with a rate")
      ->capture_default_str()
      ->group("Behaviour");
  app.add_option("--rate", flags.rates,
                 "SERVICE=CALLS/SECONDS: throttle beyond that; 0 is no limit. As started: marketo=100/20, "
                 "others none")
      ->group("Behaviour");
  app.add_option("--hubspot-search-rate", flags.search_rate,
                 "CALLS/SECONDS of the search calls; HubSpot allows 5/1")
      ->group("Behaviour");
  app.add_option("--latency", flags.latencies, "SERVICE=MILLISECONDS before every answer")
      ->group("Behaviour");
  app.add_flag("--zendesk-bulk", options.zendesk.bulk_import,
               "Enable users/create_many and create_or_update_many")
      ->group("Behaviour");
  app.add_option("--zendesk-export-rate", flags.export_rate,
                 "CALLS/SECONDS of the incremental exports; Zendesk allows 10/60, as it is when not given; "
                 "0: no limit")
      ->group("Behaviour");
  app.add_flag("--marketo-crm", options.marketo.crm_sync,
               "A CRM is synchronised: companies, opportunities, roles and sales persons answer 1018")
      ->group("Behaviour");
  app.add_option("--salesforce-daily", options.salesforce.daily_calls, "API calls per day")
      ->capture_default_str()
      ->group("Behaviour");
  app.add_option("--hubspot-daily", options.hubspot.daily_calls, "API calls per day")
      ->capture_default_str()
      ->group("Behaviour");
  app.add_option("--marketo-daily", options.marketo.daily_calls, "API calls per day")
      ->capture_default_str()
      ->group("Behaviour");
  app.add_option("--state", options.state, "Keep records in this file across restarts")->group("Behaviour");
}

Options understood(Flags flags) {
  Options& options = flags.options;
  if (flags.port_base >= 0) {
    int offset = 0;
    for (const std::string& name : service_names()) {
      ++offset;
      options.ports[name] = flags.port_base == 0 ? 0 : static_cast<std::uint16_t>(flags.port_base + offset);
    }
  }
  options.tls = !flags.certificate_file.empty();
  if (options.proxy_port && !options.tls)
    throw Error("sandbox.usage", "--proxy-port needs --tls: a proxy of HTTPS leads to HTTPS",
                "add --tls FILE");
  for (const std::string& text : flags.rates) {
    const auto [service, rate] = of_service(text, "--rate");
    options.rates[service] = parse_rate(rate);
  }
  if (!flags.export_rate.empty()) options.zendesk.export_rate = parse_rate(flags.export_rate);
  if (!flags.search_rate.empty()) options.hubspot.search_rate = parse_rate(flags.search_rate);
  for (const std::string& text : flags.latencies) {
    const auto [service, milliseconds] = of_service(text, "--latency");
    options.latency[service] = parse_duration(milliseconds + "ms");
  }
  if (!flags.jwt_key_file.empty())
    options.salesforce.credentials.jwt_public_key = read_file(flags.jwt_key_file);
  return options;
}

// Until SIGINT or SIGTERM; the state file follows the records at a distance of about two seconds.
void serve(const Options& options, const std::filesystem::path& certificate_file, const sigset_t& ending) {
  Sandbox sandbox(options);
  if (options.tls) write_file_atomically(certificate_file, sandbox.certificate());
  for (const std::string& name : service_names()) fmt::print("{} {}\n", name, sandbox.url(name));
  if (sandbox.proxy_port() != 0) fmt::print("proxy http://127.0.0.1:{}\n", sandbox.proxy_port());
  fmt::print("ready\n");
  std::fflush(stdout);
  const timespec pause{2, 0};
  while (::sigtimedwait(&ending, nullptr, &pause) < 0) sandbox.save();
  sandbox.stop();
  sandbox.save();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{about, "eddy-sandbox"};
  Flags flags;
  declare(app, flags);
  CLI11_PARSE(app, argc, argv);
  if (flags.list_faults) {
    fmt::print("{}", fault_list());
    return 0;
  }
  // Blocked before any thread starts, so that only the wait below receives them.
  sigset_t ending;
  ::sigemptyset(&ending);
  ::sigaddset(&ending, SIGINT);
  ::sigaddset(&ending, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    const auto certificate_file = flags.certificate_file;
    serve(understood(std::move(flags)), certificate_file, ending);
    return 0;
  } catch (const Error& error) {
    for (const Diagnostic& diagnostic : error.diagnostics()) fmt::print(stderr, "{}", render(diagnostic));
    return error.code().starts_with("sandbox.") ? 2 : 1;
  } catch (const std::exception& failure) {
    fmt::print(stderr, "error: {}\n", failure.what());
    return 1;
  }
}
