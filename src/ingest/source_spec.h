// sources/<name>.yml: what is read from a connection, and under which contract. The file's name is the
// source's name; each of its streams becomes the relation raw.<source>_<stream>.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/shape.h"
#include "core/error.h"

namespace eddy::ingest {

enum class Format { csv, tsv, json, jsonl, parquet };
std::string_view name_of(Format format);
std::optional<Format> parse_format(std::string_view name);
// By the last extension that is not .gz or .zst: "usage.jsonl.gz" is jsonl (also .ndjson), ".tab" is tsv.
std::optional<Format> format_of_path(std::string_view path);

// How CSV and TSV are written, where it is declared. What is not declared is detected.
struct CsvOptions {
  std::optional<char> delimiter;
  std::optional<char> quote;
  std::optional<bool> header;
  std::optional<std::string> null;  // the text that stands for null, besides the empty one
};

struct StreamSpec {
  enum class Mode { replace, append };  // the raw view shows, per origin path, the newest load, or all loads
  enum class Columns {
    evolve,
    freeze
  };  // a column that is new or missing: taken over, or the load is refused
  enum class Types {
    quarantine,
    freeze
  };  // a value that does not fit its column: the row is set aside, or the load is refused
  std::string source = {}, name = {};
  std::string path = {};              // file or glob, below the connection's folder
  std::optional<Format> format = {};  // by extension when not declared
  Mode mode = Mode::replace;
  std::vector<std::string> key = {};
  std::string cursor = {};
  Columns new_columns = Columns::evolve;
  Types bad_types = Types::quarantine;
  std::vector<std::pair<std::string, std::string>> columns =
      {};  // declared types: name, engine type ("DECIMAL(10,2)")
  CsvOptions csv = {};
  std::string description = {};
  std::vector<std::string> tags = {};
  SourcePosition position = {};

  std::string relation() const { return "raw." + source + "_" + name; }
};

struct SourceSpec {
  std::string name;
  std::string connection;
  SourcePosition position;
  SourcePosition connection_position;
  std::vector<StreamSpec> streams;
};

const config::Shape& source_shape();  // for checks and `eddy schema`
// Checks `node` against the shape and builds the spec; problems go to `diagnostics` (config.*,
// ingest.invalid_name, ingest.unknown_format), and nullopt comes back when there were any.
std::optional<SourceSpec> parse_source(const std::string& name, const config::Node& node,
                                       Diagnostics& diagnostics);

}  // namespace eddy::ingest
