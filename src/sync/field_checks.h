// Rows that the destination is known to refuse, by its own schema: stopped before sending, with no call made.
#pragma once

#include <string>
#include <vector>

#include "sync/definition.h"

namespace eddy::sync {

// One thing that is wrong with a row, as SQL over k…, v….
struct FieldRule {
  std::string reason;  // required (null, and needed to make the record), too_long, not_an_option, wrong_type
                       // (a text that is no number where one is wanted)
  std::string field;
  std::string cell;      // k1, v3
  std::string broken;    // a condition
  bool creates = false;  // counts only where a record is made
};
// Every rule that may be broken, keys first. Looked-up values are not checked: what is delivered is the id.
std::vector<FieldRule> field_rules(const Definition& definition, const ObjectSchema& object);

// SQL over a difference (op, k…, v…): "<reason>:<field>" of the first field that the destination would
// refuse, null when there is none; "" when nothing needs checking.
std::string invalid_reason_sql(const Definition& definition, const ObjectSchema& object);

// What a reason means, for people: "longer than the destination takes".
std::string describe_reason(std::string_view reason);

}  // namespace eddy::sync
