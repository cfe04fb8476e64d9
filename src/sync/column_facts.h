// What a model's columns hold, measured on the real data: what a mapping is proposed by.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/value.h"
#include "engine/database.h"

namespace eddy::sync {

// Shares are of the values that are there, in the first 100,000 rows.
struct ColumnFacts {
  std::string name;
  Type type = Type::text;
  std::string expression = {};  // how a mapping names it: `name`, or in quotes `"order id"`
  std::uint64_t rows = 0;       // of the model
  std::uint64_t nulls = 0;      // of them without a value
  std::uint64_t distinct = 0;   // different values
  bool exact = false;           // `distinct` was counted; otherwise it is an estimate, far below the rows
  std::uint64_t folded = 0;     // different values of a text without regard to case and white space around it
  std::uint64_t length_max = 0;  // of a text
  double email_share = 0, phone_share = 0, url_share = 0;
  double boolean_share = 0, number_share = 0, date_share = 0;      // of a text: how much of it reads as one
  std::vector<std::pair<std::string, std::uint64_t>> values = {};  // with their rows, when there are few

  std::uint64_t filled() const { return rows - nulls; }
  // A row for each value, and a value in each row.
  bool unique() const { return rows > 0 && nulls == 0 && exact && distinct == rows; }
  // "unique in 10,000 of 10,000 rows", "12 duplicates, 3 null"
  std::string uniqueness() const;
};

// A few queries over a relation. Throws what the engine throws.
std::vector<ColumnFacts> measure_columns(engine::Connection& connection, const std::string& relation);

}  // namespace eddy::sync
