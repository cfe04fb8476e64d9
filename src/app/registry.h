// Every connection type of this program: one line per compiled connector, plus the declarative ones.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connectors/declarative/library.h"
#include "ingest/source.h"
#include "project/settings.h"
#include "sync/destination.h"
#include "warehouse/own_warehouse.h"

namespace eddy::app {

// Not movable: what connection_types() gives asks it. Thread-safe.
class Registry {
 public:
  // Reads the project's own connectors/ folder too. Throws Error with everything wrong in there. Built-in
  // connector.yml files are parsed when their type is asked for.
  explicit Registry(const std::filesystem::path& project_folder);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  std::vector<std::string> destinations() const;                                  // types, sorted
  const sync::DestinationType* destination(const std::string& type) const;        // nullptr: there is none
  const connectors::LoadedConnector* declarative(const std::string& type) const;  // nullptr: it is compiled
  const std::vector<ingest::SourceType>& sources() const { return sources_; }
  const ingest::SourceType* source(const std::string& type) const;
  const std::vector<warehouse::WarehouseType>& warehouses() const { return warehouses_; }
  project::ConnectionTypes connection_types() const;

  // The connection's type must be one that can do it (the project has checked that).
  std::unique_ptr<sync::Destination> open_destination(const project::Connection& connection,
                                                      const sync::Surroundings& surroundings) const;
  std::unique_ptr<ingest::Source> open_source(const project::Connection& connection,
                                              const ingest::Surroundings& surroundings) const;
  warehouse::OwnWarehouse own_warehouse(const project::Connection& connection) const;

 private:
  project::ConnectionType connection_type(const std::string& name) const;

  connectors::Library declarative_;
  std::vector<ingest::SourceType> sources_;
  std::vector<warehouse::WarehouseType> warehouses_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, sync::DestinationType> destinations_;  // declarative ones come when asked for
};

}  // namespace eddy::app
