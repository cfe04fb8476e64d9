#include "connectors/declarative/library.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "connectors/declarative/destination.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "transport/http/client.h"

namespace eddy::connectors {

namespace {

std::string folder_of(const Spec& spec, const std::string& folder, const std::string& file) {
  if (spec.name != folder)
    throw Error("connector.name", fmt::format("the connector in {} calls itself `{}`", file, spec.name),
                "name and folder must be the same", {file, 1, 1});
  return spec.name;
}

std::filesystem::path pace_file(const sync::Surroundings& surroundings) {
  if (surroundings.pace_folder.empty() || surroundings.connection.empty()) return {};
  return surroundings.pace_folder / (percent_encode(surroundings.connection) + ".pace");
}

// Sessions that somebody still uses, by everything that makes them what they are.
class Sessions {
 public:
  std::shared_ptr<Session> get(const std::shared_ptr<const Spec>& spec, const config::Node& node,
                               const sync::Surroundings& surroundings) {
    Settings settings(*spec, node);
    const bool allow_http = node["allow_http"].is_scalar() && node["allow_http"].as_boolean();
    const std::string timeout = node["timeout"].is_scalar() ? node["timeout"].text() : "";
    std::string identity = fmt::format("{}|{}|{}|{}", fmt::ptr(&surroundings.clock),
                                       fmt::ptr(&surroundings.cancel), allow_http, timeout);
    for (const auto& [name, value] : settings.all())
      identity += fmt::format("|{}={}:{}", name, value.size(), value);
    const std::lock_guard lock(mutex_);
    std::weak_ptr<Session>& slot = sessions_[sha256_hex(identity)];
    if (auto alive = slot.lock()) return alive;
    auto session =
        std::make_shared<Session>(*spec, std::move(settings), surroundings.clock, surroundings.cancel,
                                  std::make_unique<http::Client>(http::ClientOptions{
                                      .allow_http = allow_http, .ca_file = {}, .user_agent = "eddy"}),
                                  timeout.empty() ? std::chrono::minutes{2} : node["timeout"].as_duration(),
                                  pace_file(surroundings));
    slot = session;
    return session;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Session>> sessions_;
};

}  // namespace

std::vector<LoadedConnector> load_connectors(const std::filesystem::path& project_connectors_folder) {
  std::map<std::string, LoadedConnector> by_name;
  for (const EmbeddedConnector& embedded : embedded_connectors()) {
    const std::string file = fmt::format("connectors/{}/connector.yml", embedded.folder);
    auto spec = std::make_shared<const Spec>(parse_connector(embedded.text, file));
    by_name[folder_of(*spec, std::string(embedded.folder), file)] = {spec, "built in"};
  }
  Diagnostics diagnostics;
  std::error_code ignored;
  for (const auto& folder : std::filesystem::directory_iterator(project_connectors_folder, ignored)) {
    const auto file = folder.path() / "connector.yml";
    if (!std::filesystem::is_regular_file(file)) continue;
    const std::string name = fmt::format("connectors/{}/connector.yml", folder.path().filename().string());
    try {
      auto spec = std::make_shared<const Spec>(parse_connector(read_file(file), name));
      by_name[folder_of(*spec, folder.path().filename().string(), name)] = {spec, name};
    } catch (const Error& e) {
      diagnostics.add(e);
    }
  }
  diagnostics.throw_if_any();
  std::vector<LoadedConnector> out;
  for (auto& [name, loaded] : by_name) out.push_back(std::move(loaded));
  return out;
}

sync::DestinationType destination_type(std::shared_ptr<const Spec> spec) {
  auto sessions = std::make_shared<Sessions>();
  return {spec->name, spec->summary, settings_shape(*spec), config::Shape::object({}),
          [spec, sessions](const config::Node& settings,
                           const sync::Surroundings& surroundings) -> std::unique_ptr<sync::Destination> {
            return std::make_unique<DeclarativeDestination>(spec,
                                                            sessions->get(spec, settings, surroundings));
          }};
}

std::vector<sync::DestinationType> declarative_destinations(
    const std::filesystem::path& project_connectors_folder) {
  std::vector<sync::DestinationType> out;
  for (const LoadedConnector& loaded : load_connectors(project_connectors_folder))
    out.push_back(destination_type(loaded.spec));
  return out;
}

}  // namespace eddy::connectors
