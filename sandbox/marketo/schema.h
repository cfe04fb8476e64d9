// The fields of a lead.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/store.h"

namespace eddy::sandbox::marketo {

struct Field {
  int id = 0;
  std::string name;  // REST name
  std::string label;
  std::string type;  // integer, string, text, email, phone, url, float, currency, percent, score, boolean,
                     // date, datetime
  int length = 0;    // characters; 0: not limited
  bool read_only = false;
  bool searchable = false;  // a filter type, and a lookup field
  bool custom = false;
};

const std::vector<Field>& lead_fields();
const Field* find_field(std::string_view name);
Json describe_one(const Field& field);  // an entry of leads/describe.json
Json describe_all();                    // the result of leads/describe2.json
// Brings the value into the field's type; false when it cannot be. null and "" become null.
bool convert(const Field& field, const Json& given, Json& value);

}  // namespace eddy::sandbox::marketo
