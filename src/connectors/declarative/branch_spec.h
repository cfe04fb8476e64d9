// The words with which a connector.yml makes an upsert out of a lookup, an update and a create.
#pragma once

#include <memory>
#include <optional>
#include <regex>
#include <string>

#include "connectors/declarative/reply.h"

namespace eddy::connectors {

// A create is refused because the record is there after all: made a moment ago, or left out by a search that
// lags behind.
struct ConflictSpec {
  Predicate when;
  std::string id;                             // JSON pointer to its id, or to words that hold it
  std::shared_ptr<const std::regex> pattern;  // the first group is the id; nullptr: the value itself
  std::string read_by;                        // the field of the lookup that shows whether it is the row's
};

// The id of the record that is in the way; nullopt: the reply says something else.
std::optional<std::string> id_in_the_way(const ConflictSpec& conflict, const Reply& reply);

}  // namespace eddy::connectors
