// What a destination file holds now, as SQL.
#pragma once

#include <string>
#include <vector>

#include "connectors/files/target.h"
#include "core/value.h"
#include "engine/database.h"

namespace eddy::connectors {

// No row of a text format is longer; a row that would be is rejected before it is written (row_bytes_max).
constexpr std::size_t line_bytes_max = 20'000'000;
constexpr std::size_t row_bytes_max = 8'000'000;

struct StoredColumn {
  std::string name;
  std::string engine_type;  // of Parquet; "VARCHAR" otherwise
};

// Reads the head of the file when it is made; its statements read it all. Immutable.
class StoredFile {
 public:
  // A file that is not there, or is empty, has no columns. Throws Error("destination.unreadable") when it is
  // no file of that format.
  StoredFile(engine::Connection& connection, const FileTarget& target);

  bool has_rows() const { return there_; }  // there is something to read
  // In order. JSON lines have none: each line has its own.
  const std::vector<StoredColumn>& columns() const { return columns_; }
  const StoredColumn* find(const std::string& name) const;
  // A relation without a name: x0, x1, … for the columns; for JSON lines `line`, the text of each.
  std::string relation() const;
  // SQL over that relation under the name `o`: the field as the file has it (CSV text, JSON text, the Parquet
  // column's type); "null" when there is no such column.
  std::string cell(const std::string& name) const;
  // The same, to be compared with key_text().
  std::string key(const std::string& name) const;

 private:
  void read_csv_header(engine::Connection& connection);

  FileTarget target_;
  bool there_ = false;
  std::vector<StoredColumn> columns_;
};

// SQL literal of a path for the engine's readers, for which *, ? and [ would mean a search.
std::string path_literal(const std::filesystem::path& path);
std::string json_pointer_to(const std::string& name);  // "/name", escaped
// Engine type of a Parquet column that is made for values of that type; decimals are not asked here.
std::string parquet_type(Type type);
// Values of that type may go into a Parquet column that has this type already.
bool fits_parquet(Type type, const std::string& engine_type);
// SQL: the journal's text as a value of that engine type.
std::string typed(const std::string& text, const std::string& engine_type);

}  // namespace eddy::connectors
