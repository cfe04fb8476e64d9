#include "report/dashboard_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/secrets.h"
#include "core/text.h"
#include "engine/sql_reading.h"

namespace eddy::report {
namespace {

using nlohmann::json;

constexpr std::int64_t exact_integer_max = std::int64_t{1} << 53;

bool is_numeric(Type type) { return type == Type::integer || type == Type::real || type == Type::decimal; }

struct Answer {
  Schema columns;
  json rows = json::array();
  bool truncated = false;
};

Answer ask(engine::Connection& connection, const std::string& sql, std::uint64_t rows_max) {
  // A dashboard reads: anything but one SELECT is refused here, before the engine runs it.
  engine::table_references(connection, sql);
  engine::Result result = connection.stream(sql);
  Answer answer;
  answer.columns = result.schema();
  while (const std::optional<engine::Chunk> chunk = result.next()) {
    for (std::size_t row = 0; row < chunk->rows(); ++row) {
      if (answer.rows.size() == rows_max) {
        answer.truncated = true;
        return answer;
      }
      json cells = json::array();
      for (std::size_t column = 0; column < chunk->columns(); ++column)
        cells.push_back(cell_json(chunk->value(column, row)));
      answer.rows.push_back(std::move(cells));
    }
  }
  return answer;
}

// Finds the columns that a tile names in what its query gave.
class Columns {
 public:
  Columns(const Schema& schema, const TileSpec& tile) : schema_(schema), tile_(tile) {}

  std::string find(const std::string& name, std::string_view key) const {
    if (name.empty()) return {};
    return column(name, tile_.node[key]).name;
  }

  std::string measure(const std::string& name, std::string_view key) const {
    if (name.empty()) return {};
    const Column& found = column(name, tile_.node[key]);
    if (!is_numeric(found.type) && tile_.aggregate != Aggregate::count)
      tile_.node[key].fail(
          "dashboard.not_a_number",
          fmt::format("column `{}` is of type {}, not a number", found.name, name_of(found.type)),
          "cast it in the query, or choose another column");
    return found.name;
  }

  std::string first_number() const {
    for (const Column& candidate : schema_)
      if (is_numeric(candidate.type)) return candidate.name;
    tile_.node.fail("dashboard.not_a_number", "the result has no numeric column to show",
                    "name one with `value`");
  }

 private:
  const Column& column(const std::string& name, const config::Node& where) const {
    const auto exact =
        std::find_if(schema_.begin(), schema_.end(), [&](const Column& c) { return c.name == name; });
    if (exact != schema_.end()) return *exact;
    // As in SQL, case does not matter.
    const auto alike = std::find_if(schema_.begin(), schema_.end(),
                                    [&](const Column& c) { return lower(c.name) == lower(name); });
    if (alike != schema_.end()) return *alike;
    std::vector<std::string> names;
    for (const Column& c : schema_) names.push_back(c.name);
    std::string hint = did_you_mean_hint(name, names);
    if (hint.empty()) hint = "its columns: " + join(names, ", ");
    where.fail("dashboard.unknown_column", fmt::format("the result has no column `{}`", name), hint);
  }

  const Schema& schema_;
  const TileSpec& tile_;
};

json described(const TileSpec& tile) {
  return {{"type", name_of(tile.type)},
          {"title", tile.title},
          {"description", tile.description},
          {"text", tile.text},
          {"format", name_of(tile.format)},
          {"formats", json::object()},
          {"aggregate", name_of(tile.aggregate)},
          {"limit", tile.limit},
          {"horizontal", tile.horizontal},
          {"width", tile.width},
          {"height", tile.height},
          {"compare_label", tile.compare_label},
          {"good", tile.good_is_up ? "up" : "down"},
          {"descending", tile.sort_descending}};
}

void resolve_columns(const TileSpec& tile, const Schema& schema, json& out) {
  const Columns columns(schema, tile);
  if (tile.type == TileType::number) {
    out["value"] = tile.value.empty() ? columns.first_number() : columns.measure(tile.value, "value");
    out["compare"] = columns.measure(tile.compare, "compare");
  }
  out["x"] = columns.find(tile.x, "x");
  out["series"] = columns.find(tile.series, "series");
  out["sort"] = columns.find(tile.sort, "sort");
  out["y"] = json::array();
  for (const std::string& y : tile.y) out["y"].push_back(columns.measure(y, "y"));
  out["columns"] = json::array();
  for (const std::string& column : tile.columns) out["columns"].push_back(columns.find(column, "columns"));
  for (const ColumnFormat& format : tile.formats)
    out["formats"][columns.find(format.column, "format")] = name_of(format.format);
}

json result_json(Answer answer) {
  json columns = json::array();
  for (const Column& column : answer.columns)
    columns.push_back({{"name", column.name}, {"type", name_of(column.type)}});
  return {{"columns", std::move(columns)}, {"rows", std::move(answer.rows)}, {"truncated", answer.truncated}};
}

// What the user is told: the engine's words, at the place in the dashboard's file.
Diagnostic placed(const Error& error, const config::Node& where) {
  Diagnostic diagnostic = error.diagnostics().front();
  if (!diagnostic.position.known())
    diagnostic = where.complaint(diagnostic.code, diagnostic.message, diagnostic.hint);
  diagnostic.message = redact(diagnostic.message);
  diagnostic.hint = redact(diagnostic.hint);
  diagnostic.excerpt = redact(diagnostic.excerpt);
  return diagnostic;
}

json error_json(const Diagnostic& diagnostic) {
  return {{"code", diagnostic.code}, {"message", diagnostic.message}, {"hint", diagnostic.hint}};
}

json run_filter(engine::Connection& connection, const DashboardSpec& spec, const FilterSpec& filter,
                const Limits& limits, std::vector<Failure>& failures) {
  json out = {{"name", filter.name},
              {"label", filter.label},
              {"column", filter.column},
              {"options", nullptr},
              {"initial", filter.initial.empty() ? json(nullptr) : json(filter.initial)}};
  if (!filter.options.empty()) out["options"] = filter.options;
  if (filter.options_sql.empty()) return out;
  try {
    json options = json::array();
    for (json& row : ask(connection, filter.options_sql, limits.choices_max).rows)
      options.push_back(std::move(row.front()));
    out["options"] = std::move(options);
  } catch (const Error& error) {
    failures.push_back({spec.name, "filter " + filter.name, placed(error, filter.node["options"])});
  }
  return out;
}

// A filter whose column no tile has would look as if it worked. Results with the column in another case are
// met halfway.
void check_filter(const DashboardSpec& spec, const FilterSpec& filter, json& filter_data, const json& tiles,
                  std::vector<Failure>& failures) {
  std::vector<std::string> names;
  bool complete = true;
  for (const json& tile : tiles) {
    if (tile.contains("error")) complete = false;
    if (!tile.contains("result")) continue;
    for (const json& column : tile["result"]["columns"]) {
      const std::string name = column["name"];
      if (lower(name) == lower(filter.column)) {
        filter_data["column"] = name;
        return;
      }
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  if (!complete) return;
  std::string hint = did_you_mean_hint(filter.column, names);
  if (hint.empty()) hint = "select the column in the tiles that the filter is meant for";
  const config::Node where = filter.node["column"].exists() ? filter.node["column"] : filter.node;
  failures.push_back({spec.name, "filter " + filter.name,
                      where.complaint("dashboard.unused_filter",
                                      fmt::format("no tile has the column `{}`", filter.column), hint)});
}

}  // namespace

json cell_json(const Value& value) {
  if (value.type() == Type::integer) {
    const std::int64_t number = value.as_integer();
    if (number >= -exact_integer_max && number <= exact_integer_max) return number;
    return std::to_string(number);
  }
  if (value.type() == Type::decimal) {
    // A double holds 15 significant digits.
    const std::string& digits = value.as_string();
    if (std::count_if(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }) > 15)
      return digits;
  }
  return value.to_json();
}

DashboardRun run_dashboard(warehouse::Session& session, const DashboardSpec& spec, const Cancel& cancel,
                           const Limits& limits) {
  engine::Connection connection = session.connect();
  DashboardRun run;
  json tiles = json::array();
  for (std::size_t at = 0; at < spec.tiles.size(); ++at) {
    if (cancel.requested())
      throw Error("report.interrupted", "the report was interrupted; nothing was written");
    const TileSpec& tile = spec.tiles[at];
    json out = described(tile);
    ++run.tiles;
    if (tile.type != TileType::text) try {
        Answer answer = ask(connection, tile.sql, limits.rows_max);
        resolve_columns(tile, answer.columns, out);
        run.rows += answer.rows.size();
        out["result"] = result_json(std::move(answer));
      } catch (const Error& error) {
        if (error.code() == "engine.interrupted")
          throw Error("report.interrupted", "the report was interrupted; nothing was written");
        const Diagnostic diagnostic =
            placed(error, tile.node[tile.node["sql"].is_scalar() ? "sql" : "model"]);
        out["error"] = error_json(diagnostic);
        const std::string title = tile.title.empty() ? "" : fmt::format(" ({})", tile.title);
        run.failures.push_back({spec.name, fmt::format("tile {}{}", at + 1, title), diagnostic});
      }
    tiles.push_back(std::move(out));
  }
  json filters = json::array();
  for (const FilterSpec& filter : spec.filters) {
    json out = run_filter(connection, spec, filter, limits, run.failures);
    check_filter(spec, filter, out, tiles, run.failures);
    filters.push_back(std::move(out));
  }
  run.data = {{"name", spec.name},
              {"title", spec.title},
              {"text", spec.text},
              {"description", spec.description},
              {"filters", std::move(filters)},
              {"tiles", std::move(tiles)}};
  return run;
}

}  // namespace eddy::report
