// All declarative connectors: those built in, and those of the project's own
// connectors/<service>/connector.yml.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
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

// The connectors by name. A built-in one is parsed when it is asked for first: a project uses two of them,
// and starting is quick. A project's connector of the same name replaces a built-in one. Thread-safe.
class Library {
 public:
  // Parses the project's own. Throws Error with everything that is wrong in those. The folder need not exist.
  explicit Library(const std::filesystem::path& project_connectors_folder);
  std::vector<std::string> names() const;                      // sorted
  const LoadedConnector* find(const std::string& name) const;  // nullptr: there is none

 private:
  mutable std::mutex mutex_;
  mutable std::map<std::string, LoadedConnector> loaded_;
  std::map<std::string, std::string_view> embedded_;  // of those that are not loaded, perhaps not yet
};

// All of a Library, sorted by name.
std::vector<LoadedConnector> load_connectors(const std::filesystem::path& project_connectors_folder);

// Connections with equal settings share one session: one login, one rate budget.
sync::DestinationType destination_type(std::shared_ptr<const Spec> spec);
std::vector<sync::DestinationType> declarative_destinations(
    const std::filesystem::path& project_connectors_folder);

// What `eddy connectors TYPE` and the pages of the reference show.
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
  struct Option {
    std::string name, doc, type, otherwise;
    std::vector<std::string> values, objects;  // allowed; of which it is. Empty: any, all
  };
  struct Operation {
    std::string name;                  // upsert, update, insert, erase, archive, lookup
    std::vector<std::string> objects;  // empty: all
    std::vector<std::string> keys;     // empty: any field the service accepts, but for keys_not
    std::vector<std::string> keys_not;
    bool known_keys = false;  // only fields that the service calls unique
    std::size_t rows_max = 1;
    std::size_t bytes_max = 0;
    bool repeatable = true;  // a lost answer is answered by sending again; otherwise the row is in doubt
    std::vector<std::string> matching;  // how a reply names its rows, in the order tried
    std::vector<std::string> steps;     // more than one request: "looked up by the key", "read as a job"
  };
  std::string name, title, summary, contract, origin;
  std::vector<Setting> settings;
  std::vector<std::vector<std::string>> credentials;  // each a set of settings that is enough to log in
  std::vector<std::string> credentials_how;           // of each: "header Authorization", "OAuth 2"
  std::vector<Object> objects;
  std::vector<Option> options;  // of a sync
  bool open_objects = false;    // others exist too
  bool discovers = false;       // fields are read from the service
  std::vector<Operation> operations;
  std::size_t concurrency = 1;
  std::vector<std::string> limits;                         // "100 requests in 10 s", for people
  std::vector<std::pair<std::string, std::string>> needs;  // what credentials must allow, and where to get it
  std::vector<std::string> behaviours;                     // what to know: "every value is sent as text"
};
ConnectorManual manual(const LoadedConnector& connector);
// The same as text for a terminal, and as a page of the reference (Markdown); both end with a newline.
std::string manual_text(const ConnectorManual& manual);
std::string manual_page(const ConnectorManual& manual);
nlohmann::json manual_json(const ConnectorManual& manual);
// What the connector knows of an object without asking; nullopt when it does not list it.
std::optional<sync::ObjectSchema> known_object(const LoadedConnector& connector, const std::string& name);
// The options of a sync to that object as lines for people, each with a newline; "" when it has none.
std::string options_text(const ConnectorManual& manual, const std::string& object);

}  // namespace eddy::connectors
