#include "app/registry.h"

#include <algorithm>
#include <array>
#include <set>

#include "connectors/files/destination.h"
#include "connectors/files/files.h"
#include "connectors/mysql/destination.h"
#include "connectors/postgres/destination.h"
#include "connectors/sqlite/destination.h"
#include "connectors/webhook/destination.h"
#include "core/error.h"
#include "warehouse/postgres/dialect.h"

namespace eddy::app {

Registry::Registry(const std::filesystem::path& project_folder)
    : declarative_(project_folder / "connectors") {
  // Compiled connectors: one line each.
  sources_.push_back(connectors::files_source());
  for (sync::DestinationType& type : std::array{
           connectors::mysql_destination(),
           connectors::postgres_destination(),
           connectors::sqlite_destination(),
           connectors::files_destination(),
           connectors::webhook_destination(),
       })
    destinations_.emplace(type.type, std::move(type));
  warehouses_.push_back(warehouse::postgres_warehouse());
}

std::vector<std::string> Registry::destinations() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> names;
  for (const auto& [name, ignored] : destinations_) names.insert(name);
  for (std::string& name : declarative_.names()) names.insert(std::move(name));
  return {names.begin(), names.end()};
}

const sync::DestinationType* Registry::destination(const std::string& type) const {
  const std::lock_guard lock(mutex_);
  if (const auto known = destinations_.find(type); known != destinations_.end()) return &known->second;
  const connectors::LoadedConnector* connector = declarative_.find(type);
  if (connector == nullptr) return nullptr;
  return &destinations_.emplace(type, connectors::destination_type(connector->spec)).first->second;
}

const connectors::LoadedConnector* Registry::declarative(const std::string& type) const {
  return declarative_.find(type);
}

const ingest::SourceType* Registry::source(const std::string& type) const {
  const auto found = std::find_if(sources_.begin(), sources_.end(),
                                  [&](const ingest::SourceType& s) { return s.type == type; });
  return found == sources_.end() ? nullptr : &*found;
}

project::ConnectionType Registry::connection_type(const std::string& name) const {
  project::ConnectionType out{config::Shape::object({}), config::Shape::object({}), false, false};
  if (const ingest::SourceType* type = source(name)) {
    out.settings = type->settings;
    out.is_source = true;
  }
  if (const sync::DestinationType* type = destination(name)) {
    if (!out.is_source) out.settings = type->settings;
    out.sync_options = type->options;
    out.is_destination = true;
  }
  for (const warehouse::WarehouseType& warehouse : warehouses_) {
    if (warehouse.type != name) continue;
    std::vector<config::Field> fields = out.settings.fields();
    for (const config::Field& field : warehouse.settings.fields()) fields.push_back(field);
    out.settings = config::Shape::object(std::move(fields));
    out.is_warehouse = true;
  }
  return out;
}

project::ConnectionTypes Registry::connection_types() const {
  project::ConnectionTypes types;
  const auto add = [&](const std::string& name) {
    types.add(name, [this, name] { return connection_type(name); });
  };
  for (const ingest::SourceType& source : sources_) add(source.type);
  for (const std::string& name : destinations()) add(name);
  return types;
}

std::unique_ptr<sync::Destination> Registry::open_destination(const project::Connection& connection,
                                                              const sync::Surroundings& surroundings) const {
  if (const sync::DestinationType* type = destination(connection.type))
    return type->make(connection.settings, surroundings);
  throw Error("connection.not_a_destination", "connection `" + connection.name + "` cannot be written to");
}

std::unique_ptr<ingest::Source> Registry::open_source(const project::Connection& connection,
                                                      const ingest::Surroundings& surroundings) const {
  if (const ingest::SourceType* type = source(connection.type))
    return type->make(connection.settings, surroundings);
  throw Error("connection.not_a_source", "connection `" + connection.name + "` cannot be read from");
}

warehouse::OwnWarehouse Registry::own_warehouse(const project::Connection& connection) const {
  for (const warehouse::WarehouseType& type : warehouses_)
    if (type.type == connection.type) return type.make(connection.name, connection.settings);
  throw Error("connection.not_a_warehouse", "connection `" + connection.name + "` cannot be a warehouse");
}

}  // namespace eddy::app
