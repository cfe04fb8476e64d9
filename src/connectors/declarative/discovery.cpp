#include "connectors/declarative/discovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "connectors/declarative/object_name.h"
#include "connectors/declarative/paging.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

// The same for all pages of a list, as one reply.
Reply ask(const Spec& spec, Session& session, const RequestSpec& request,
          const std::optional<PagingSpec>& paging, const std::string& items, const Lookup& lookup,
          const std::function<bool(const Reply&)>& understood) {
  return *read_pages(
      paging, {request, Content(), lookup}, items, [&] { return session.base_url(); },
      [&](const PageRequest& page) { return std::optional(ask_page(spec, session, page, understood)); });
}

bool has_list(const Reply& reply, const std::string& pointer) {
  if (!reply.success_status() || !reply.json) return false;
  const json* list = at(*reply.json, pointer);
  return list != nullptr && list->is_array();
}

std::string text_at(const json& item, const std::string& pointer) {
  const json* value = pointer.empty() ? nullptr : at(item, pointer);
  return value == nullptr || !value->is_primitive() ? std::string() : plain_text(*value);
}

sync::FieldSchema known(const FieldSpec& field) {
  return {field.name,       field.type,     std::string(name_of(field.type)),
          field.required,   field.writable, field.key,
          field.length_max, field.options,  field.unique};
}

sync::FieldSchema discovered(const DiscoverSpec& spec, const std::string& name, const json& item,
                             int status) {
  sync::FieldSchema out;
  out.name = name;
  out.native_type = text_at(item, spec.native_type);
  if (const auto type = spec.types.find(out.native_type); type != spec.types.end()) out.type = type->second;
  out.required = spec.required_when.given() && spec.required_when.holds(status, &item);
  out.writable = spec.writable_when.holds(status, &item);
  out.key = spec.key_when.given() && spec.key_when.holds(status, &item);
  if (const json* length = spec.length.empty() ? nullptr : at(item, spec.length);
      length != nullptr && length->is_number_unsigned())
    out.length_max = length->get<std::size_t>();
  const json* options = spec.options.empty() ? nullptr : at(item, spec.options);
  if (options != nullptr && options->is_array())
    for (const json& option : *options)
      if (spec.option_when.holds(status, &option)) out.options.push_back(text_at(option, spec.option_value));
  return out;
}

sync::FieldSchema* find_field(sync::ObjectSchema& schema, const std::string& name) {
  const auto found = std::find_if(schema.fields.begin(), schema.fields.end(),
                                  [&](const sync::FieldSchema& f) { return f.name == name; });
  return found == schema.fields.end() ? nullptr : &*found;
}

// `first` is the reply that has described the fields.
void add_keys(const Spec& spec, Session& session, const Lookup& lookup, const Reply& first,
              sync::ObjectSchema& schema) {
  const DiscoverSpec& discover = *spec.objects.discover;
  if (discover.keys_items.empty()) return;
  const auto there = [&](const Reply& r) { return has_list(r, discover.keys_items); };
  std::optional<Reply> second;
  if (discover.keys_request)
    second = ask(spec, session, *discover.keys_request, std::nullopt, discover.keys_items, lookup, there);
  const Reply& reply = second ? *second : first;
  if (!there(reply)) return;
  for (const json& entry : *at(*reply.json, discover.keys_items)) {
    // A list of several names is a compound key; one field is what a sync matches by.
    if (entry.is_array() && entry.size() != 1) continue;
    const json& name = entry.is_array() ? entry.front() : entry;
    if (!name.is_string()) continue;
    if (auto* field = find_field(schema, name.get<std::string>())) field->key = true;
  }
}

// A field of the object that refers to a record of another.
struct Relation {
  std::string name;
  std::vector<std::string> objects;
  bool writable = true;
};

std::optional<Relation> relation_in(const DiscoverSpec& spec, const json& item, bool writable) {
  const std::string name = text_at(item, spec.relation);
  const json* objects = name.empty() ? nullptr : at(item, spec.relation_objects);
  if (objects == nullptr || !objects->is_array() || objects->empty()) return std::nullopt;
  Relation out{name, {}, writable};
  for (const json& object : *objects)
    if (object.is_string()) out.objects.push_back(object.get<std::string>());
  return out;
}

std::optional<sync::ObjectSchema> discover_alone(const Spec& spec, Session& session, const std::string& name,
                                                 std::vector<Relation>* relations);

// `Account.Number__c`: the record is named by its parent's key instead of the parent's id.
void add_relations(const Spec& spec, Session& session, const std::vector<Relation>& relations,
                   sync::ObjectSchema& schema) {
  std::map<std::string, sync::ObjectSchema> parents{{schema.name, schema}};
  for (const Relation& relation : relations) {
    if (!relation.writable) continue;
    for (const std::string& object : relation.objects) {
      if (!parents.contains(object)) {
        try {
          parents[object] = discover_alone(spec, session, object, nullptr).value_or(sync::ObjectSchema());
        } catch (const Error& e) {
          if (e.code() != "destination.refused") throw;  // not for our eyes
          parents[object] = {};
        }
      }
      for (const sync::FieldSchema& key : parents[object].fields) {
        // Its id has a field of its own.
        if (!key.key || !key.writable) continue;
        sync::FieldSchema field = key;
        field.name = relation.name + "." + key.name;
        field.native_type = fmt::format("{} by {}", object, key.name);
        field.required = field.key = false;
        if (find_field(schema, field.name) == nullptr) schema.fields.push_back(std::move(field));
      }
    }
  }
}

}  // namespace

Reply ask_page(const Spec& spec, Session& session, const PageRequest& page,
               const std::function<bool(const Reply&)>& understood) {
  std::string why;
  for (int attempt = 0; attempt < 4; ++attempt) {
    if (attempt > 0) session.clock().sleep_for(std::chrono::milliseconds{250} * (1 << attempt));
    Called called = session.call(page.request, page.content, page.lookup, understood, spec.errors,
                                 /*repeatable=*/true);
    if (called.kind == Called::Kind::answered) return std::move(*called.reply);
    why = fmt::format("{}: {}", called.refusal.code, called.refusal.message);
    if (called.kind == Called::Kind::refused && called.refusal.error_class == ErrorClass::row)
      throw Error("destination.refused", fmt::format("{} cannot be described: {}", spec.title, why),
                  "check the object's name and the connection's settings");
    if (called.refusal.wait)
      session.clock().sleep_for(
          std::min<std::chrono::nanoseconds>(*called.refusal.wait, std::chrono::seconds{30}));
  }
  throw Error("destination.unreachable", fmt::format("{} does not answer: {}", spec.title, why),
              "check the network and the connection's base_url");
}

Lookup object_lookup(const Spec& spec, const Session& session, const std::string& name) {
  return [outer = session.lookup(), words = object_words(spec, name),
          name](std::string_view word) -> std::optional<json> {
    if (word == "object") return json(name);
    if (word.starts_with("object."))
      if (const auto found = words.find(std::string(word.substr(7))); found != words.end())
        return json(found->second);
    return outer(word);
  };
}

std::vector<std::string> discover_objects(const Spec& spec, Session& session) {
  std::vector<std::string> names;
  for (const ObjectSpec& object : spec.objects.list)
    if (words_in(object.name).empty()) names.push_back(object.name);
  if (!spec.objects.list_request) return names;
  std::optional<Reply> reply;
  try {
    reply = ask(spec, session, *spec.objects.list_request, spec.objects.list_paging, spec.objects.list_items,
                session.lookup(), [&](const Reply& r) { return has_list(r, spec.objects.list_items); });
  } catch (const Error& e) {
    // Credentials that may write an object need not be allowed to list all objects there are.
    if (e.code() != "destination.refused" || names.empty()) throw;
    return names;
  }
  for (const json& item : *at(*reply->json, spec.objects.list_items)) {
    std::string name = text_at(item, spec.objects.list_name);
    if (!name.empty()) name.insert(0, spec.objects.list_prefix);
    if (!name.empty() && spec.objects.list_when.holds(reply->status, &item) &&
        std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  return names;
}

std::optional<sync::ObjectSchema> discover(const Spec& spec, Session& session, const std::string& name) {
  std::vector<Relation> relations;
  auto schema = discover_alone(spec, session, name, &relations);
  if (schema) add_relations(spec, session, relations, *schema);
  return schema;
}

std::optional<sync::ObjectSchema> discover_own(const Spec& spec, Session& session, const std::string& name) {
  return discover_alone(spec, session, name, nullptr);
}

namespace {

std::optional<sync::ObjectSchema> discover_alone(const Spec& spec, Session& session, const std::string& name,
                                                 std::vector<Relation>* relations) {
  const ObjectSpec* object = find_object(spec, name);
  if (object == nullptr && !spec.objects.open) return std::nullopt;
  sync::ObjectSchema schema;
  schema.name = name;
  schema.open = (object != nullptr && object->open_fields) ||
                (spec.objects.open_fields && (object == nullptr || !object->fixed));
  if (object != nullptr)
    for (const FieldSpec& field : object->fields) schema.fields.push_back(known(field));
  if (!spec.objects.discover || (object != nullptr && object->fixed)) return schema;
  const DiscoverSpec& discover = *spec.objects.discover;
  const Lookup lookup = object_lookup(spec, session, name);
  const std::string items = render_pointer(discover.items, lookup);
  const std::string prefix = discover.prefix.text(lookup).value_or("");
  const std::string name_at = render_pointer(discover.name, lookup);
  const auto missing = [&](const Reply& reply) {
    return discover.missing_when.given() && discover.missing_when.holds(reply);
  };
  const Reply reply = ask(spec, session, discover.request, discover.paging, items, lookup,
                          [&](const Reply& r) { return has_list(r, items) || missing(r); });
  if (missing(reply)) return std::nullopt;
  for (const json& item : *at(*reply.json, items)) {
    const std::string own_name = text_at(item, name_at);
    if (own_name.empty() || (discover.skip_when.given() && discover.skip_when.holds(reply.status, &item)))
      continue;
    sync::FieldSchema field = discovered(discover, prefix + own_name, item, reply.status);
    if (relations != nullptr && !discover.relation.empty())
      if (auto relation = relation_in(discover, item, field.writable)) {
        relations->push_back(std::move(*relation));
        field.required = false;  // the relation will do as well
      }
    if (sync::FieldSchema* before = find_field(schema, field.name)) {
      // What the connector knows about keys stays; the service's word goes for everything else.
      field.unique = field.key || before->unique;
      field.key = field.key || before->key;
      field.required = field.required || before->required;
      *before = std::move(field);
    } else {
      schema.fields.push_back(std::move(field));
    }
  }
  add_keys(spec, session, lookup, reply, schema);
  return schema;
}

}  // namespace

}  // namespace eddy::connectors
