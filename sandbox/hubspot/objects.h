// Records of the CRM: property validation, matching by id or unique property, and what is answered about
// each.
#pragma once

#include <deque>
#include <optional>

#include "sandbox/hubspot/schema.h"
#include "sandbox/service.h"

namespace eddy::sandbox::hubspot {

// Why something is refused, in the words of the service's error bodies.
struct Problem {
  int status = 400;
  std::string category, message;
  Json context = Json::object();  // name → list of values
  Json errors = Json::array();    // [{message, code, context}]
};

// A link that a new record asks for.
struct WantedLink {
  const ObjectType* type = nullptr;  // of the other record
  std::string id{};
  Json types = Json::array();
};

// An input of a batch, checked. `record` is the one it addresses; nullptr: it would create one.
struct Draft {
  const ObjectType* type = nullptr;
  Json properties = Json::object();  // strings; "" clears
  Record* record = nullptr;
  std::string key{};  // as the ledger shows it
  std::optional<Problem> problem{};
  std::vector<WantedLink> links{};
};

class Objects {
 public:
  Objects(Store& store, Clock& clock);

  void reset();
  std::vector<const ObjectType*> types();  // standard ones first
  // By name, singular, id or full name: "contacts", "contact", "0-1", "p4242_subscription". nullptr: none.
  const ObjectType* type(std::string_view name);
  const ObjectType& add_type(ObjectType type, const std::vector<Property>& own);  // gives it an id
  void remove_type(const ObjectType& type);
  std::vector<Property> properties(const ObjectType& type);
  // nullptr when there is none; good until a property is added or removed.
  const Property* property(const ObjectType& type, const std::string& name);
  const std::map<std::string, Property>& known_properties(const ObjectType& type);  // the same, all of them
  void add_property(const ObjectType& type, const Property& property);
  bool remove_property(const ObjectType& type, const std::string& name);

  // Checked and made strings: unknown and read-only names, options, numbers, booleans, times, e-mail
  // addresses.
  std::optional<Problem> take_properties(const ObjectType& type, const Json& given, Json& taken);
  // By record id, or by a unique property (email on contacts). Problem when that property cannot identify.
  std::optional<Problem> find(const ObjectType& type, const std::string& id, const std::string& id_property,
                              Record*& found);
  Record* holder_of_email(const ObjectType& type, const std::string& email);

  Record& write(Draft& draft);
  // What a new record of a custom object must have.
  std::optional<Problem> missing_properties(const Draft& draft) const;
  Table& archived(const ObjectType& type) { return store_.table("_archived_" + type.name); }
  bool archive(const ObjectType& type, const std::string& id);
  // {id, properties, createdAt, updatedAt, archived}; `names`: these and the three every answer has.
  Json read(const ObjectType& type, const Record& record, const std::vector<std::string>& names,
            bool is_archived = false) const;

  Table& table(const ObjectType& type) { return store_.table(type.name); }

 private:
  std::string check_value(const Property& property, std::string& value, std::string& code) const;
  std::string definitions_table(const ObjectType& type) const { return "_properties_" + type.name; }

  Store& store_;
  Clock& clock_;
  std::deque<ObjectType> custom_;                                 // as met; their place never changes
  std::map<std::string, std::map<std::string, Property>> known_;  // by type and name, filled on first use
};

Problem not_found(const ObjectType& type, const std::string& id);
std::string hubspot_time(Clock::WallTime time);  // "2026-11-23T10:53:42.123Z"

}  // namespace eddy::sandbox::hubspot
