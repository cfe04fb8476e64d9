// Custom fields of users, organizations and tickets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/store.h"

namespace eddy::sandbox::zendesk {

struct CustomField {
  std::int64_t id = 0;
  std::string key, title;
  std::string type;  // text, integer, decimal, checkbox, dropdown, date
  std::vector<std::string> options{};
};

const std::vector<CustomField>& person_fields();  // of users and organizations
const std::vector<CustomField>& ticket_fields();  // written as {id, value} under custom_fields
const CustomField* find_ticket_field(std::int64_t id);
std::vector<Json> system_ticket_fields(const std::string& base_url);
const CustomField* find_custom_field(std::string_view key);
Json custom_field_json(const CustomField& field, const std::string& base_url, const std::string& collection);
// Brings the value into the field's form; "" or what is wrong with it. null clears.
std::string convert(const CustomField& field, const Json& given, Json& value);

}  // namespace eddy::sandbox::zendesk
