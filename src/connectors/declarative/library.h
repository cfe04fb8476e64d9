// All declarative connectors: those built in, and those of the project's own
// connectors/<service>/connector.yml.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "connectors/declarative/spec.h"
#include "sync/destination.h"

namespace eddy::connectors {

// A connector.yml compiled into the program.
struct EmbeddedConnector {
  std::string_view folder;  // "hubspot"
  std::string_view text;
};
std::vector<EmbeddedConnector> embedded_connectors();

struct LoadedConnector {
  std::shared_ptr<const Spec> spec;
  std::string origin;  // "built in" or the file
};
// Sorted by name. A project's connector of the same name replaces a built-in one. Throws Error with
// everything that is wrong in the project's files. The folder need not exist.
std::vector<LoadedConnector> load_connectors(const std::filesystem::path& project_connectors_folder);

// Connections with equal settings share one session: one login, one rate budget.
sync::DestinationType destination_type(std::shared_ptr<const Spec> spec);
std::vector<sync::DestinationType> declarative_destinations(
    const std::filesystem::path& project_connectors_folder);

// What `eddy connectors [NAME]` shows.
struct ConnectorManual {
  struct Setting {
    std::string name, doc, type, otherwise;
    bool required = false;
    bool secret = false;
  };
  struct Object {
    std::string name, doc;
    std::vector<std::string> keys;
  };
  struct Operation {
    std::string name;                  // upsert, update, insert, erase, archive, lookup
    std::vector<std::string> objects;  // empty: all
    std::vector<std::string> keys;     // empty: any field the service accepts
    std::size_t rows_max = 1;
    std::size_t bytes_max = 0;
    bool repeatable = true;  // a lost answer is answered by sending again; otherwise the row is in doubt
  };
  std::string name, title, summary, contract, origin;
  std::vector<Setting> settings;
  std::vector<std::vector<std::string>> credentials;  // each a set of settings that is enough to log in
  std::vector<Object> objects;
  bool open_objects = false;  // others exist too
  bool discovers = false;     // fields are read from the service
  std::vector<Operation> operations;
  std::size_t concurrency = 1;
  std::vector<std::string> limits;  // "100 requests in 10s", for people
};
ConnectorManual manual(const LoadedConnector& connector);
// The same as text for a terminal; ends with a newline.
std::string manual_text(const ConnectorManual& manual);

}  // namespace eddy::connectors
