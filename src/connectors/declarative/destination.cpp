#include "connectors/declarative/destination.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/declarative/discovery.h"
#include "connectors/declarative/lookup_reader.h"
#include "connectors/declarative/writer.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

namespace {

template <class Request>  // an operation or a lookup
bool fits_object(const Request& operation, const std::string& object) {
  return operation.objects.empty() ||
         std::find(operation.objects.begin(), operation.objects.end(), object) != operation.objects.end();
}

template <class Request>
bool fits_key(const Request& operation, const std::string& key) {
  const auto has = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), key) != list.end();
  };
  return (operation.keys.empty() || has(operation.keys)) && !has(operation.keys_not);
}

// The first operation of that name for this object and key. Throws Error that says which of the three does
// not fit.
const OperationSpec& choose(const Spec& spec, const std::string& name, const std::string& object,
                            const std::string& key) {
  const auto found = spec.operations.find(name);
  std::vector<std::string> keys;
  bool object_fits = false;
  if (found != spec.operations.end()) {
    for (const OperationSpec& operation : found->second) {
      if (!fits_object(operation, object)) continue;
      if (fits_key(operation, key)) return operation;
      object_fits = true;
      keys.insert(keys.end(), operation.keys.begin(), operation.keys.end());
    }
  }
  if (object_fits)
    throw Error("destination.unsupported",
                fmt::format("{} cannot {} {} by {}", spec.title, name, object, key),
                keys.empty() ? "use another key" : "possible keys: " + join(keys, ", "));
  std::vector<std::string> modes;
  for (const auto& [mode, operations] : spec.operations)
    if (std::any_of(operations.begin(), operations.end(),
                    [&](const OperationSpec& o) { return fits_object(o, object); }))
      modes.push_back(mode);
  throw Error("destination.unsupported", fmt::format("{} cannot {} {}", spec.title, name, object),
              "possible: " + join(modes, ", "));
}

}  // namespace

std::string DeclarativeDestination::check() {
  const std::string base = session_->base_url();
  if (!spec_->objects.discover || spec_->objects.list.empty())
    return fmt::format("{} at {}", spec_->title, base);
  const ObjectSpec& first = spec_->objects.list.front();
  const auto schema = discover(*spec_, *session_, first.name);
  if (!schema)
    throw Error("destination.refused", fmt::format("{} does not know {}", spec_->title, first.name),
                "check the connection's settings");
  return fmt::format("{} at {}: {} has {} fields", spec_->title, base, first.name, schema->fields.size());
}

std::vector<std::string> DeclarativeDestination::objects() { return discover_objects(*spec_, *session_); }

std::optional<sync::ObjectSchema> DeclarativeDestination::describe(const std::string& object) {
  return discover(*spec_, *session_, object);
}

std::unique_ptr<sync::Writer> DeclarativeDestination::open(const sync::Delivery& delivery) {
  if (!spec_->objects.open && find_object(*spec_, delivery.object) == nullptr) {
    std::vector<std::string> names;
    for (const ObjectSpec& object : spec_->objects.list) names.push_back(object.name);
    std::string hint = did_you_mean_hint(delivery.object, names);
    throw Error("destination.no_such_object",
                fmt::format("{} has no object `{}`", spec_->title, delivery.object),
                hint.empty() ? "known: " + join(names, ", ") : hint);
  }
  if (delivery.key.size() != 1)
    throw Error(
        "destination.unsupported",
        fmt::format("{} matches records by exactly one field, not {}", spec_->title, delivery.key.size()),
        "give one key field");
  const std::string& key = delivery.key.front().name;
  const OperationSpec& write = choose(*spec_, std::string(name_of(delivery.mode)), delivery.object, key);
  const OperationSpec* remove = nullptr;
  switch (delivery.removed) {
    case sync::Removal::ignore:
      break;
    case sync::Removal::erase:
      remove = &choose(*spec_, "erase", delivery.object, key);
      break;
    case sync::Removal::archive:
      remove = &choose(*spec_, "archive", delivery.object, key);
      break;
  }
  return std::make_unique<DeclarativeWriter>(spec_, session_, delivery, write, remove);
}

std::unique_ptr<sync::Reader> DeclarativeDestination::reader(const sync::Reading& reading) {
  if (reading.key.size() != 1) return nullptr;
  if (!spec_->objects.open && find_object(*spec_, reading.object) == nullptr) return nullptr;
  const std::string& key = reading.key.front().name;
  const auto lookup =
      std::find_if(spec_->lookups.begin(), spec_->lookups.end(), [&](const LookupSpec& candidate) {
        return fits_object(candidate, reading.object) && fits_key(candidate, key);
      });
  if (lookup == spec_->lookups.end()) return nullptr;
  sync::Reading asked = reading;
  if (lookup->known_keys) {
    const auto schema = discover(*spec_, *session_, reading.object);
    if (!schema) return nullptr;
    const auto field = std::find_if(schema->fields.begin(), schema->fields.end(),
                                    [&](const sync::FieldSchema& f) { return f.name == key; });
    if (field == schema->fields.end() || !field->key) return nullptr;
    asked.key.front().type = field->type;
  }
  return std::make_unique<LookupReader>(spec_, session_, std::move(asked), *lookup);
}

config::Shape settings_shape(const Spec& spec) {
  std::vector<config::Field> fields;
  for (const SettingSpec& setting : spec.settings) {
    config::Field f = config::field(setting.name,
                                    setting.type == "integer" ? config::Shape::integer()
                                    : setting.type == "share" ? config::Shape::share()
                                                              : config::Shape::string(),
                                    setting.doc);
    f.required = setting.required && !setting.otherwise;
    f.secret = setting.secret;
    if (setting.otherwise) f.default_text = setting.otherwise->source();
    fields.push_back(std::move(f));
  }
  config::Field http =
      config::field("allow_http", config::Shape::boolean(), "permit unencrypted http:// to another machine");
  http.default_text = "false";
  config::Field timeout = config::field("timeout", config::Shape::duration(), "longest time for one request");
  timeout.default_text = "2m";
  fields.push_back(std::move(http));
  fields.push_back(std::move(timeout));
  return config::Shape::object(std::move(fields));
}

}  // namespace eddy::connectors
