// Every connection type of this program: one line per compiled connector, plus the declarative ones.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "connectors/declarative/library.h"
#include "ingest/source.h"
#include "project/settings.h"
#include "sync/destination.h"
#include "warehouse/own_warehouse.h"

namespace eddy::app {

class Registry {
 public:
  // Reads the project's own connectors/ folder too. Throws Error with everything wrong in there.
  explicit Registry(const std::filesystem::path& project_folder);

  const std::vector<sync::DestinationType>& destinations() const { return destinations_; }
  const std::vector<ingest::SourceType>& sources() const { return sources_; }
  const std::vector<connectors::LoadedConnector>& declarative() const { return declarative_; }
  const std::vector<warehouse::WarehouseType>& warehouses() const { return warehouses_; }
  project::ConnectionTypes connection_types() const;

  // The connection's type must be one that can do it (the project has checked that).
  std::unique_ptr<sync::Destination> open_destination(const project::Connection& connection,
                                                      const sync::Surroundings& surroundings) const;
  std::unique_ptr<ingest::Source> open_source(const project::Connection& connection,
                                              const ingest::Surroundings& surroundings) const;
  warehouse::OwnWarehouse own_warehouse(const project::Connection& connection) const;

 private:
  std::vector<sync::DestinationType> destinations_;
  std::vector<ingest::SourceType> sources_;
  std::vector<warehouse::WarehouseType> warehouses_;
  std::vector<connectors::LoadedConnector> declarative_;
};

}  // namespace eddy::app
