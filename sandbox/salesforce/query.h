// The part of SOQL that lookups need: SELECT fields | COUNT() FROM Object [WHERE a = 'x' AND b IN ('y', 'z')]
// [LIMIT n].
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sandbox/salesforce/records.h"

namespace eddy::sandbox::salesforce {

struct Condition {
  const Field* field = nullptr;
  bool negated = false;             // != or NOT IN
  std::vector<std::string> values;  // any of them, compared without case; "" stands for null
};

struct Query {
  const Object* object = nullptr;
  std::vector<const Field*> fields;  // empty: COUNT()
  std::vector<Condition> conditions;
  std::size_t limit = std::string::npos;
};

struct ParsedQuery {
  Query query{};
  std::optional<RowError> error{};  // MALFORMED_QUERY, INVALID_FIELD, INVALID_TYPE
};

ParsedQuery parse_query(const std::string& soql);
// The records that match, each {attributes, fields…}, oldest first.
std::vector<Json> run_query(const Query& query, Records& records, Store& store, const std::string& version);

}  // namespace eddy::sandbox::salesforce
