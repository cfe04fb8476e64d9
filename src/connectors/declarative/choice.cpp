#include "connectors/declarative/choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

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
  const ObjectSpec* known = find_object(spec, object);
  // What is written like no other must be named.
  if (request.objects.empty()) return known == nullptr || !known->fixed;
  return has(request.objects, object) || (known != nullptr && has(request.objects, known->name));
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

const std::optional<sync::ObjectSchema>& described(const Spec& spec, Session& session, Asked& asked) {
  if (!asked.described) asked.described = discover_own(spec, session, asked.object);
  return *asked.described;
}

// A field of which the connector or the service says that it identifies one record.
bool is_known_key(const Spec& spec, Session& session, Asked& asked, Type* type) {
  const std::string& key = asked.keys.front();
  const ObjectSpec* known = find_object(spec, asked.object);
  if (known != nullptr)
    for (const FieldSpec& field : known->fields)
      if (field.name == key && field.key && (!field.unique || type == nullptr)) return field.unique;
  const auto& schema = described(spec, session, asked);
  if (!schema) return false;
  for (const sync::FieldSchema& field : schema->fields)
    if (field.name == key && field.key && field.unique) {
      if (type != nullptr) *type = field.type;
      return true;
    }
  return false;
}

std::string asked_way(Session& session) {
  const std::string way = session.settings().get("write_by").value_or("auto");
  return way == "auto" ? "" : way;
}

void check_way(const Spec& spec, Session& session) {
  const std::string way = asked_way(session);
  if (way.empty()) return;
  std::set<std::string> ways;
  for (const auto& [name, operations] : spec.operations)
    for (const OperationSpec& operation : operations)
      if (!operation.way.empty()) ways.insert(operation.way);
  if (ways.contains(way)) return;
  throw Error("destination.settings", fmt::format("{} cannot write by `{}`", spec.title, way),
              fmt::format("write_by: auto, {}", fmt::join(ways, ", ")));
}

// `fitting` is not empty. One that is nobody's way is always possible; so is everything, before it is refused
// for a way that it has not.
const OperationSpec& choose_way(const std::vector<const OperationSpec*>& fitting, Session& session,
                                std::uint64_t rows) {
  const std::string way = asked_way(session);
  for (const OperationSpec* operation : fitting)
    if (!way.empty() && operation->way == way) return *operation;
  const OperationSpec* job = nullptr;
  for (const OperationSpec* operation : fitting) {
    const std::string least = operation->rows_min.text(session.lookup()).value_or("");
    const auto rows_min = as_number(trim(least));
    if (!operation->rows_min.empty() && !rows_min)
      throw Error("destination.settings", fmt::format("`{}` is not a number of rows", least),
                  fmt::format("give a whole number for {}", operation->rows_min.source()));
    const bool enough = !rows_min || static_cast<double>(rows) >= *rows_min;
    if (!enough) {
      if (job == nullptr && operation->job) job = operation;
      continue;
    }
    if (job == nullptr || operation->job || rows == 0) return *operation;
    const auto left = session.calls_left();
    const std::uint64_t requests = [&] {
      const std::uint64_t at_once = operation->rows_max * (operation->pack ? operation->pack->most : 1);
      return (rows + at_once - 1) / at_once;
    }();
    return left && static_cast<std::int64_t>(requests) > *left ? *job : *operation;
  }
  return *fitting.front();
}

std::string possible(const OperationSpec& operation) {
  return operation.keys_all.empty() ? join(operation.keys, ", ") : join(operation.keys_all, " with ");
}

// Discovery has been asked, and does not call the key one.
[[noreturn]] void refuse_key(const Spec& spec, const Asked& asked) {
  if (!*asked.described)
    throw Error("destination.no_such_object", fmt::format("{} has no object `{}`", spec.title, asked.object),
                "`eddy connectors` with the connector's name lists them");
  std::vector<std::string> keys;
  for (const sync::FieldSchema& field : (*asked.described)->fields)
    if (field.key && field.unique) keys.push_back(field.name);
  throw Error("destination.unsupported",
              fmt::format("{} does not match {} by {}, which is no key there; nothing was sent", spec.title,
                          asked.object, asked.keys.front()),
              keys.empty() ? fmt::format("no field of {} identifies its records yet: make one", asked.object)
                           : fmt::format("fields that identify one: {}", join(keys, ", ")));
}

}  // namespace

const OperationSpec& choose_operation(const Spec& spec, Session& session, const std::string& name,
                                      Asked& asked) {
  const auto found = spec.operations.find(name);
  std::vector<std::string> keys;
  bool object_fits = false;
  check_way(spec, session);
  std::vector<const OperationSpec*> fitting;
  std::optional<bool> known_key;
  if (found != spec.operations.end()) {
    for (const OperationSpec& operation : found->second) {
      if (!fits_object(spec, operation, asked.object) || (asked.no_jobs && operation.job)) continue;
      object_fits = true;
      const auto known = [&] {
        if (!known_key) known_key = is_known_key(spec, session, asked, nullptr);
        return *known_key;
      };
      if (fits_key(operation, asked.keys) && (!operation.known_keys || known()))
        fitting.push_back(&operation);
      if (const std::string some = possible(operation); !some.empty()) keys.push_back(some);
    }
  }
  if (!fitting.empty()) return choose_way(fitting, session, asked.rows);
  if (known_key == false) refuse_key(spec, asked);
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

const LookupSpec* choose_lookup(const Spec& spec, Session& session, Asked& asked, bool for_branch,
                                Type& type) {
  if (asked.keys.size() != 1) return nullptr;
  for (const LookupSpec& lookup : spec.lookups) {
    if (!fits_object(spec, lookup, asked.object) || !fits_one_key(lookup, asked.keys.front()) ||
        (lookup.lags.count() > 0 && !for_branch))
      continue;
    if (!lookup.known_keys || is_known_key(spec, session, asked, &type)) return &lookup;
  }
  return nullptr;
}

}  // namespace eddy::connectors
