#include "app/registry.h"

#include <algorithm>

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
    : declarative_(connectors::load_connectors(project_folder / "connectors")) {
  // Compiled connectors: one line each.
  sources_.push_back(connectors::files_source());
  destinations_.push_back(connectors::mysql_destination());
  destinations_.push_back(connectors::postgres_destination());
  destinations_.push_back(connectors::sqlite_destination());
  destinations_.push_back(connectors::files_destination());
  destinations_.push_back(connectors::webhook_destination());
  warehouses_.push_back(warehouse::postgres_warehouse());

  for (const connectors::LoadedConnector& connector : declarative_)
    destinations_.push_back(connectors::destination_type(connector.spec));
}

project::ConnectionTypes Registry::connection_types() const {
  project::ConnectionTypes types;
  for (const ingest::SourceType& source : sources_)
    types.emplace(source.type,
                  project::ConnectionType{source.settings, config::Shape::object({}), true, false});
  for (const sync::DestinationType& destination : destinations_) {
    const auto [type, fresh] = types.emplace(
        destination.type, project::ConnectionType{destination.settings, destination.options, false, true});
    if (!fresh) {
      type->second.is_destination = true;
      type->second.sync_options = destination.options;
    }
  }
  for (const warehouse::WarehouseType& warehouse : warehouses_) {
    project::ConnectionType& type = types.at(warehouse.type);
    std::vector<config::Field> fields = type.settings.fields();
    for (const config::Field& field : warehouse.settings.fields()) fields.push_back(field);
    type.settings = config::Shape::object(std::move(fields));
    type.is_warehouse = true;
  }
  return types;
}

std::unique_ptr<sync::Destination> Registry::open_destination(const project::Connection& connection,
                                                              const sync::Surroundings& surroundings) const {
  for (const sync::DestinationType& type : destinations_)
    if (type.type == connection.type) return type.make(connection.settings, surroundings);
  throw Error("connection.not_a_destination", "connection `" + connection.name + "` cannot be written to");
}

std::unique_ptr<ingest::Source> Registry::open_source(const project::Connection& connection,
                                                      const ingest::Surroundings& surroundings) const {
  for (const ingest::SourceType& type : sources_)
    if (type.type == connection.type) return type.make(connection.settings, surroundings);
  throw Error("connection.not_a_source", "connection `" + connection.name + "` cannot be read from");
}

warehouse::OwnWarehouse Registry::own_warehouse(const project::Connection& connection) const {
  for (const warehouse::WarehouseType& type : warehouses_)
    if (type.type == connection.type) return type.make(connection.name, connection.settings);
  throw Error("connection.not_a_warehouse", "connection `" + connection.name + "` cannot be a warehouse");
}

}  // namespace eddy::app
