#include "connectors/files/stored.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {
namespace fs = std::filesystem;
using engine::quote_identifier;
using engine::quote_literal;

namespace {

constexpr std::size_t buffer_bytes = line_bytes_max + 4'000'000;  // the engine would take 16 lines

[[noreturn]] void unreadable(const FileTarget& target, const std::string& why) {
  throw Error(
      "destination.unreadable",
      fmt::format("{} is not read as {}: {}", target.file.string(), name_of(target.format), why),
      "its rows would be lost if it were written anew: repair it, or move it away and send all rows again");
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// The names in the first line of a CSV file.
std::vector<std::string> csv_names(const std::string& line) {
  std::vector<std::string> names(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      names.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  return names;
}

std::string packed(const FileTarget& target) {
  return quote_literal(target.compression == FileCompression::none ? "uncompressed"
                                                                   : name_of(target.compression));
}

}  // namespace

std::string path_literal(const fs::path& path) {
  std::string out;
  for (const char c : path.string()) {
    if (c == '*' || c == '?' || c == '[')
      out += std::string("[") + c + "]";
    else
      out += c;
  }
  return quote_literal(out);
}

std::string json_pointer_to(const std::string& name) {
  return "/" + replace_all(replace_all(name, "~", "~0"), "/", "~1");
}

StoredFile::StoredFile(engine::Connection& connection, const FileTarget& target) : target_(target) {
  std::error_code ignored;
  there_ = fs::is_regular_file(target.file, ignored) && fs::file_size(target.file, ignored) > 0;
  if (!there_) return;
  try {
    if (target.format == FileFormat::csv) read_csv_header(connection);
    if (target.format == FileFormat::parquet)
      for (const auto& column :
           connection.columns_of(fmt::format("select * from read_parquet({})", path_literal(target.file))))
        columns_.push_back({column.name, column.engine_type});
  } catch (const Error& error) {
    if (error.code() != "engine.query_failed") throw;
    unreadable(target, first_line(error.message()));
  }
}

void StoredFile::read_csv_header(engine::Connection& connection) {
  // Every line as one cell: no separator, no quotes.
  const Value line =
      connection
          .query(fmt::format("select l from read_csv({}, auto_detect=false, header=false, "
                             "columns={{'l': 'VARCHAR'}}, delim=e'\\x01', quote='', escape='', "
                             "max_line_size={}, buffer_size={}, compression={}) limit 1",
                             path_literal(target_.file), line_bytes_max, buffer_bytes, packed(target_)))
          .scalar();
  if (line.is_null()) {
    there_ = false;
    return;
  }
  for (std::string& name : csv_names(line.as_string())) columns_.push_back({std::move(name), "VARCHAR"});
}

const StoredColumn* StoredFile::find(const std::string& name) const {
  const auto found =
      std::find_if(columns_.begin(), columns_.end(), [&](const auto& c) { return c.name == name; });
  return found == columns_.end() ? nullptr : &*found;
}

std::string StoredFile::relation() const {
  if (target_.format == FileFormat::jsonl) {
    if (!there_) return "(select null::varchar as line where false)";
    return fmt::format(
        "(select json::varchar as line from read_ndjson_objects({}, maximum_object_size={}, compression={}))",
        path_literal(target_.file), line_bytes_max, packed(target_));
  }
  if (!there_) return "(select null::varchar as x0 where false)";
  std::vector<std::string> columns;
  if (target_.format == FileFormat::parquet) {
    for (std::size_t i = 0; i < columns_.size(); ++i)
      columns.push_back(fmt::format("{} as x{}", quote_identifier(columns_[i].name), i));
    return fmt::format("(select {} from read_parquet({}))", join(columns, ", "), path_literal(target_.file));
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) columns.push_back(fmt::format("'x{}': 'VARCHAR'", i));
  // A null is nothing; "" is the empty text.
  return fmt::format(
      "(select * from read_csv({}, auto_detect=false, header=true, columns={{{}}}, delim=',', quote='\"', "
      "escape='\"', nullstr='', allow_quoted_nulls=false, max_line_size={}, buffer_size={}, compression={}))",
      path_literal(target_.file), join(columns, ", "), line_bytes_max, line_bytes_max + 4'000'000,
      packed(target_));
}

std::string StoredFile::cell(const std::string& name) const {
  if (!there_) return "null";
  if (target_.format == FileFormat::jsonl)
    return fmt::format("json_extract(o.line, {})::varchar", quote_literal(json_pointer_to(name)));
  const StoredColumn* column = find(name);
  return column == nullptr ? "null" : fmt::format("o.x{}", column - columns_.data());
}

std::string StoredFile::key(const std::string& name) const {
  if (!there_) return "null";
  if (target_.format != FileFormat::jsonl) return cell(name);
  return fmt::format("json_extract_string(o.line, {})", quote_literal(json_pointer_to(name)));
}

std::string parquet_type(Type type) {
  switch (type) {
    case Type::boolean:
      return "BOOLEAN";
    case Type::integer:
      return "BIGINT";
    case Type::real:
      return "DOUBLE";
    case Type::date:
      return "DATE";
    case Type::timestamp:
      return "TIMESTAMP WITH TIME ZONE";
    case Type::json:
      return "JSON";
    case Type::blob:
      return "BLOB";
    default:
      return "VARCHAR";
  }
}

bool fits_parquet(Type type, const std::string& engine_type) {
  const auto any_of = [&](std::initializer_list<const char*> types) {
    return std::find(types.begin(), types.end(), engine_type) != types.end();
  };
  switch (type) {
    case Type::null:
      return true;
    case Type::integer:
      return any_of({"BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER", "USMALLINT",
                     "UTINYINT", "HUGEINT"});
    case Type::decimal:
      return engine_type.starts_with("DECIMAL");
    case Type::timestamp:
      return engine_type.starts_with("TIMESTAMP");
    default:
      return engine_type == parquet_type(type);
  }
}

std::string typed(const std::string& text, const std::string& engine_type) {
  if (engine_type == "VARCHAR") return text;
  if (engine_type == "BLOB") return fmt::format("from_base64({})", text);
  return fmt::format("cast({} as {})", text, engine_type);
}

}  // namespace eddy::connectors
