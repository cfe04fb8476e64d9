// Proposes a mapping from a model's columns to the fields of an object, with a reason and a confidence for
// each line.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "sync/column_facts.h"
#include "sync/destination.h"

namespace eddy::sync {

struct Suggestion {
  std::string field;
  std::string column;          // "": of several
  std::string expression;      // how the mapping names the column
  double confidence = 0;       // 0 … 1
  std::string reason;          // "same name", "synonym", "values are e-mail addresses"
  std::string normalize = {};  // of a key: its values come in several spellings
  bool usable = true;          // of a key: unique and without nulls in the model

  // What is written into a file without being asked about.
  bool is_sure() const { return confidence >= 0.7 && usable; }
  std::string value() const;  // YAML: `email`, `{value: email, normalize: email}`
};

// What a sync's file says already: it is not proposed again.
struct Mapped {
  bool key = false;               // it has one
  std::set<std::string> fields;   // keys among them
  std::set<std::string> columns;  // that its expressions read
};

struct MappingSuggestion {
  std::vector<Suggestion> key;     // best first; the first is the proposal, the others alternatives
  std::vector<Suggestion> fields;  // one per field at most, in the order of the object's fields
  std::vector<std::string> unmapped_columns;
  std::vector<std::string> unmapped_required;  // fields that a new record needs

  // The key to be written; nullptr: there is one already, or none is sure.
  const Suggestion* sure_key() const {
    return key.empty() || !key.front().is_sure() ? nullptr : &key.front();
  }
  std::vector<Suggestion> sure_fields() const;
};

// Pure. Never proposes a field that cannot be written, nor a column for two fields.
MappingSuggestion suggest_mapping(const std::vector<ColumnFacts>& columns, const ObjectSchema& object,
                                  const Mapped& mapped = {});

// The `key:` and `fields:` part of a sync file, with the reasons as comments.
std::string as_yaml(const MappingSuggestion& suggestion, const Mapped& mapped = {});

}  // namespace eddy::sync
