#include "sandbox/hubspot/objects.h"

#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace eddy::sandbox::hubspot {
namespace {

bool is_number(const std::string& text) {
  double number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  // Recorded: numbers in scientific notation are refused.
  return ec == std::errc{} && end == text.data() + text.size() && std::isfinite(number) &&
         text.find_first_of("eE") == std::string::npos;
}

bool is_moment(const std::string& text) {
  if (!text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return true;
  try {
    parse_utc(text);
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool has_option(const Property& property, const std::string& value) {
  return std::ranges::any_of(property.options, [&](const Option& option) { return option.value == value; });
}

std::string option_list(const Property& property) {
  std::vector<std::string> values;
  for (const Option& option : property.options) values.push_back(option.value);
  return "[" + join(values, ", ") + "]";
}

}  // namespace

std::string hubspot_time(Clock::WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  std::string text = format_utc(whole);
  text.pop_back();
  return fmt::format("{}.{:03}Z", text, std::chrono::floor<std::chrono::milliseconds>(time - whole).count());
}

Problem not_found(const ObjectType& type, const std::string& id) {
  return {.status = 404,
          .category = "OBJECT_NOT_FOUND",
          .message = fmt::format(
              "Could not get some {} objects, they may be deleted or not exist. Check that ids are valid.",
              type.singular),
          .context = {{"ids", {id}}}};
}

Objects::Objects(Store& store, Clock& clock) : store_(store), clock_(clock) {
  for (const ObjectType& type : standard_types()) {
    store_.declare(type.name, {{"email", true}, {"external_id", false}, {"domain", true}});
    store_.declare(definitions_table(type), {});
  }
  reset();
}

void Objects::reset() {
  for (const ObjectType& type : standard_types())
    for (const Property& property : standard_properties(type)) add_property(type, property);
  add_type(example_type(), example_properties());
}

std::vector<const ObjectType*> Objects::types() {
  std::vector<const ObjectType*> all;
  for (const ObjectType& type : standard_types()) all.push_back(&type);
  for (const auto& [place, record] : store_.table("_schemas").records()) all.push_back(type(record.id));
  return all;
}

const ObjectType* Objects::type(std::string_view name) {
  for (const ObjectType& type : standard_types())
    if (type.name == name || type.id == name || lower(type.singular) == lower(name)) return &type;
  for (const auto& [place, record] : store_.table("_schemas").records()) {
    const ObjectType known = unpack_type(record.fields);
    if (known.id != name && known.name != name && known.full_name != name && "p_" + known.name != name)
      continue;
    for (const ObjectType& met : custom_)
      if (met.id == known.id) return &met;
    return &custom_.emplace_back(known);
  }
  return nullptr;
}

const ObjectType& Objects::add_type(ObjectType type, const std::vector<Property>& own) {
  if (type.id.empty()) type.id = fmt::format("2-{}", 4'242'100 + store_.next_number());
  type.full_name = "p4242_" + type.name;
  store_.table("_schemas").add(type.id, pack(type), clock_.now());
  for (const Property& property : own) add_property(type, property);
  for (const Property& property : common_properties(type)) add_property(type, property);
  return *this->type(type.id);
}

void Objects::remove_type(const ObjectType& type) {
  store_.table("_schemas").remove(type.id);
  Table& definitions = store_.table(definitions_table(type));
  std::vector<std::string> names;
  for (const auto& [place, record] : definitions.records()) names.push_back(record.id);
  for (const std::string& name : names) definitions.remove(name);
  known_.clear();
}

std::vector<Property> Objects::properties(const ObjectType& type) {
  std::vector<Property> all;
  for (const auto& [place, record] : store_.table(definitions_table(type)).records())
    all.push_back(unpack(record.fields));
  return all;
}

const std::map<std::string, Property>& Objects::known_properties(const ObjectType& type) {
  auto& known = known_[type.name];
  if (known.empty())
    for (Property& one : properties(type)) known.emplace(one.name, one);
  return known;
}

const Property* Objects::property(const ObjectType& type, const std::string& name) {
  const auto& known = known_properties(type);
  const auto at = known.find(name);
  return at == known.end() ? nullptr : &at->second;
}

void Objects::add_property(const ObjectType& type, const Property& property) {
  store_.table(definitions_table(type)).add(property.name, pack(property), clock_.now());
  known_.clear();
}

bool Objects::remove_property(const ObjectType& type, const std::string& name) {
  const Property* known = property(type, name);
  if (known == nullptr || !known->custom) return false;
  known_.clear();
  return store_.table(definitions_table(type)).remove(name);
}

// The message of what is wrong with the value, and its code; "" when it is taken (and brought into canonical
// form).
std::string Objects::check_value(const Property& property, std::string& value, std::string& code) const {
  if (property.read_only) {
    code = "READ_ONLY_VALUE";
    return fmt::format("\"{}\" is a read only property; its value cannot be set.", property.name);
  }
  if (value.empty()) return {};  // clears
  if (property.name == "email") {
    value = lower(trim(value));
    code = "INVALID_EMAIL";
    return looks_like_email(value) ? "" : fmt::format("Email address {} is invalid", value);
  }
  if (property.type == "number") {
    code = "INVALID_INTEGER";
    return is_number(value) ? "" : fmt::format("{} was not a valid number.", value);
  }
  if (property.type == "date" || property.type == "datetime") {
    code = "INVALID_LONG";
    return is_moment(value) ? "" : fmt::format("{} was not a valid long.", value);
  }
  code = "INVALID_OPTION";
  if (property.type == "bool")
    return value == "true" || value == "false"
               ? ""
               : fmt::format("{} was not one of the allowed options: [true, false]", value);
  if (property.type == "enumeration") {
    const auto chosen = property.field_type == "checkbox" ? split(value, ';') : std::vector{value};
    for (const std::string& option : chosen)
      if (!option.empty() && !has_option(property, option))
        return fmt::format("{} was not one of the allowed options: {}", option, option_list(property));
  }
  return {};
}

std::optional<Problem> Objects::take_properties(const ObjectType& type, const Json& given, Json& taken) {
  Problem problem{.category = "VALIDATION_ERROR", .message = {}};
  Json validation = Json::array();
  const auto refuse = [&](const std::string& name, const std::string& message, const std::string& code) {
    validation.push_back({{"isValid", false}, {"message", message}, {"error", code}, {"name", name}});
    problem.errors.push_back({{"message", message}, {"code", code}, {"context", {{"propertyName", {name}}}}});
    problem.context["propertyName"].push_back(name);
  };
  if (!given.is_object() && !given.is_null())
    return Problem{.category = "VALIDATION_ERROR", .message = "Invalid input JSON: properties is an object"};
  for (const auto& [name, value] : given.items()) {
    const Property* known = property(type, name);
    if (known == nullptr) {
      refuse(name, fmt::format("Property \"{}\" does not exist", name), "PROPERTY_DOESNT_EXIST");
      continue;
    }
    if (value.is_structured())
      return Problem{.category = "VALIDATION_ERROR",
                     .message = "Invalid input JSON: the value of " + name + " is not a string"};
    std::string text = text_of(value), code;
    const std::string wrong = check_value(*known, text, code);
    if (wrong.empty())
      taken[name] = text;
    else
      refuse(name, wrong, code);
  }
  if (problem.errors.empty()) return std::nullopt;
  problem.message =
      "Property values were not valid: " + validation.dump(-1, ' ', false, Json::error_handler_t::replace);
  return problem;
}

std::optional<Problem> Objects::find(const ObjectType& type, const std::string& id,
                                     const std::string& id_property, Record*& found) {
  found = nullptr;
  if (id_property.empty() || id_property == "hs_object_id") {
    found = table(type).by_id(id);
    return std::nullopt;
  }
  const Property* known = property(type, id_property);
  if (known == nullptr)
    return Problem{.category = "VALIDATION_ERROR",
                   .message = fmt::format("Property \"{}\" does not exist", id_property)};
  const bool identifies = known->unique || (type.name == "contacts" && id_property == "email");
  if (!identifies)
    return Problem{
        .category = "VALIDATION_ERROR",
        .message = fmt::format("Property \"{}\" is not a unique identifier of {}", id_property, type.name)};
  found = table(type).first(id_property, id_property == "email" ? lower(trim(id)) : id);
  return std::nullopt;
}

Record* Objects::holder_of_email(const ObjectType& type, const std::string& email) {
  return type.name == "contacts" && !email.empty() ? table(type).first("email", email) : nullptr;
}

Record& Objects::write(Draft& draft) {
  Json values = draft.properties;
  for (auto& [name, value] : values.items())
    if (value == "") value = nullptr;
  if (draft.record == nullptr)
    return table(*draft.type).add(std::to_string(100 + store_.next_number()), values, clock_.now());
  table(*draft.type).change(*draft.record, values, clock_.now());
  return *draft.record;
}

std::optional<Problem> Objects::missing_properties(const Draft& draft) const {
  std::vector<std::string> missing;
  for (const std::string& name : draft.type->required)
    if (text_of(draft.properties.value(name, Json())).empty()) missing.push_back(name);
  if (missing.empty()) return std::nullopt;
  return Problem{.category = "VALIDATION_ERROR",
                 .message = fmt::format("Error creating {}. Some required properties were not set.",
                                        draft.type->singular),
                 .context = {{"properties", missing}}};
}

bool Objects::archive(const ObjectType& type, const std::string& id) {
  const Record* record = table(type).by_id(id);
  if (record == nullptr) return false;
  archived(type).add(id, record->fields, clock_.now());
  return table(type).remove(id, clock_.now());
}

Json Objects::read(const ObjectType& type, const Record& record, const std::vector<std::string>& names,
                   bool is_archived) const {
  Json properties = Json::object();
  for (const std::string& name : names) {
    const auto value = record.fields.find(name);
    properties[name] = value == record.fields.end() ? Json(nullptr) : *value;
  }
  properties["hs_object_id"] = record.id;
  properties["createdate"] = hubspot_time(record.created);
  properties[type.modified] = hubspot_time(record.updated);
  Json out = {{"id", record.id},
              {"properties", properties},
              {"createdAt", hubspot_time(record.created)},
              {"updatedAt", hubspot_time(record.updated)},
              {"archived", is_archived}};
  if (is_archived) out["archivedAt"] = hubspot_time(record.updated);
  return out;
}

}  // namespace eddy::sandbox::hubspot
