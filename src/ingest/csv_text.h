// CSV as text: where records begin and end, how many fields they have, which character separates them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "ingest/source_spec.h"

namespace eddy::ingest {

struct Span {
  std::size_t offset = 0;
  std::size_t length = 0;
  bool operator==(const Span&) const = default;
};

// The physical line at `offset`, without and with its line end (\n, \r\n or \r).
Span line_at(std::string_view text, std::size_t offset);
std::size_t after_line(std::string_view text, std::size_t offset);
// The record at `offset` without its line end: line ends inside quotes belong to it.
Span record_at(std::string_view text, std::size_t offset, char quote, char delimiter);
// Number of fields of one record; 0 when its quotes do not pair up as RFC 4180 has it.
std::size_t count_fields(std::string_view record, char quote, char delimiter);

// What can be told from the text alone.
struct CsvOutline {
  char delimiter = ',';
  std::size_t fields = 1;
  std::size_t begin = 0;  // of the first record (the header when there is one): after byte order mark, blank
                          // lines and preamble
  std::vector<Span> preamble;  // lines before the first record, that have another form than all the rest
  bool empty = false;          // nothing but white space
};
CsvOutline outline(std::string_view text, const CsvOptions& declared, Format format, char quote,
                   char recorded_delimiter);

// Well-formed records (header first) from the whole length of the text, for detecting types; about
// `bytes_max` bytes.
std::string sample_records(std::string_view text, const CsvOutline& outline, char quote,
                           std::size_t bytes_max);

// Reads through all records, fast: counts them, and finds those in which an integer column has a fraction.
// (The engine's reader would round it silently.)
struct CsvCensus {
  std::uint64_t records = 0;         // without blank lines
  std::vector<Span> fractions;       // records, without line ends
  std::vector<std::size_t> columns;  // of each of them: the column
};
CsvCensus take_census(std::string_view text, char quote, char delimiter,
                      const std::vector<bool>& integer_columns, const Cancel& cancel);

// Line numbers (from 1) of ascending offsets.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}
  std::uint64_t line_of(std::size_t offset);

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 1;
};

}  // namespace eddy::ingest
