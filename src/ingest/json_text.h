// JSON as text: where the records of a file begin and end, and whether each is a whole object.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "ingest/csv_text.h"

namespace eddy::ingest {

enum class JsonLayout {
  lines,
  array,
  values
};  // one record a line; elements of one array; one value or several after another
JsonLayout json_layout(std::string_view text, bool declared_lines);

struct JsonProblem {
  std::string code;  // json.syntax, json.not_an_object, json.duplicate_key; "" when there is none
  std::string reason;
  std::size_t offset = 0;  // of the place, from the beginning of the text that was checked
  explicit operator bool() const { return !code.empty(); }
};
// One record: a whole JSON object, without a key twice.
JsonProblem check_record(std::string_view record);
// A whole text of layout array or values.
JsonProblem check_structure(std::string_view text, JsonLayout layout);

// Calls `each` with every record in order, blank lines left out; stops when it returns false. Layouts array
// and values must have passed check_structure.
void for_each_record(std::string_view text, JsonLayout layout, const std::function<bool(const Span&)>& each);

}  // namespace eddy::ingest
