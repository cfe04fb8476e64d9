// The objects and fields of the pretended org, and how they are described.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/store.h"

namespace eddy::sandbox::salesforce {

struct Field {
  std::string name, label;
  std::string type;  // id, string, textarea, email, phone, url, double, currency, percent, int, boolean,
                     // date, datetime, picklist, reference
  int length = 0;
  int precision = 0, scale = 0;  // numbers: all digits, digits behind the point
  bool writable = true;
  bool nillable = true;
  bool external_id = false;
  bool id_lookup = false;
  bool unique = false;  // no two records have the same value, case aside
  std::vector<std::string> options{};
  bool restricted = false;     // only `options` are allowed
  std::string reference_to{};  // object
  std::string relationship{};  // name by which the parent is addressed
  bool custom() const { return name.ends_with("__c"); }
  bool is_number() const {
    return type == "double" || type == "currency" || type == "percent" || type == "int";
  }
  bool required() const { return writable && !nillable && type != "boolean"; }
};

struct Object {
  std::string name, label, plural, key_prefix;
  std::vector<Field> fields;
  bool custom() const { return name.ends_with("__c"); }
  // The name of a person is made of its parts.
  bool is_person() const;
};

const std::vector<Object>& objects();
const Object* find_object(std::string_view name);  // any case, as the service does
const Field* find_field(const Object& object, std::string_view name);
const Field* find_relationship(const Object& object, std::string_view name);

Json describe(const Object& object, const std::string& version);          // .../describe
Json describe_shortly(const Object& object, const std::string& version);  // one of .../sobjects

// 18 characters: three of the object, "5g", ten digits of base 62, three that make it safe to compare without
// case.
std::string make_id(std::string_view key_prefix, std::uint64_t number);
bool is_id(std::string_view text);         // 15 or 18 characters of the right kind
std::string full_id(std::string_view id);  // 15 → 18

}  // namespace eddy::sandbox::salesforce
