#include "connectors/declarative/library.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

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

SessionFiles files_of(const sync::Surroundings& surroundings) {
  if (surroundings.pace_folder.empty() || surroundings.connection.empty()) return {};
  const std::string name = percent_encode(surroundings.connection);
  return {surroundings.pace_folder / (name + ".pace"), surroundings.pace_folder / (name + ".quota"),
          surroundings.pace_folder.parent_path() / "tokens" / (name + ".json")};
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
    auto session = std::make_shared<Session>(
        *spec, std::move(settings), surroundings.clock, surroundings.cancel,
        std::make_unique<http::Client>(
            http::ClientOptions{.allow_http = allow_http, .ca_file = {}, .user_agent = "eddy"}),
        timeout.empty() ? std::chrono::minutes{2} : node["timeout"].as_duration(), files_of(surroundings));
    slot = session;
    return session;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Session>> sessions_;
};

}  // namespace

Library::Library(const std::filesystem::path& project_connectors_folder) {
  for (const EmbeddedConnector& embedded : embedded_connectors())
    embedded_.emplace(embedded.folder, embedded.text);
  Diagnostics diagnostics;
  std::error_code ignored;
  for (const auto& folder : std::filesystem::directory_iterator(project_connectors_folder, ignored)) {
    const auto file = folder.path() / "connector.yml";
    if (!std::filesystem::is_regular_file(file)) continue;
    const std::string name = fmt::format("connectors/{}/connector.yml", folder.path().filename().string());
    try {
      auto spec = std::make_shared<const Spec>(parse_connector(read_file(file), name));
      loaded_[folder_of(*spec, folder.path().filename().string(), name)] = {spec, name};
    } catch (const Error& e) {
      diagnostics.add(e);
    }
  }
  diagnostics.throw_if_any();
}

std::vector<std::string> Library::names() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> names;
  for (const auto& [name, ignored] : embedded_) names.insert(name);
  for (const auto& [name, ignored] : loaded_) names.insert(name);
  return {names.begin(), names.end()};
}

const LoadedConnector* Library::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  if (const auto loaded = loaded_.find(name); loaded != loaded_.end()) return &loaded->second;
  const auto embedded = embedded_.find(name);
  if (embedded == embedded_.end()) return nullptr;
  const std::string file = fmt::format("connectors/{}/connector.yml", name);
  auto spec = std::make_shared<const Spec>(parse_connector(embedded->second, file));
  folder_of(*spec, name, file);
  return &(loaded_[name] = {std::move(spec), "built in"});
}

std::vector<LoadedConnector> load_connectors(const std::filesystem::path& project_connectors_folder) {
  const Library library(project_connectors_folder);
  std::vector<LoadedConnector> out;
  for (const std::string& name : library.names()) out.push_back(*library.find(name));
  return out;
}

sync::DestinationType destination_type(std::shared_ptr<const Spec> spec) {
  auto sessions = std::make_shared<Sessions>();
  return {spec->name, spec->summary, settings_shape(*spec), options_shape(*spec),
          [spec, sessions](const config::Node& settings,
                           const sync::Surroundings& surroundings) -> std::unique_ptr<sync::Destination> {
            return std::make_unique<DeclarativeDestination>(
                spec, sessions->get(spec, settings, surroundings),
                surroundings.jobs_folder.empty() || surroundings.connection.empty()
                    ? std::filesystem::path()
                    : surroundings.jobs_folder / percent_encode(surroundings.connection));
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
