// Comma-separated values (RFC 4180) as the bulk endpoints receive and answer them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace eddy::sandbox {

using CsvRow = std::vector<std::string>;

struct Csv {
  CsvRow header;
  std::vector<CsvRow> rows;
  std::string problem;  // not empty: the text is not what was asked for, and why
};

// Quoted cells may hold separators, quotes (doubled) and line breaks. Lines end with LF or CRLF; empty ones
// are skipped.
Csv parse_csv(std::string_view text, char separator);
std::string csv_line(const CsvRow& row, char separator, std::string_view line_end);

}  // namespace eddy::sandbox
