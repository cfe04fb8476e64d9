#include "connectors/declarative/csv_reader.h"

#include <fmt/format.h>

namespace eddy::connectors {

CsvReader::CsvReader(std::string_view text) : text_(text) {
  if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  if (!read_row(header_)) header_.clear();
}

const std::vector<std::string>* CsvReader::next() {
  if (!read_row(row_)) return nullptr;
  if (row_.size() == header_.size()) return &row_;
  problem_ = fmt::format("line {} has {} cells, the header has {}", line_, row_.size(), header_.size());
  return nullptr;
}

bool CsvReader::read_row(std::vector<std::string>& row) {
  if (!problem_.empty()) return false;
  while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }
  if (at_ >= text_.size()) return false;
  std::size_t cells = 0;
  for (;;) {
    if (cells == row.size()) row.emplace_back();
    if (!read_cell(row[cells])) return false;
    ++cells;
    if (at_ >= text_.size()) break;
    const char end = text_[at_++];
    if (end == ',') continue;
    if (end == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
    break;
  }
  row.resize(cells);
  return true;
}

// Up to the separator behind it, or the end of the line or of the text.
bool CsvReader::read_cell(std::string& cell) {
  cell.clear();
  if (at_ >= text_.size() || text_[at_] != '"') {
    const std::size_t end = std::min(text_.find_first_of(",\n\r", at_), text_.size());
    cell = text_.substr(at_, end - at_);
    at_ = end;
    return true;
  }
  for (++at_;;) {
    const std::size_t end = text_.find('"', at_);
    if (end == std::string_view::npos) {
      problem_ = fmt::format("line {} has a quote that is not closed", line_);
      return false;
    }
    cell += text_.substr(at_, end - at_);
    at_ = end + 1;
    if (at_ >= text_.size() || text_[at_] != '"') break;
    cell += '"';
    ++at_;
  }
  if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') {
    problem_ = fmt::format("line {} has text behind a closing quote", line_);
    return false;
  }
  return true;
}

}  // namespace eddy::connectors
