// syncs/<name>.yml: what a user writes to have a model's rows kept in step with an object of a destination.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/shape.h"
#include "sync/destination.h"

namespace eddy::sync {

// How a value is brought to one form before it is compared, delivered and hashed; applied in order.
enum class Normalization { trim, lower, upper, email, e164 };

enum class WhenNull { write, keep };               // keep: a null never overwrites
enum class Write { always, if_empty, on_create };  // if_empty and on_create read the record first
enum class OnDrift { ours, theirs };               // whose value stays when a person has changed it there
enum class OnMiss { reject, null, create };

// What becomes of delivered rows that have left the model. clear and set go out as updates of the record
// (field_policies.h); a destination meets the other three only.
enum class Removed { ignore, erase, archive, clear, set };
enum class Pii { unmarked, no, yes };

// The field holds another object's id: the expression gives that object's key, and the id is looked up.
struct LookupSpec {
  std::string object;
  std::string by;  // field of that object
  OnMiss on_miss = OnMiss::reject;
  bool operator==(const LookupSpec&) const = default;
};

// One destination field and the SQL expression over the model's columns that fills it.
struct Mapping {
  std::string field;  // "address.city" is a field of a nested object
  std::string expression;
  config::Node node;  // where the expression is written, for messages
  std::vector<Normalization> normalize = {};
  std::string phone_region = {};  // of e164, for numbers without a country code: "DE"
  WhenNull when_null = WhenNull::write;
  Write write = Write::always;
  OnDrift drift = OnDrift::ours;
  std::optional<LookupSpec> lookup = std::nullopt;
  Pii pii = Pii::unmarked;
  bool hashed =
      false;  // delivered as the SHA-256 of its normalized form (pii.h); of a warehouse of the user's own
  config::Node name_node = {};  // where the field is named
};

// Limits that hold a plan until it is approved. Shares of what this sync has delivered so far.
struct Guards {
  double removed_max = 0.10;
  double changed_max = 1.0;
  double rows_off_max = 0.50;                  // from the mean of the last runs' row counts
  std::uint64_t first_run_rows_max = 100'000;  // 0: no limit
  bool unique_key = true;                      // hold when keys were unique and are no longer
};

struct SyncSpec {
  std::string name;         // the file's name without .yml
  std::string model;        // "presentation.customer_360"; of a query of its own: "SQL of <name>"
  std::string model_sql;    // `model: {sql: select …}`
  std::string destination;  // name of a connection
  std::string object;
  std::vector<Mapping> key;     // at least one
  std::vector<Mapping> fields;  // may be empty: only the key is delivered
  Mode mode = Mode::upsert;     // `mirror` is upsert with removed: delete
  Removed removed = Removed::ignore;
  std::vector<Mapping> removed_values;  // of removed: {set: …}
  bool send_all = false;                // `send: all`: every field of a changed row, not only the changed
  Guards guards;
  int reject_runs_max = 10;  // runs that send a row refused for a passing reason, until it is parked
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
// sync.bad_policy (a policy where it cannot hold).
std::optional<SyncSpec> parse_sync(const std::string& name, const config::Node& node,
                                   Diagnostics& diagnostics);

std::string_view name_of(Removed removed);  // ignore | delete | archive | clear | set
std::string_view name_of(Normalization normalization);
std::string_view name_of(WhenNull policy);
std::string_view name_of(Write policy);
std::string_view name_of(OnDrift policy);
std::string_view name_of(OnMiss policy);
std::string node_name(const SyncSpec& spec);  // "sync.hubspot_contacts"

}  // namespace eddy::sync
