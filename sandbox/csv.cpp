#include "sandbox/csv.h"

#include <fmt/format.h>

namespace eddy::sandbox {

Csv parse_csv(std::string_view text, char separator) {
  Csv csv;
  CsvRow row;
  std::string cell;
  bool quoted = false, any = false;
  const auto end_row = [&] {
    if (!any) return;
    row.push_back(std::move(cell));
    cell.clear();
    (csv.header.empty() ? csv.header : csv.rows.emplace_back()) = std::move(row);
    row.clear();
    any = false;
  };
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        cell += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        cell += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && cell.empty()) {
      quoted = any = true;
    } else if (c == separator) {
      row.push_back(std::move(cell));
      cell.clear();
      any = true;
    } else if (c == '\n' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n')) {
      if (c == '\r') ++i;
      end_row();
    } else {
      cell += c;
      any = true;
    }
  }
  if (quoted) csv.problem = "a quoted cell does not end";
  end_row();
  for (std::size_t i = 0; csv.problem.empty() && i < csv.rows.size(); ++i)
    if (csv.rows[i].size() != csv.header.size())
      csv.problem =
          fmt::format("row {} has {} cells, the header {}", i + 1, csv.rows[i].size(), csv.header.size());
  return csv;
}

std::string csv_line(const CsvRow& row, char separator, std::string_view line_end) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) line += separator;
    const std::string& cell = row[i];
    if (cell.find_first_of(std::string{separator, '"', '\n', '\r'}) == std::string::npos) {
      line += cell;
      continue;
    }
    line += '"';
    for (const char c : cell) {
      if (c == '"') line += '"';
      line += c;
    }
    line += '"';
  }
  return line.append(line_end);
}

}  // namespace eddy::sandbox
