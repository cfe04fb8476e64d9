// The part of SOQL that clients of records need:
//   SELECT path, … | FIELDS(ALL) | COUNT() | COUNT(field)  FROM Object
//   [WHERE … = != < <= > >= LIKE IN NOT IN, also (SELECT …), AND OR NOT ( )]
//   [ORDER BY path ASC|DESC NULLS FIRST|LAST, …] [LIMIT n] [OFFSET n]
// A path may lead through parents: Account.Parent.Name, Account__r.Name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/salesforce/records.h"

namespace eddy::sandbox::salesforce {

struct Path {
  std::vector<const Field*> parents;  // references to follow
  const Field* field = nullptr;
  std::string name() const;  // "Account.Name"
};

struct Query;

// A condition, or several of them joined.
struct Condition {
  enum class Kind { compare, all, any, none };
  Kind kind = Kind::compare;
  std::vector<Condition> parts{};  // of all, any, none
  Path path{};
  std::string op{};                                  // = != < <= > >= like in "not in"
  std::vector<std::optional<std::string>> values{};  // nullopt: null
  std::shared_ptr<Query> values_from{};              // IN (SELECT …)
};

struct Order {
  Path path;
  bool descending = false, nulls_last = false;
};

struct Query {
  const Object* object = nullptr;
  std::vector<Path> paths;
  bool count_rows = false;        // COUNT()
  std::optional<Path> counted{};  // COUNT(field)
  std::optional<Condition> where{};
  std::vector<Order> order;
  std::size_t limit = std::string::npos, offset = 0;
  bool with_deleted = false;  // queryAll
};

struct ParsedQuery {
  Query query{};
  std::optional<RowError> error{};  // MALFORMED_QUERY, INVALID_FIELD, INVALID_TYPE
};

// `now` decides what TODAY means.
ParsedQuery parse_query(const std::string& soql, Clock::WallTime now);

// A record that a query may find; deleted ones are found by queryAll only.
struct Found {
  Record record;
  bool deleted = false;
};
std::vector<Found> run_query(const Query& query, Records& records, Store& store);
// {attributes, fields…}, parents nested.
Json row_json(const Query& query, const Found& found, Records& records, const std::string& version);
// The value a path leads to; null when a parent is missing.
Json value_at(const Object& object, const Found& found, const Path& path, Records& records);

}  // namespace eddy::sandbox::salesforce
