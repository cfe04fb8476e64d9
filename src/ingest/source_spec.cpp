#include "ingest/source_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.h"

namespace eddy::ingest {

namespace {

using config::Node;
using config::Shape;

constexpr std::array<std::pair<std::string_view, Format>, 7> formats{{{"csv", Format::csv},
                                                                      {"tsv", Format::tsv},
                                                                      {"json", Format::json},
                                                                      {"jsonl", Format::jsonl},
                                                                      {"parquet", Format::parquet},
                                                                      {"ndjson", Format::jsonl},
                                                                      {"tab", Format::tsv}}};

Shape stream_shape() {
  using config::field;
  using config::required;
  return Shape::object({
      required("path", Shape::string(), "file or glob (*, ?, [a-z], **), below the connection's folder"),
      field("format", Shape::enumeration({"csv", "tsv", "json", "jsonl", "parquet"}),
            "by the file's extension when left out"),
      field("mode", Shape::enumeration({"replace", "append"}),
            "replace: per file the newest load counts (default); append: every load counts"),
      field("key", Shape::list(Shape::string()), "columns that identify a row"),
      field("cursor", Shape::string(),
            "column that grows with every change; its range is kept with each load"),
      field("contract",
            Shape::object({field("columns", Shape::enumeration({"evolve", "freeze"}),
                                 "new or missing columns: take them over (default) or refuse the load"),
                           field("types", Shape::enumeration({"quarantine", "freeze"}),
                                 "values that do not fit: set the row aside (default) or refuse the load")}),
            "what happens when the data changes its form"),
      field("columns", Shape::map(Shape::string()), "declared types: column: ENGINE TYPE"),
      field("csv",
            Shape::object({field("delimiter", Shape::string(), "one character"),
                           field("quote", Shape::string(), "one character"),
                           field("header", Shape::boolean(), "the first line names the columns"),
                           field("null", Shape::string(), "text that stands for null")}),
            "how CSV is written; detected when left out"),
      field("description", Shape::string(), "what the stream is, for people"),
      field("tags", Shape::list(Shape::string()), "for selection: tag:x"),
  });
}

bool is_identifier(std::string_view name) {
  const auto word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && word(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return word(c) || (c >= '0' && c <= '9'); });
}

std::vector<std::string> texts_of(const Node& node) {
  std::vector<std::string> out;
  for (const Node& item : node.items()) out.push_back(item.text());
  return out;
}

std::optional<char> one_character(const Node& node, std::string_view what, Diagnostics& diagnostics) {
  if (!node.exists()) return std::nullopt;
  if (node.text() == "\\t") return '\t';
  if (node.text().size() == 1) return node.text()[0];
  diagnostics.add(node.complaint("ingest.not_one_character",
                                 fmt::format("the {} must be one character", what),
                                 "write \"\\t\" for a tab"));
  return std::nullopt;
}

StreamSpec build_stream(const std::string& source, const Node::Entry& entry, Diagnostics& diagnostics) {
  const Node& node = entry.value;
  StreamSpec stream;
  stream.source = source;
  stream.name = entry.name;
  stream.position = entry.key.position();
  stream.path = node["path"].text();
  if (node["format"].exists())
    stream.format = parse_format(node["format"].text());
  else if (!format_of_path(stream.path))
    diagnostics.add(node["path"].complaint(
        "ingest.unknown_format", fmt::format("the format of `{}` cannot be seen from its name", stream.path),
        "add `format: csv` (or tsv, json, jsonl, parquet)"));
  if (node["mode"].as_string("replace") == "append") stream.mode = StreamSpec::Mode::append;
  stream.key = texts_of(node["key"]);
  stream.cursor = node["cursor"].as_string("");
  const Node contract = node["contract"];
  if (contract["columns"].as_string("evolve") == "freeze") stream.new_columns = StreamSpec::Columns::freeze;
  if (contract["types"].as_string("quarantine") == "freeze") stream.bad_types = StreamSpec::Types::freeze;
  for (const Node::Entry& column : node["columns"].entries())
    stream.columns.emplace_back(column.name, column.value.text());
  const Node csv = node["csv"];
  stream.csv.delimiter = one_character(csv["delimiter"], "delimiter", diagnostics);
  stream.csv.quote = one_character(csv["quote"], "quote", diagnostics);
  if (csv["header"].exists()) stream.csv.header = csv["header"].as_boolean();
  if (csv["null"].exists()) stream.csv.null = csv["null"].text();
  stream.description = node["description"].as_string("");
  stream.tags = texts_of(node["tags"]);
  return stream;
}

}  // namespace

std::string_view name_of(Format format) { return formats[static_cast<std::size_t>(format)].first; }

std::optional<Format> parse_format(std::string_view name) {
  for (const auto& [known, format] : formats)
    if (known == name) return format;
  return std::nullopt;
}

std::optional<Format> format_of_path(std::string_view path) {
  std::string name = lower(path.substr(path.rfind('/') + 1));
  for (const std::string_view packed : {".gz", ".zst"})
    if (name.ends_with(packed)) name = name.substr(0, name.size() - packed.size());
  const auto dot = name.rfind('.');
  return dot == std::string::npos ? std::nullopt : parse_format(std::string_view(name).substr(dot + 1));
}

const Shape& source_shape() {
  static const Shape shape = Shape::object({
      config::required("connection", Shape::string(), "name of a connection in connections.yml"),
      config::required("streams", Shape::map(stream_shape()), "stream name: what to read"),
      config::field("description", Shape::string(), "what the source is, for people"),
  });
  return shape;
}

std::optional<SourceSpec> parse_source(const std::string& name, const Node& node, Diagnostics& diagnostics) {
  Diagnostics found;
  source_shape().check(node, found);
  constexpr std::string_view name_hint =
      "use letters, digits and _, not starting with a digit: it becomes the relation raw.<source>_<stream>";
  if (!is_identifier(name))
    found.add(node.complaint("ingest.invalid_name", fmt::format("`{}` is not a name for a source", name),
                             std::string(name_hint)));
  for (const Node::Entry& entry : node["streams"].entries())
    if (!is_identifier(entry.name))
      found.add(entry.key.complaint("ingest.invalid_name",
                                    fmt::format("`{}` is not a name for a stream", entry.name),
                                    std::string(name_hint)));
  SourceSpec spec;
  if (found.empty()) {
    spec.name = name;
    spec.connection = node["connection"].text();
    spec.position = node.position();
    spec.connection_position = node["connection"].position();
    for (const Node::Entry& entry : node["streams"].entries())
      spec.streams.push_back(build_stream(name, entry, found));
  }
  for (const Diagnostic& diagnostic : found.list()) diagnostics.add(diagnostic);
  if (!found.empty()) return std::nullopt;
  return spec;
}

}  // namespace eddy::ingest
