#include "sandbox/sandbox.h"

#include "core/error.h"
#include "core/files.h"

namespace eddy::sandbox {
namespace {

// Bulk uploads of Salesforce may have 100 MB and more.
constexpr std::size_t body_bytes_max = std::size_t{150} << 20;
constexpr std::size_t header_bytes_max = 64 << 10;

const std::vector<FaultKind>& own_faults_of(const std::string& service) {
  if (service == "salesforce") return salesforce::own_faults();
  if (service == "hubspot") return hubspot::own_faults();
  if (service == "marketo") return marketo::own_faults();
  return zendesk::own_faults();
}

std::unique_ptr<Service> make_service(const std::string& name, const Options& options,
                                      const Surroundings& around) {
  if (name == "salesforce") return std::make_unique<salesforce::Salesforce>(options.salesforce, around);
  if (name == "hubspot") return std::make_unique<hubspot::HubSpot>(options.hubspot, around);
  if (name == "marketo") return std::make_unique<marketo::Marketo>(options.marketo, around);
  return std::make_unique<zendesk::Zendesk>(options.zendesk, around);
}

template <class Map>
auto value_or(const Map& map, const std::string& key, typename Map::mapped_type otherwise) {
  const auto at = map.find(key);
  return at == map.end() ? otherwise : at->second;
}

}  // namespace

const std::vector<std::string>& service_names() {
  static const std::vector<std::string> names = {"salesforce", "hubspot", "marketo", "zendesk"};
  return names;
}

std::string fault_list() {
  Faults faults(0);
  for (const std::string& name : service_names()) faults.declare(name, own_faults_of(name));
  return faults.list();
}

Sandbox::Sandbox(Options options, Clock& clock) : options_(std::move(options)), faults_(options_.seed) {
  for (const std::string& name : service_names()) faults_.declare(name, own_faults_of(name));
  play_configured_faults();
  std::vector<Door*> doors;
  for (const std::string& name : service_names()) {
    const Surroundings around{.clock = clock,
                              .faults = faults_,
                              .seed = options_.seed,
                              .rate = value_or(options_.rates, name, {}),
                              .scheme = options_.tls ? "https://" : "http://"};
    doors_.push_back(std::make_unique<Door>(make_service(name, options_, around), faults_, clock,
                                            value_or(options_.latency, name, std::chrono::milliseconds{0})));
    doors.push_back(doors_.back().get());
  }
  desk_ = std::make_unique<Desk>(doors, faults_, [this] { restart(); });
  load();
  if (options_.tls) certificate_ = std::make_unique<Certificate>();
  for (Door* door : doors) listen(*door);
  if (options_.proxy_port)
    proxy_ = std::make_unique<Proxy>(*options_.proxy_port, [this](const auto& name) { return port(name); });
}

void Sandbox::listen(Door& door) {
  const std::string& name = door.name();
  const std::uint16_t port = value_or(options_.ports, name, 0);
  http::Server::Options server{.port = options_.tls ? std::uint16_t{0} : port,
                               .threads = options_.threads,
                               .body_bytes_max = body_bytes_max,
                               .header_bytes_max = header_bytes_max};
  server.log = [name](std::string_view line) { fmt::print(stderr, "{}: {}\n", name, line); };
  servers_[name] = std::make_unique<http::Server>(server, [this, &door](const IncomingRequest& request) {
    return Desk::is_for(request) ? desk_->handle(request) : door.handle(request);
  });
  if (options_.tls) fronts_[name] = std::make_unique<TlsFront>(port, *certificate_, servers_[name]->port());
}

Sandbox::~Sandbox() { stop(); }

std::uint16_t Sandbox::port(const std::string& service) const {
  return options_.tls ? fronts_.at(service)->port() : servers_.at(service)->port();
}

std::string Sandbox::url(const std::string& service) const {
  return fmt::format("{}://127.0.0.1:{}", options_.tls ? "https" : "http", port(service));
}

std::string Sandbox::certificate() const { return certificate_ ? certificate_->pem() : std::string{}; }

std::uint16_t Sandbox::proxy_port() const { return proxy_ ? proxy_->port() : std::uint16_t{0}; }

void Sandbox::stop() {
  if (proxy_) proxy_->stop();
  for (auto& [name, front] : fronts_) front->stop();
  for (auto& [name, server] : servers_) server->stop();
}

void Sandbox::play_configured_faults() {
  for (const std::string& fault : options_.faults) faults_.set_from_text(fault);
}

void Sandbox::restart() {
  faults_.reset();
  play_configured_faults();
  for (auto& door : doors_) {
    door->with_service([](Service& service) { service.reset(); });
    door->ledger().clear();
  }
}

void Sandbox::load() {
  if (options_.state.empty() || !std::filesystem::exists(options_.state)) return;
  const Json saved = Json::parse(read_file(options_.state), nullptr, false);
  const auto refuse = [&](const std::string& why) {
    throw Error("sandbox.state_unreadable",
                options_.state.string() + " is not a state file of eddy-sandbox: " + why,
                "delete it to start without records");
  };
  if (!saved.is_object()) refuse("it is not a JSON object");
  try {
    for (auto& door : doors_)
      door->with_service([&](Service& service) {
        if (const auto part = saved.find(door->name()); part != saved.end()) service.store().from_json(*part);
      });
  } catch (const std::exception& failure) {
    refuse(failure.what());
  }
}

void Sandbox::save() {
  if (options_.state.empty()) return;
  Json saved = Json::object();
  bool changed = false;
  for (auto& door : doors_)
    door->with_service([&](Service& service) { changed |= service.store().changed_since_saved; });
  if (!changed) return;
  for (auto& door : doors_)
    door->with_service([&](Service& service) {
      service.store().changed_since_saved = false;
      saved[door->name()] = service.store().to_json();
    });
  write_file_atomically(options_.state, saved.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace eddy::sandbox
