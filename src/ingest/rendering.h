// From the bytes of one file to one Parquet file with the stream's columns plus _load_id and _loaded_at;
// whatever does not fit goes to the quarantine. One function per family of formats (csv.h, json.h, parquet.h)
// with what they share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "engine/database.h"
#include "ingest/quarantine.h"
#include "ingest/source_spec.h"

namespace eddy::ingest {

struct StreamColumn {
  std::string name;
  std::string type;  // the engine's
  bool operator==(const StreamColumn&) const = default;
};

// How one CSV file is written.
struct CsvDialect {
  char delimiter = ',';
  char quote = '"';
  bool header = true;
  std::string date_format, timestamp_format;  // "" is ISO 8601
  nlohmann::json to_json() const;
  static CsvDialect from_json(const nlohmann::json& json);
};

// The columns of a stream, in order, as the loads so far made them. Names are compared without regard to
// case, as SQL does.
class StreamSchema {
 public:
  static StreamSchema from_json(std::string_view text);  // of state::Load::schema; "" and "[]" are empty
  std::string to_json() const;
  const std::vector<StreamColumn>& columns() const { return columns_; }
  const StreamColumn* find(std::string_view name) const;

  // Types are not to be relied on yet: no load had a row (a file with nothing but a header).
  bool provisional = false;
  // Takes over what a file has. A declared type wins, then the recorded one, then the found one. Throws, with
  // the stream's contract `freeze`, Error("ingest.contract_columns") naming new and missing columns;
  // Error("ingest.reserved_column") for _load_id and _loaded_at. What changed is told in words, one per
  // column. On the first file of a stream nothing is told.
  std::vector<std::string> take_over(const std::vector<StreamColumn>& found, const StreamSpec& spec,
                                     const std::string& origin);

 private:
  std::vector<StreamColumn> columns_;
};

// One file to be rendered.
struct Rendering {
  engine::Connection& connection;
  const StreamSpec& spec;
  const Cancel& cancel;
  std::string load_id, loaded_at;
  std::string origin;
  std::filesystem::path plain;  // the bytes, unpacked; nobody changes them
  std::filesystem::path work;   // a folder for passing files
  std::filesystem::path out;    // the Parquet file to write
};

struct Rendered {
  std::uint64_t rows = 0;
  std::uint64_t quarantined = 0;
  bool written = false;  // `out` exists (there were columns)
  std::vector<std::string> changes;
  std::optional<CsvDialect> dialect;
};

// COPY of `select` (the stream's columns) into out, with the two columns of every load. Returns the number of
// rows.
std::uint64_t write_parquet(const Rendering& job, const std::string& select_list, const std::string& from);
// An `out` without rows, so that the relation has its columns.
void write_empty_parquet(const Rendering& job, const StreamSchema& schema);

// Expressions that turn column `source` into `type` exactly or not at all: "1.5" is no BIGINT, and is not
// rounded into one.
struct Cast {
  std::string value;  // SQL: the value, NULL when it does not fit
  std::string bad;    // SQL: true when it does not fit; "" when everything fits
};
Cast exact_cast(const std::string& quoted_source, const std::string& source_type, const std::string& type);
bool is_integer_type(std::string_view type);

// The first line of an engine message, without its class.
std::string engine_reason(std::string_view message);

}  // namespace eddy::ingest
