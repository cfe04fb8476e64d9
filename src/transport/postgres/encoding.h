// Values as PostgreSQL reads them. All functions are pure and thread-safe; they append to `out` and allocate
// nothing else.
#pragma once

#include <string>
#include <string_view>

#include "core/value.h"

namespace eddy::postgres {

enum class Encoded {
  ok,
  nul_byte,  // PostgreSQL cannot keep the character U+0000 in text
  invalid_utf8,
};
// For a person: "contains a NUL byte, which PostgreSQL text cannot hold".
std::string_view explain(Encoded encoded);

// One cell of COPY's text format: null is \N; tab, newline, carriage return and backslash are escaped.
// `out` holds a part of the cell when the answer is not ok.
Encoded append_copy_cell(std::string& out, const Value& value);

// The value as an input function of PostgreSQL reads it, not escaped. Not for null.
void append_input(std::string& out, const Value& value);

std::string quote_identifier(std::string_view name);  // "na""me"
std::string quote_literal(std::string_view text);     // 'te''xt', with standard_conforming_strings

}  // namespace eddy::postgres
