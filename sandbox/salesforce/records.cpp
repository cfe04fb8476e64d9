#include "sandbox/salesforce/records.h"

#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace eddy::sandbox::salesforce {
namespace {

bool is_time(const std::string& text) {
  try {
    std::string plain = text;
    // "+0000" and "+00:00" are what the service itself writes; parse_utc wants a Z.
    if (const std::size_t zone = plain.find_last_of('+'); zone != std::string::npos && zone > 10)
      plain = plain.substr(0, zone) + "Z";
    parse_utc(plain);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::optional<double> to_number(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const std::string text = trim(value.get<std::string>());
  double number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

RowError wrong_type(const Field& field, const Json& value, bool text_cells) {
  const std::string shown_value = text_of(value);
  if (text_cells)
    return {"INVALID_TYPE_ON_FIELD_IN_RECORD",
            fmt::format("{}: value not of required type: {}", field.label, shown_value),
            {field.name}};
  const std::string type = field.is_number() ? (field.type == "int" ? "int" : "double") : field.type;
  return {"JSON_PARSER_ERROR",
          fmt::format(
              "Cannot deserialize instance of {} from {} value {} or request may be missing a required field",
              type, value.is_string() ? "VALUE_STRING" : "START_OBJECT", shown_value)};
}

}  // namespace

std::string salesforce_time(Clock::WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time - whole).count();
  std::string text = format_utc(whole);
  text.pop_back();
  return fmt::format("{}.{:03}+0000", text, milliseconds);
}

Json error_json(const RowError& error) {
  return {{"statusCode", error.code}, {"message", error.message}, {"fields", error.fields}};
}

Json result_json(const RowResult& result, bool with_created) {
  Json errors = Json::array();
  for (const RowError& error : result.errors) errors.push_back(error_json(error));
  Json out = {{"success", result.success}, {"errors", errors}};
  if (result.success) {
    out["id"] = result.id;
    if (with_created) out["created"] = result.created;
  }
  return out;
}

Records::Records(Store& store, Clock& clock) : store_(store), clock_(clock) {
  for (const Object& object : objects())
    store_.declare(object.name,
                   {{"External_Id__c", true}, {"Number__c", true}, {"Email", true}, {"Name", true}});
}

Record* Records::find(const Object& object, const std::string& id) {
  return store_.table(object.name).by_id(full_id(id));
}

Draft Records::draft(Operation operation, const Object& object, const Json& fields, const std::string& key,
                     bool text_cells) {
  Draft draft{.object = &object};
  for (const auto& [name, value] : fields.items()) {
    if (name == "attributes" || lower(name) == "id") continue;
    if (const Field* parent = value.is_object() ? find_relationship(object, name) : nullptr) {
      resolve_parent(draft, *parent, value);
      continue;
    }
    const Field* field = find_field(object, name);
    if (field == nullptr) {
      draft.request_error = {"INVALID_FIELD",
                             fmt::format("No such column '{}' on sobject of type {}", name, object.name)};
      return draft;
    }
    check_value(draft, *field, value, text_cells);
    if (draft.request_error) return draft;
  }
  find_target(draft, operation, fields, key);
  if (!draft.errors.empty() && draft.matches.size() > 1) return draft;
  RowError missing{"REQUIRED_FIELD_MISSING", "Required fields are missing: ["};
  for (const Field& field : object.fields) {
    if (!field.required()) continue;
    const auto value = draft.values.find(field.name);
    const bool given = value != draft.values.end();
    const bool empty = given ? value->is_null() : operation != Operation::update && draft.record == nullptr;
    if (empty) missing.fields.push_back(field.name);
  }
  check_unique(draft);
  if (!missing.fields.empty()) {
    missing.message += join(missing.fields, ", ") + "]";
    draft.errors.push_back(std::move(missing));
  }
  return draft;
}

void Records::check_unique(Draft& draft) const {
  for (const Field& field : draft.object->fields) {
    const auto value = field.unique ? draft.values.find(field.name) : draft.values.end();
    if (value == draft.values.end() || value->is_null()) continue;
    for (const Record* holder : store_.table(draft.object->name).find(field.name, text_of(*value)))
      if (holder != draft.record && draft.matches.empty())
        draft.errors.push_back(
            {"DUPLICATE_VALUE",
             fmt::format("duplicate value found: {} duplicates value on record with id: {}", field.name,
                         holder->id),
             {}});
  }
}

void Records::check_value(Draft& draft, const Field& field, const Json& value, bool text_cells) {
  if (!field.writable) {
    draft.errors.push_back(
        {"INVALID_FIELD_FOR_INSERT_UPDATE",
         fmt::format("Unable to create/update fields: {}. Please check the security settings of "
                     "this field and verify that it is read/write for your profile or permission set.",
                     field.name),
         {field.name}});
    return;
  }
  const auto refuse_type = [&] {
    RowError error = wrong_type(field, value, text_cells);
    if (text_cells)
      draft.errors.push_back(std::move(error));
    else
      draft.request_error = std::move(error);
  };
  if (field.type == "boolean") {
    const std::string text = lower(text_of(value));
    if (value.is_boolean() || text == "true" || text == "false" ||
        (text_cells && (text == "1" || text == "0")))
      draft.values[field.name] = text == "true" || text == "1";
    else
      refuse_type();
    return;
  }
  if (value.is_null() || (value.is_string() && trim(value.get<std::string>()).empty())) {
    draft.values[field.name] = nullptr;
    return;
  }
  if (value.is_structured()) return refuse_type();
  if (field.is_number()) {
    const auto number = to_number(value);
    if (!number || (field.type == "int" && *number != std::floor(*number))) return refuse_type();
    if (std::abs(*number) >= std::pow(10.0, field.precision - field.scale)) {
      draft.errors.push_back(
          {"NUMBER_OUTSIDE_VALID_RANGE",
           fmt::format("{}: value outside of valid range on numeric field: {}", field.label, text_of(value)),
           {field.name}});
      return;
    }
    const double unit = std::pow(10.0, field.scale);
    const double rounded = std::round(*number * unit) / unit;
    if (field.scale == 0 && std::abs(rounded) < 9e15)
      draft.values[field.name] = static_cast<std::int64_t>(rounded);
    else
      draft.values[field.name] = rounded;
    return;
  }
  const std::string text = trim(text_of(value));
  if ((field.type == "date" && (text.size() < 10 || !is_time(text.substr(0, 10)))) ||
      (field.type == "datetime" && !is_time(text)))
    return refuse_type();
  if (field.type == "email" && !looks_like_email(text)) {
    draft.errors.push_back({"INVALID_EMAIL_ADDRESS",
                            fmt::format("{}: invalid email address: {}", field.label, text),
                            {field.name}});
  } else if (field.length > 0 && characters(text) > static_cast<std::size_t>(field.length)) {
    draft.errors.push_back(
        {"STRING_TOO_LONG",
         fmt::format("{}: data value too large: {} (max length={})", field.label, text, field.length),
         {field.name}});
  } else if (field.restricted && std::ranges::find(field.options, text) == field.options.end()) {
    draft.errors.push_back({"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                            fmt::format("{}: bad value for restricted picklist field: {}", field.label, text),
                            {field.name}});
  } else if (field.type == "reference" && !is_id(text)) {
    draft.errors.push_back(
        {"MALFORMED_ID", fmt::format("{}: id value of incorrect type: {}", field.label, text), {field.name}});
  } else if (field.type == "reference" && find(*find_object(field.reference_to), text) == nullptr) {
    draft.errors.push_back({"INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", {}});
  } else {
    draft.values[field.name] = text;
  }
}

void Records::resolve_parent(Draft& draft, const Field& field, const Json& parent) {
  const Object& target = *find_object(field.reference_to);
  for (const auto& [name, value] : parent.items()) {
    if (name == "attributes") continue;
    const Field* key = find_field(target, name);
    if (key == nullptr || !(key->external_id || key->id_lookup)) {
      draft.request_error = {"INVALID_FIELD",
                             fmt::format("{} is not an External ID field of {}", name, target.name)};
      return;
    }
    const auto found = store_.table(target.name).find(key->name, text_of(value));
    if (found.size() == 1) {
      draft.values[field.name] = found.front()->id;
    } else {
      draft.errors.push_back({"INVALID_FIELD",
                              fmt::format("Foreign key external ID: {} not found for field {} in entity {}",
                                          lower(text_of(value)), key->name, target.name),
                              {}});
    }
    return;
  }
}

void Records::find_target(Draft& draft, Operation operation, const Json& fields, const std::string& key) {
  const Object& object = *draft.object;
  std::string id;
  for (const auto& [name, value] : fields.items())
    if (lower(name) == "id") id = text_of(value);
  if (operation != Operation::update && !id.empty() && lower(key) != "id") {
    draft.errors.push_back(
        {operation == Operation::insert ? "INVALID_FIELD_FOR_INSERT_UPDATE" : "INVALID_FIELD",
         operation == Operation::insert ? "cannot specify Id in an insert call"
                                        : "The Id field should not be specified in the sobject data.",
         {"Id"}});
    return;
  }
  if (operation == Operation::insert) return;
  if (operation == Operation::update || lower(key) == "id") {
    if (id.empty() && operation == Operation::upsert) return;  // an upsert by Id without one creates
    if (id.empty())
      draft.errors.push_back({"MISSING_ARGUMENT", "Id not specified in an update call", {}});
    else if (!is_id(id))
      draft.errors.push_back(
          {"MALFORMED_ID", fmt::format("{} ID: id value of incorrect type: {}", object.name, id), {"Id"}});
    else if ((draft.record = find(object, id)) == nullptr)
      draft.errors.push_back({"INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", {}});
    return;
  }
  const auto value = draft.values.find(key);
  if (value == draft.values.end() || value->is_null()) {
    if (draft.errors.empty()) draft.errors.push_back({"MISSING_ARGUMENT", key + " not specified", {}});
    return;
  }
  const auto found = store_.table(object.name).find(key, text_of(*value));
  for (const Record* record : found) draft.matches.push_back(record->id);
  if (found.size() == 1) draft.record = found.front();
  if (found.size() > 1)
    draft.errors.push_back({"DUPLICATE_EXTERNAL_ID",
                            fmt::format("{}: more than one record found for external id field: [{}]", key,
                                        join(draft.matches, ", ")),
                            {key}});
}

void Records::refuse_duplicate_keys(std::vector<Draft>& drafts, const std::string& key) const {
  std::map<std::string, std::vector<Draft*>> by_key;
  for (Draft& draft : drafts)
    if (const auto value = draft.values.find(key); value != draft.values.end() && !value->is_null())
      by_key[lower(text_of(*value))].push_back(&draft);
  for (const auto& [value, same] : by_key) {
    if (same.size() < 2) continue;
    for (Draft* draft : same)
      draft->errors = {
          {"DUPLICATE_VALUE", "Duplicate external id specified: " + text_of(draft->values.at(key)), {key}}};
  }
}

RowResult Records::write(Draft& draft) {
  if (!draft.ok()) return {.errors = draft.errors};
  Table& table = store_.table(draft.object->name);
  if (draft.record != nullptr) {
    table.change(*draft.record, draft.values, clock_.now());
    return {.success = true, .id = draft.record->id};
  }
  for (const Field& field : draft.object->fields)
    if (field.type == "boolean" && field.writable && !draft.values.contains(field.name))
      draft.values[field.name] = false;
  const Record& record =
      table.add(make_id(draft.object->key_prefix, store_.next_number()), draft.values, clock_.now());
  return {.success = true, .id = record.id, .created = true};
}

RowResult Records::remove(const std::string& id, bool for_good) {
  if (!is_id(id)) return {.errors = {{"MALFORMED_ID", "malformed id " + id, {}}}};
  const std::string full = full_id(id);
  for (const Object& object : objects()) {
    const Record* record = full.starts_with(object.key_prefix) ? find(object, full) : nullptr;
    if (record == nullptr) continue;
    if (!for_good)
      store_.table("_deleted").add(full, {{"object", object.name}, {"fields", record->fields}}, clock_.now());
    store_.table(object.name).remove(full);
    return {.success = true, .id = full};
  }
  if (store_.table("_deleted").by_id(full) != nullptr)
    return {.errors = {{"ENTITY_IS_DELETED", "entity is deleted", {}}}};
  return {.errors = {{"INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", {}}}};
}

Json Records::field_value(const Object& object, const Record& record, const Field& field) const {
  if (field.name == "Id") return record.id;
  if (field.name == "IsDeleted") return false;
  if (field.name == "CreatedDate") return salesforce_time(record.created);
  if (field.name == "LastModifiedDate" || field.name == "SystemModstamp")
    return salesforce_time(record.updated);
  if (field.name == "Name" && object.is_person())
    return trim(text_of(record.fields.value("FirstName", Json())) + " " +
                text_of(record.fields.value("LastName", Json())));
  if (const auto value = record.fields.find(field.name); value != record.fields.end()) return *value;
  return field.type == "boolean" ? Json(false) : Json(nullptr);
}

Json Records::read(const Object& object, const Record& record) const {
  Json out = Json::object();
  for (const Field& field : object.fields) out[field.name] = field_value(object, record, field);
  return out;
}

}  // namespace eddy::sandbox::salesforce
