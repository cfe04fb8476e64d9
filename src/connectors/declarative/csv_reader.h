// Reads a CSV file (RFC 4180, LF or CRLF) row by row: what a job's result files are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eddy::connectors {

// Keeps a view of the text. One thread; never throws for what the text holds.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text);

  // The first line; empty when there is none.
  const std::vector<std::string>& header() const { return header_; }
  // The next row, with as many cells as the header; nullptr at the end and where the text is no such file any
  // more (problem()). Valid until the next call. Empty lines are passed over.
  const std::vector<std::string>* next();
  // Why reading stopped before the end of the text; empty: it did not.
  const std::string& problem() const { return problem_; }

 private:
  bool read_row(std::vector<std::string>& row);
  bool read_cell(std::string& cell);

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::vector<std::string> header_, row_;
  std::string problem_;
};

}  // namespace eddy::connectors
