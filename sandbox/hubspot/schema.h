// Object types and their properties, as the portal of a company that keeps scores on its contacts has them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/store.h"

namespace eddy::sandbox::hubspot {

struct Option {
  std::string label, value;
};

struct Property {
  std::string name{}, label{};
  std::string type = "string";  // string, number, bool, enumeration, date, datetime, phone_number
  std::string field_type =
      "text";  // text, number, booleancheckbox, select, checkbox (multi-select), date, phonenumber
  std::string group{};
  std::vector<Option> options{};
  bool unique = false;
  bool read_only = false;
  bool custom = false;
};

struct ObjectType {
  std::string name{};                             // "contacts"
  std::string singular{};                         // "CONTACT", as messages say it
  std::string id{};                               // "0-1"
  std::vector<std::string> default_properties{};  // what a read returns unasked
  std::string modified = "hs_lastmodifieddate";   // name of the property with the time of the last change
  // Custom objects only.
  std::string full_name{};  // "p4242_subscription"
  std::vector<std::string> required{}, searchable{};
  bool is_custom() const { return id.starts_with("2-"); }
};

const std::vector<ObjectType>& standard_types();
// A custom object every portal here starts with, and its properties.
ObjectType example_type();
std::vector<Property> example_properties();
Json pack(const ObjectType& type);
ObjectType unpack_type(const Json& packed);

std::vector<Property> standard_properties(const ObjectType& type);
// Those that every record has: its id and times.
std::vector<Property> common_properties(const ObjectType& type);
Json property_json(const Property& property);
// From the body of "create property"; the problem with it in `problem`.
Property property_from_json(const Json& body, std::string& problem);
// As kept in the store and back.
Json pack(const Property& property);
Property unpack(const Json& packed);

}  // namespace eddy::sandbox::hubspot
