// eddy.yml and connections.yml.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/shape.h"
#include "engine/database.h"
#include "sync/pii.h"
#include "warehouse/session.h"

namespace eddy::project {

struct Settings {
  std::string name;
  warehouse::Places places;
  engine::Options engine;
  std::size_t threads = 2;  // nodes at the same time
  warehouse::History history;
  config::Node warehouse;  // as it is written: a connection, or the file of `places`; may be missing
};

struct Connection {
  std::string name;
  std::string type;
  config::Node settings;                         // the whole map, `type` and `pii` included
  sync::PiiPolicy pii = sync::PiiPolicy::allow;  // what of personal data is sent there
};

// What the app knows of a connection type: above all the shape of its settings.
struct ConnectionType {
  config::Shape settings;      // an object shape, without `type`, and without `pii` of destinations
  config::Shape sync_options;  // an object shape
  bool is_source = false;
  bool is_destination = false;
  bool is_warehouse = false;
};

// All types by name. One is made when it is asked for first, since many exist and few are used. Not
// thread-safe.
class ConnectionTypes {
 public:
  using Make = std::function<ConnectionType()>;
  void add(const std::string& name, Make make) { makers_[name] = std::move(make); }
  std::vector<std::string> names() const;                     // sorted
  const ConnectionType* find(const std::string& name) const;  // nullptr: there is none
  const ConnectionType& at(const std::string& name) const;    // must be there

 private:
  std::map<std::string, Make> makers_;
  mutable std::map<std::string, ConnectionType> made_;
};

const config::Shape& settings_shape();
config::Shape connections_shape(const ConnectionTypes& types);  // for `eddy schema`

// target: as given by the user; "" takes default_target, or the file's own values when it has none.
// Adds project.unknown_target. The name falls back to the folder's.
Settings parse_settings(const config::Node& node, const std::filesystem::path& folder,
                        const std::string& target, Diagnostics& diagnostics);
// Adds project.unknown_connection_type with a did-you-mean, and what each type's shape finds.
std::vector<Connection> parse_connections(const config::Node& node, const ConnectionTypes& types,
                                          Diagnostics& diagnostics);

}  // namespace eddy::project
