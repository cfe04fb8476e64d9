#include "connectors/declarative/choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/declarative/discovery.h"
#include "connectors/declarative/object_name.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

namespace {

bool has(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

template <class Request>  // an operation or a lookup
bool fits_object(const Spec& spec, const Request& request, const std::string& object) {
  if (request.objects.empty() || has(request.objects, object)) return true;
  const ObjectSpec* known = find_object(spec, object);
  return known != nullptr && has(request.objects, known->name);
}

template <class Request>
bool fits_one_key(const Request& request, const std::string& key) {
  return (request.keys.empty() || has(request.keys, key)) && !has(request.keys_not, key);
}

bool fits_key(const OperationSpec& operation, const std::vector<std::string>& keys) {
  if (!operation.keys_all.empty())
    return keys.size() == operation.keys_all.size() &&
           std::all_of(keys.begin(), keys.end(), [&](const auto& k) { return has(operation.keys_all, k); });
  if (keys.size() > 1) return operation.composite;
  return fits_one_key(operation, keys.front());
}

// A field of which the connector or the service says that it identifies a record.
bool is_known_key(const Spec& spec, Session& session, const std::string& object, const std::string& key,
                  Type* type) {
  const ObjectSpec* known = find_object(spec, object);
  if (known != nullptr && type == nullptr)
    for (const FieldSpec& field : known->fields)
      if (field.name == key && field.key) return true;
  const auto schema = discover(spec, session, object);
  if (!schema) return false;
  for (const sync::FieldSchema& field : schema->fields)
    if (field.name == key && field.key) {
      if (type != nullptr) *type = field.type;
      return true;
    }
  return false;
}

std::string possible(const OperationSpec& operation) {
  return operation.keys_all.empty() ? join(operation.keys, ", ") : join(operation.keys_all, " with ");
}

}  // namespace

const OperationSpec& choose_operation(const Spec& spec, Session& session, const std::string& name,
                                      const Asked& asked) {
  const auto found = spec.operations.find(name);
  std::vector<std::string> keys;
  bool object_fits = false;
  if (found != spec.operations.end()) {
    for (const OperationSpec& operation : found->second) {
      if (!fits_object(spec, operation, asked.object)) continue;
      object_fits = true;
      if (fits_key(operation, asked.keys) &&
          (!operation.known_keys || is_known_key(spec, session, asked.object, asked.keys.front(), nullptr)))
        return operation;
      if (const std::string some = possible(operation); !some.empty()) keys.push_back(some);
    }
  }
  if (object_fits)
    throw Error(
        "destination.unsupported",
        fmt::format("{} cannot {} {} by {}", spec.title, name, asked.object, join(asked.keys, " and ")),
        !keys.empty()            ? "possible keys: " + join(keys, ", ")
        : asked.keys.size() == 1 ? "use another key"
                                 : "give one key field");
  std::vector<std::string> modes;
  for (const auto& [mode, operations] : spec.operations)
    if (std::any_of(operations.begin(), operations.end(),
                    [&](const OperationSpec& o) { return fits_object(spec, o, asked.object); }))
      modes.push_back(mode);
  throw Error("destination.unsupported", fmt::format("{} cannot {} {}", spec.title, name, asked.object),
              "possible: " + join(modes, ", "));
}

const LookupSpec* choose_lookup(const Spec& spec, Session& session, const Asked& asked, bool for_branch,
                                Type& type) {
  if (asked.keys.size() != 1) return nullptr;
  for (const LookupSpec& lookup : spec.lookups) {
    if (!fits_object(spec, lookup, asked.object) || !fits_one_key(lookup, asked.keys.front()) ||
        (lookup.lags && !for_branch))
      continue;
    if (!lookup.known_keys || is_known_key(spec, session, asked.object, asked.keys.front(), &type))
      return &lookup;
    // Sync asks for one way of reading; only a branch has another.
    if (!for_branch) return nullptr;
  }
  return nullptr;
}

}  // namespace eddy::connectors
