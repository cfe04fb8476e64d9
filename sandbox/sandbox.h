// The four services, each listening on its own loopback port, and the desk that shows what they received.
#pragma once

#include <filesystem>
#include <map>
#include <memory>

#include "sandbox/desk.h"
#include "sandbox/hubspot/hubspot.h"
#include "sandbox/marketo/marketo.h"
#include "sandbox/salesforce/salesforce.h"
#include "sandbox/tls.h"
#include "sandbox/zendesk/zendesk.h"

namespace eddy::sandbox {

struct Options {
  std::map<std::string, std::uint16_t> ports = {
      {"salesforce", 8101}, {"hubspot", 8102}, {"marketo", 8103}, {"zendesk", 8104}};
  std::uint64_t seed = 1;
  std::vector<std::string> faults;  // SERVICE.NAME[=RATE[xTIMES]][@DURATION]
  std::map<std::string, Rate> rates = {{"marketo", {.calls = 100, .window = std::chrono::seconds{20}}}};
  std::map<std::string, std::chrono::milliseconds> latency;  // before each answer
  std::filesystem::path state;                               // empty: nothing is kept
  int threads = 16;                                          // per service
  bool tls = false;                                          // the ports speak HTTPS
  std::optional<std::uint16_t> proxy_port{};                 // of an HTTPS proxy; 0: a free one; needs tls
  salesforce::Settings salesforce{};
  hubspot::Settings hubspot{};
  marketo::Settings marketo{};
  zendesk::Settings zendesk{};
};

// The services in the order they are listed everywhere.
const std::vector<std::string>& service_names();
// All faults with their meaning, one per line.
std::string fault_list();

// Thread rule: construct, save and destroy from one thread.
class Sandbox {
 public:
  // Serves at once. Throws Error("sandbox.…") for unknown faults and an unreadable state file,
  // Error("http.…") for ports.
  Sandbox(Options options, Clock& clock = system_clock());
  ~Sandbox();  // stops; does not save
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  std::uint16_t port(const std::string& service) const;
  std::string url(const std::string& service) const;  // "http://127.0.0.1:8101", https with TLS
  std::string certificate() const;                    // PEM; "" without TLS
  std::uint16_t proxy_port() const;                   // 0: none
  void stop();
  // Writes the state file when there is one and something changed since. Throws Error("file.unwritable").
  void save();

 private:
  void play_configured_faults();
  void restart();
  void load();
  void listen(Door& door);

  const Options options_;
  Faults faults_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::unique_ptr<Desk> desk_;
  std::map<std::string, std::unique_ptr<http::Server>> servers_;
  std::unique_ptr<Certificate> certificate_;
  std::map<std::string, std::unique_ptr<TlsFront>> fronts_;
  std::unique_ptr<Proxy> proxy_;
};

}  // namespace eddy::sandbox
