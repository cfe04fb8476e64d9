#include "app/from_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "ingest/inspect.h"

namespace eddy::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view source_name = "data";
constexpr std::size_t dashboard_streams_max = 8;  // a first dashboard is a start, not an inventory

// A YAML scalar in quotes: paths and names may hold anything.
std::string yaml_text(std::string_view text) {
  return "\"" + replace_all(replace_all(std::string(text), "\\", "\\\\"), "\"", "\\\"") + "\"";
}

std::string relation_of(const ingest::FoundStream& stream) {
  return fmt::format("raw.{}_{}", source_name, stream.name);
}

// Column names of the cleaned model: lower-case identifiers, each once.
std::vector<std::string> clean_names(const ingest::FoundStream& stream) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const ingest::FoundColumn& column : stream.columns) {
    std::string name = ingest::identifier_of(column.name);
    for (int n = 2; !taken.insert(name).second; ++n)
      name = fmt::format("{}_{}", ingest::identifier_of(column.name), n);
    names.push_back(name);
  }
  return names;
}

// The cleaned name of a raw column, quoted.
std::string clean_name(const ingest::FoundStream& stream, const std::string& column) {
  const auto names = clean_names(stream);
  for (std::size_t i = 0; i < stream.columns.size(); ++i)
    if (stream.columns[i].name == column) return names[i];
  return column;
}

std::string source_yaml(const ingest::FolderContents& found) {
  std::string out = "connection: files\nstreams:\n";
  for (const ingest::FoundStream& stream : found.streams)
    out += fmt::format("  {}: {{path: {}, format: {}}}\n", stream.name, yaml_text(stream.path),
                       name_of(stream.format));
  return out;
}

std::string clean_sql(const ingest::FoundStream& stream) {
  std::string header =
      fmt::format("/* eddy\ndescription: {}\n",
                  yaml_text(fmt::format("{}, text trimmed, empty text as null", stream.path)));
  // A key is declared only when every row was seen to keep it.
  if (!stream.key_candidates.empty() && stream.rows_looked_at >= stream.rows) {
    const std::string key = clean_name(stream, stream.key_candidates.front());
    header += fmt::format("tests:\n  - not_null: [{0}]\n  - unique: [{0}]\n", key);
  }
  const auto names = clean_names(stream);
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < stream.columns.size(); ++i) {
    const std::string from = engine::quote_identifier(stream.columns[i].name);
    const std::string to = engine::quote_identifier(names[i]);
    columns.push_back(stream.columns[i].type == "VARCHAR"
                          ? fmt::format("  nullif(trim({}), '') as {}", from, to)
                      : from == to ? "  " + from
                                   : fmt::format("  {} as {}", from, to));
  }
  return header + "*/\nselect\n" + join(columns, ",\n") + "\nfrom " + relation_of(stream) + "\n";
}

std::string tile(const std::string& title, const std::string& type, const std::string& sql,
                 const std::string& more) {
  return fmt::format("  - title: {}\n    type: {}\n    sql: {}\n{}", yaml_text(title), type, yaml_text(sql),
                     more);
}

void add_tiles(const ingest::FoundStream& stream, std::string& out) {
  const std::string relation = "clean." + stream.name;
  const auto column = [&](const std::string& raw) {
    return engine::quote_identifier(clean_name(stream, raw));
  };
  out += tile(stream.name + ": rows", "number", fmt::format("select count(*) as \"rows\" from {}", relation),
              "    value: rows\n    width: 3\n");
  if (!stream.dates.empty()) {
    const std::string date = column(stream.dates.front());
    const std::string measure =
        stream.numbers.empty() ? "count(*)" : fmt::format("avg({})", column(stream.numbers.front()));
    const std::string what =
        stream.numbers.empty() ? "rows" : "average " + clean_name(stream, stream.numbers.front());
    out += tile(fmt::format("{}: {} by month", stream.name, what), "line",
                fmt::format("select date_trunc('month', {0})::date as month, {1} as value from {2} where {0} "
                            "is not null group by 1 order by 1",
                            date, measure, relation),
                "    x: month\n    y: value\n    width: 9\n");
  } else if (!stream.categories.empty()) {
    const std::string category = column(stream.categories.front());
    out +=
        tile(fmt::format("{}: rows by {}", stream.name, clean_name(stream, stream.categories.front())), "bar",
             fmt::format("select {0}::varchar as category, count(*) as \"rows\" from {1} group by 1 order by "
                         "2 desc limit 20",
                         category, relation),
             "    x: category\n    y: rows\n    width: 9\n");
  } else {
    out += tile(fmt::format("{}: first rows", stream.name), "table",
                fmt::format("select * from {} limit 20", relation), "    width: 9\n");
  }
}

std::string dashboard_yaml(const ingest::FolderContents& found, const std::string& name) {
  std::string out = fmt::format("title: {}\ntiles:\n", yaml_text(name));
  std::vector<const ingest::FoundStream*> streams;
  for (const ingest::FoundStream& stream : found.streams) streams.push_back(&stream);
  // The richest first: dates tell stories, then categories.
  std::stable_sort(streams.begin(), streams.end(), [](const auto* a, const auto* b) {
    const auto worth = [](const ingest::FoundStream& s) {
      return (s.dates.empty() ? 0 : 2) + (s.numbers.empty() ? 0 : 1) + (s.categories.empty() ? 0 : 1);
    };
    return worth(*a) > worth(*b);
  });
  if (streams.size() > dashboard_streams_max) streams.resize(dashboard_streams_max);
  for (const ingest::FoundStream* stream : streams) add_tiles(*stream, out);
  return out;
}

std::string connections_yaml(const fs::path& data, const fs::path& project) {
  const fs::path inside = data.lexically_relative(project);
  const bool below = !inside.empty() && *inside.begin() != "..";
  return fmt::format("files:\n  type: files\n  path: {}\n",
                     yaml_text(below ? inside.string() : data.string()));
}

}  // namespace

FromFolder project_from_folder(const fs::path& data, const fs::path& project, const std::string& name) {
  const fs::path folder = fs::weakly_canonical(fs::absolute(data));
  const fs::path work = fs::temp_directory_path() / ("eddy-init-" + new_id());
  ingest::FolderContents found;
  {
    auto database =
        engine::Database::in_memory({.memory_limit = "1GB", .spill_folder = work / "spill", .threads = 0});
    auto connection = database.connect();
    const Cancel cancel;
    found = ingest::inspect_folder(connection, folder, work, cancel);
  }
  std::error_code ignored;
  fs::remove_all(work, ignored);
  if (found.streams.empty()) {
    std::vector<std::string> reasons;
    for (const ingest::SkippedFile& file : found.skipped)
      reasons.push_back(fmt::format("{}: {}", file.path, file.reason));
    throw Error("init.no_data",
                fmt::format("no data file in {} can be read as rows{}", folder.string(),
                            reasons.empty() ? "" : " (" + join(reasons, "; ") + ")"),
                "CSV, TSV, JSON, JSON lines and Parquet are read, plain, .gz or .zst");
  }
  FromFolder made;
  made.files.emplace_back("eddy.yml", fmt::format("name: {}\n", name));
  made.files.emplace_back("connections.yml", connections_yaml(folder, project));
  made.files.emplace_back(fmt::format("sources/{}.yml", source_name), source_yaml(found));
  for (const ingest::FoundStream& stream : found.streams)
    made.files.emplace_back(fmt::format("models/clean/{}.sql", stream.name), clean_sql(stream));
  made.files.emplace_back("dashboards/overview.yml", dashboard_yaml(found, name));
  for (const ingest::FoundStream& stream : found.streams)
    made.notes.push_back(fmt::format("{:<28} {:>10} rows  {:>3} columns  {}", stream.name,
                                     with_commas(stream.rows), stream.columns.size(), stream.path));
  for (const ingest::SkippedFile& file : found.skipped)
    made.notes.push_back(fmt::format("skipped {}: {}", file.path, file.reason));
  return made;
}

}  // namespace eddy::app
