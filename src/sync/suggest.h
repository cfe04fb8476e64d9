// Proposes a mapping from a model's columns to the fields of an object, with a reason and a confidence for
// each line.
#pragma once

#include <string>
#include <vector>

#include "engine/database.h"
#include "sync/destination.h"

namespace eddy::sync {

// What is known of a model column; the caller measures it on the real data.
struct ColumnFacts {
  std::string name;
  Type type = Type::text;
  bool unique = false;     // no value twice, none null
  double email_share = 0;  // of the non-null values, how many look like an e-mail address
};

struct Suggestion {
  std::string field;
  std::string column;
  double confidence = 0;  // 0 … 1
  std::string reason;     // "same name", "synonym", "values are e-mail addresses"
};

struct MappingSuggestion {
  std::vector<Suggestion> key;     // best first; the first is the proposal, the others alternatives
  std::vector<Suggestion> fields;  // one per field at most, in the order of the object's fields
  std::vector<std::string> unmapped_columns;
  std::vector<std::string> unmapped_required;  // fields that a new record needs
};

// One measuring query over the model. Throws what the engine throws.
std::vector<ColumnFacts> measure_columns(engine::Connection& connection, const std::string& model);

// Pure. Never proposes a field that cannot be written, nor a column for two fields.
MappingSuggestion suggest_mapping(const std::vector<ColumnFacts>& columns, const ObjectSchema& object);

// The `key:` and `fields:` part of a sync file, with the reasons as comments.
std::string as_yaml(const MappingSuggestion& suggestion);

}  // namespace eddy::sync
