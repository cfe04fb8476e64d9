// Values as the text that the journal keeps and the file will hold.
//
// CSV: the value's text; numbers and dates as they are, infinite reals as Infinity and -Infinity, bytes as
// base64, JSON unchanged. Null is nothing at all between two commas, the empty text is "".
//
// JSON lines: one JSON value; a decimal is a number when a double holds exactly its digits, text otherwise;
// dates and times are ISO 8601 text, bytes base64 text, JSON unchanged. JSON null and no value are the same.
//
// Parquet: text that the engine casts to the column's type: BOOLEAN, BIGINT, DOUBLE, DECIMAL, VARCHAR, DATE,
// TIMESTAMP WITH TIME ZONE, JSON, BLOB.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connectors/files/target.h"
#include "core/value.h"

namespace eddy::connectors {

struct FileCell {
  std::optional<std::string> text;  // nullopt: null
  std::string problem;              // why the value cannot be kept; then there is no text
};

FileCell file_cell(const Value& value, FileFormat format);

// Digits of a decimal text: before the point without leading zeros, and after it. nullopt: it is none.
struct DecimalDigits {
  int whole = 0, fraction = 0;
};
std::optional<DecimalDigits> decimal_digits(std::string_view text);

// What the columns of a Parquet file can hold together: an exact DECIMAL has 38 digits. Widens as rows come.
class DecimalRoom {
 public:
  static constexpr int digits_max = 38;
  explicit DecimalRoom(DecimalDigits used = {}) : used_(used) {}
  bool take(DecimalDigits digits);  // false: with it the column would not hold everything any more
  std::string engine_type() const;  // "DECIMAL(18,2)"

 private:
  DecimalDigits used_;
};

}  // namespace eddy::connectors
