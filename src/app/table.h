// Rows for people and programs: an aligned table, CSV (RFC 4180), or JSON lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"

namespace eddy::app {

enum class TableForm { table, csv, json };

// Collects rows and renders them. In table form long cells of data are cut at 60 characters; our own words
// never are.
class Table {
 public:
  explicit Table(Schema columns) : columns_(std::move(columns)) {}
  explicit Table(const std::vector<std::string>& text_columns);
  void add(Row row) { rows_.push_back(std::move(row)); }
  void add(const std::vector<std::string>& cells);
  std::size_t rows() const { return rows_.size(); }
  std::string render(TableForm form) const;

 private:
  std::string as_table() const;
  Schema columns_;
  bool cuts_cells_ = true;
  std::vector<Row> rows_;
};

std::string csv_line(const Row& row);                          // with newline
std::string json_line(const Schema& columns, const Row& row);  // with newline

}  // namespace eddy::app
