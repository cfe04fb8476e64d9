#include "sync/schema_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "sync/field_checks.h"
#include "sync/remote.h"

namespace eddy::sync {
namespace {

// A dot goes into an object: `address.city` is a part of `address`.
bool is_of(const std::string& mapped, const std::string& field) {
  return mapped == field || mapped.starts_with(field + ".");
}

const FieldSchema* find_field(const ObjectSchema& object, const std::string& mapped) {
  const auto found = std::find_if(object.fields.begin(), object.fields.end(),
                                  [&](const FieldSchema& field) { return is_of(mapped, field.name); });
  return found == object.fields.end() ? nullptr : &*found;
}

std::string place(const SyncSpec& spec, const ObjectSchema& object) {
  return fmt::format("{} at {}", object.name, spec.destination);
}

// A list that a person can read: the first of many.
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t shown_max = 20;
  if (names.size() <= shown_max) return join(names, ", ");
  return fmt::format("{} and {} more", join(std::span(names).first(shown_max), ", "),
                     names.size() - shown_max);
}

void check_field(const SyncSpec& spec, const Mapping& mapping, const ObjectSchema& object, bool is_key,
                 Diagnostics& diagnostics) {
  if (const FieldSchema* field = find_field(object, mapping.field)) {
    if (!field->writable && !is_key)  // a key may be read-only: it finds the record
      diagnostics.add(mapping.name_node.complaint(
          "sync.read_only_field",
          fmt::format("`{}` of {} cannot be written", mapping.field, place(spec, object)), "leave it out"));
    return;
  }
  if (object.open) return;
  std::vector<std::string> names;
  for (const FieldSchema& field : object.fields)
    if (field.writable) names.push_back(field.name);
  std::string hint = did_you_mean_hint(mapping.field, names);
  if (hint.empty()) hint = "fields there: " + some_of(names);
  diagnostics.add(mapping.name_node.complaint(
      "sync.unknown_field", fmt::format("{} has no field `{}`", place(spec, object), mapping.field), hint));
}

// An upsert by what is not unique finds several records, or makes a second one.
void check_key(const SyncSpec& spec, const ObjectSchema& object, Diagnostics& diagnostics) {
  if (spec.mode != Mode::upsert || spec.key.size() != 1 || object.open) return;
  const FieldSchema* field = find_field(object, spec.key.front().field);
  if (field == nullptr || field->key) return;
  std::vector<std::string> keys;
  for (const FieldSchema& f : object.fields)
    if (f.key) keys.push_back(f.name);
  if (keys.empty()) return;  // it does not tell which fields are keys
  diagnostics.add(spec.key.front().name_node.complaint(
      "sync.not_a_key",
      fmt::format("`{}` does not identify a record of {}", field->name, place(spec, object)),
      "fields that do: " + some_of(keys)));
}

void check_required(const SyncSpec& spec, const ObjectSchema& object, Diagnostics& diagnostics) {
  if (spec.mode == Mode::update) return;
  const auto mapped = [&](const std::string& name) {
    const auto is = [&](const Mapping& mapping) { return is_of(mapping.field, name); };
    return std::any_of(spec.key.begin(), spec.key.end(), is) ||
           std::any_of(spec.fields.begin(), spec.fields.end(), is);
  };
  for (const FieldSchema& field : object.fields)
    if (field.required && field.writable && !mapped(field.name))
      diagnostics.add(
          (spec.node["fields"].exists() ? spec.node["fields"] : spec.node)
              .complaint("sync.required_field",
                         fmt::format("{} needs `{}` to make a record", place(spec, object), field.name),
                         "map it, or use `mode: update`, which never makes records"));
}

const BoundColumn* bound(const std::vector<BoundColumn>& columns, const std::string& field) {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const BoundColumn& column) { return column.field == field; });
  return found == columns.end() ? nullptr : &*found;
}

// Whether values of one type can be right for a field of another. In doubt they can: numbers stand for
// booleans and for times in many systems, and texts for all.
bool can_fit(Type value, Type field) {
  const auto is = [](Type type, std::initializer_list<Type> types) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  const bool time = is(value, {Type::date, Type::timestamp});
  switch (field) {
    case Type::boolean:
      return !time && !is(value, {Type::json, Type::blob});
    case Type::integer:
      return !time && !is(value, {Type::json, Type::blob});
    case Type::real:
    case Type::decimal:
      return !time && !is(value, {Type::json, Type::blob, Type::boolean});
    case Type::date:
    case Type::timestamp:
      return !is(value, {Type::json, Type::blob, Type::boolean, Type::real, Type::decimal});
    default:
      return true;
  }
}

}  // namespace

void check_fields(const SyncSpec& spec, const ObjectSchema& object, Diagnostics& diagnostics) {
  for (const Mapping& mapping : spec.key) check_field(spec, mapping, object, true, diagnostics);
  check_key(spec, object, diagnostics);
  for (const Mapping& mapping : spec.fields) check_field(spec, mapping, object, false, diagnostics);
  for (const Mapping& mapping : spec.removed_values) check_field(spec, mapping, object, false, diagnostics);
  check_required(spec, object, diagnostics);
}

void check_lookups(const SyncSpec& spec, Destination& destination, Diagnostics& diagnostics) {
  for (const Mapping& mapping : spec.fields) {
    if (!mapping.lookup) continue;
    const config::Node node = spec.node["fields"][mapping.field]["lookup"];
    const std::optional<ObjectSchema> object = destination.describe(mapping.lookup->object);
    if (!object) {
      const std::vector<std::string> known = destination.objects();
      const std::string hint = did_you_mean_hint(mapping.lookup->object, known);
      diagnostics.add(node["object"].complaint(
          "sync.unknown_object",
          fmt::format("{} has no object `{}`", spec.destination, mapping.lookup->object),
          hint.empty() ? "objects there: " + some_of(known) : hint));
      continue;
    }
    if (object->open || find_field(*object, mapping.lookup->by) != nullptr) continue;
    std::vector<std::string> names;
    for (const FieldSchema& field : object->fields) names.push_back(field.name);
    const std::string hint = did_you_mean_hint(mapping.lookup->by, names);
    diagnostics.add(node["by"].complaint(
        "sync.unknown_field", fmt::format("{} has no field `{}`", place(spec, *object), mapping.lookup->by),
        hint.empty() ? "fields there: " + some_of(names) : hint));
  }
}

void check_types(const SyncSpec& spec, const Definition& definition, const ObjectSchema& object,
                 Diagnostics& diagnostics) {
  const auto check = [&](const std::vector<Mapping>& mappings, const std::vector<BoundColumn>& columns) {
    for (const Mapping& mapping : mappings) {
      const BoundColumn* column = bound(columns, mapping.field);
      const FieldSchema* field = find_field(object, mapping.field);
      if (column == nullptr || field == nullptr || mapping.lookup || field->name != mapping.field) continue;
      if (can_fit(column->type, field->type)) continue;
      diagnostics.add(mapping.node.complaint(
          "sync.type_mismatch",
          fmt::format("`{}` of {} is {} {}{}, and the expression gives {}", mapping.field,
                      place(spec, object), field->type == Type::integer ? "an" : "a", name_of(field->type),
                      field->native_type.empty() || field->native_type == name_of(field->type)
                          ? ""
                          : fmt::format(" ({})", field->native_type),
                      column->engine_type),
          "map another column, or cast it to what the field takes"));
    }
  };
  check(spec.key, definition.key);
  check(spec.fields, definition.fields);
  check(spec.removed_values, definition.removed_values);
}

namespace {

std::optional<ObjectSchema> check_once(const SyncSpec& spec, Destination& destination,
                                       Diagnostics& diagnostics) {
  std::optional<ObjectSchema> object = destination.describe(spec.object);
  if (object) {
    check_fields(spec, *object, diagnostics);
  } else if (!destination.checked_by_open(spec.options)) {
    const std::vector<std::string> known = destination.objects();
    std::string hint = did_you_mean_hint(spec.object, known);
    if (hint.empty())
      hint = known.empty() ? "check its name at the destination" : "objects there: " + some_of(known);
    diagnostics.add(spec.node["object"].complaint(
        "sync.unknown_object", fmt::format("{} has no object `{}`", spec.destination, spec.object), hint));
  }
  return object;
}

}  // namespace

std::optional<ObjectSchema> check_mapping(const SyncSpec& spec, Destination& destination,
                                          Diagnostics& diagnostics) {
  Diagnostics found;
  std::optional<ObjectSchema> object = check_once(spec, destination, found);
  if (!found.empty() && destination.ask_anew()) {
    found = {};
    object = check_once(spec, destination, found);
  }
  for (const Diagnostic& d : found.list()) diagnostics.add(d);
  return object;
}

std::optional<ObjectSchema> check_mapping(const SyncSpec& spec, Destination& destination) {
  Diagnostics diagnostics;
  std::optional<ObjectSchema> object = check_mapping(spec, destination, diagnostics);
  diagnostics.throw_if_any();
  return object;
}

namespace {

std::string rows_text(std::uint64_t rows) {
  return rows == 1 ? "1 row has" : fmt::format("{} rows have", with_commas(rows));
}

// "Prospect (300), Unknown (12) and 3 more"
std::string values_text(engine::Connection& connection, const std::string& rows, const FieldRule& rule,
                        std::vector<std::string>& values) {
  constexpr std::size_t shown_max = 5;
  std::vector<std::string> parts;
  std::size_t more = 0;
  for (const Row& row :
       connection
           .query(fmt::format("select cast({0} as varchar), count(*) from {1} as r where {2} group "
                              "by 1 order by 2 desc, 1 limit 1000",
                              rule.cell, rows, rule.broken))
           .rows()) {
    values.push_back(row[0].to_text());
    if (parts.size() < shown_max)
      parts.push_back(fmt::format("`{}` ({})", row[0].to_text(),
                                  with_commas(static_cast<std::uint64_t>(row[1].as_integer()))));
    else
      ++more;
  }
  return join(parts, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
}

std::string option_hint(const FieldSchema& field, const std::vector<std::string>& values) {
  const bool only_case = std::all_of(values.begin(), values.end(), [&](const std::string& value) {
    return std::any_of(field.options.begin(), field.options.end(),
                       [&](const std::string& option) { return lower(option) == lower(value); });
  });
  if (only_case) return "they differ in upper and lower case only; allowed: " + some_of(field.options);
  if (values.size() == 1)
    if (const std::string guess = did_you_mean_hint(values.front(), field.options); !guess.empty())
      return guess;
  return "allowed: " + some_of(field.options);
}

}  // namespace

std::vector<Diagnostic> look_at_rows(engine::Connection& connection, const std::string& rows,
                                     const SyncSpec& spec, const Definition& definition,
                                     const ObjectSchema& object) {
  std::vector<Diagnostic> out;
  const std::vector<FieldRule> rules = field_rules(definition, object);
  if (rules.empty()) return out;
  std::vector<std::string> counts;
  for (const FieldRule& rule : rules)
    counts.push_back(fmt::format("count(*) filter (where {})", rule.broken));
  const Row broken =
      connection.query(fmt::format("select {} from {} as r", join(counts, ", "), rows)).rows().front();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto count = static_cast<std::uint64_t>(broken[i].as_integer());
    if (count == 0) continue;
    const FieldRule& rule = rules[i];
    const FieldSchema& field = *find_field(object, rule.field);
    const auto named = [&](const Mapping& mapping) { return mapping.field == rule.field; };
    auto mapping = std::find_if(spec.key.begin(), spec.key.end(), named);
    if (mapping == spec.key.end()) mapping = std::find_if(spec.fields.begin(), spec.fields.end(), named);
    std::string message = rows_text(count), hint;
    if (rule.reason == "required") {
      message +=
          fmt::format(" no value for `{}`, which {} needs to make a record", rule.field, place(spec, object));
      hint = "give one: coalesce(…, 'unknown')";
    } else if (rule.reason == "too_long") {
      const auto longest =
          connection.query(fmt::format("select max(length({})) from {} as r", rule.cell, rows)).scalar();
      message += fmt::format(" a text longer than the {} characters of `{}`: the longest has {}",
                             field.length_max, rule.field, longest.as_integer());
      hint = fmt::format("cut it: left(…, {})", field.length_max);
    } else {
      std::vector<std::string> values;
      const std::string shown = values_text(connection, rows, rule, values);
      if (rule.reason == "not_an_option") {
        message += fmt::format(" a value that `{}` of {} does not allow: {}", rule.field, place(spec, object),
                               shown);
        hint = option_hint(field, values);
      } else {
        message += fmt::format(" a value that is no {} for `{}`: {}", name_of(field.type), rule.field, shown);
        hint = "clean it in the model, or try_cast it: what is none becomes null";
      }
    }
    out.push_back(mapping->node.complaint("sync." + rule.reason, message, hint));
  }
  return out;
}

std::string desired_rows(warehouse::Session& session, engine::Connection& connection,
                         const Definition& definition, std::uint64_t rows_max, bool& cut) {
  cut = false;
  const warehouse::OwnWarehouse* own = session.own();
  if (own == nullptr) return "(" + desired_sql(definition) + ")";
  const std::string table = "eddy_desired";
  cut = warehouse::bring_table(*own->open(), connection, remote_desired(definition), table, rows_max) ==
        rows_max;
  return table;
}

}  // namespace eddy::sync
