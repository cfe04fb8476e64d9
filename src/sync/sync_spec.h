// syncs/<name>.yml: what a user writes to have a model's rows kept in step with an object of a destination.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/shape.h"
#include "sync/destination.h"

namespace eddy::sync {

// One destination field and the SQL expression over the model's columns that fills it.
struct Mapping {
  std::string field;
  std::string expression;
  config::Node node;  // where the expression is written, for messages
};

// Limits that hold a plan until it is approved. A share is of the rows this sync has delivered so far.
struct Guards {
  double removed_max = 0.10;
  double changed_max = 1.0;
};

struct SyncSpec {
  std::string name;         // the file's name without .yml
  std::string model;        // "presentation.customer_360"
  std::string destination;  // name of a connection
  std::string object;
  std::vector<Mapping> key;     // at least one
  std::vector<Mapping> fields;  // may be empty: only the key is delivered
  Mode mode = Mode::upsert;
  Removal removed = Removal::ignore;
  Guards guards;
  std::vector<std::string>
      on;  // triggers, as written: "every 15m", "after clean.x", "cron …", "webhook", "continuous"
  std::vector<std::string> tags;
  std::string description;
  config::Node options;  // destination-specific; may be missing
  config::Node node;     // the whole document
};

// The one description of the file, for `eddy schema` and for the checks of parse_sync.
const config::Shape& sync_shape();

// Adds every problem to `diagnostics`; nullopt when there is one. Codes: config.*, sync.bad_name,
// sync.bad_model, sync.bad_removed, sync.bad_trigger, sync.duplicate_field, sync.missing_expression,
// sync.unsupported (with what to write instead).
std::optional<SyncSpec> parse_sync(const std::string& name, const config::Node& node,
                                   Diagnostics& diagnostics);

std::string_view name_of(Removal removed);    // ignore | delete | archive | clear
std::string node_name(const SyncSpec& spec);  // "sync.hubspot_contacts"

}  // namespace eddy::sync
