#include "report/dashboard_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/text.h"

namespace eddy::report {
namespace {

using config::field;
using config::Node;
using config::required;
using config::Shape;

constexpr std::array tile_types = {std::pair{TileType::number, "number"},
                                   std::pair{TileType::line, "line"},
                                   std::pair{TileType::bar, "bar"},
                                   std::pair{TileType::area, "area"},
                                   std::pair{TileType::stacked_bar, "stacked_bar"},
                                   std::pair{TileType::pie, "pie"},
                                   std::pair{TileType::table, "table"},
                                   std::pair{TileType::text, "text"}};
constexpr std::array formats = {std::pair{Format::automatic, "auto"},  std::pair{Format::integer, "integer"},
                                std::pair{Format::decimal, "decimal"}, std::pair{Format::usd, "usd"},
                                std::pair{Format::eur, "eur"},         std::pair{Format::gbp, "gbp"},
                                std::pair{Format::percent, "percent"}, std::pair{Format::compact, "compact"},
                                std::pair{Format::date, "date"},       std::pair{Format::text, "text"}};
constexpr std::array aggregates = {std::pair{Aggregate::sum, "sum"},     std::pair{Aggregate::avg, "avg"},
                                   std::pair{Aggregate::min, "min"},     std::pair{Aggregate::max, "max"},
                                   std::pair{Aggregate::count, "count"}, std::pair{Aggregate::first, "first"},
                                   std::pair{Aggregate::last, "last"}};

template <typename Table, typename Word>
std::string_view word_name(const Table& table, Word word) {
  for (const auto& [value, name] : table)
    if (value == word) return name;
  return {};
}
template <typename Table>
auto word_of(const Table& table, std::string_view name) {
  for (const auto& [value, known] : table)
    if (name == known) return value;
  return table.front().first;
}
template <typename Table>
Shape word_shape(const Table& table) {
  std::vector<std::string> names;
  for (const auto& entry : table) names.emplace_back(entry.second);
  return Shape::enumeration(std::move(names));
}

// A key without a value is as good as absent.
bool given(const Node& node) { return node.exists() && node.kind() != config::Kind::null; }
std::string text_at(const Node& node, std::string_view key, std::string_view otherwise) {
  return node[key].is_scalar() ? node[key].text() : std::string(otherwise);
}

Shape tile_shape() {
  return Shape::object({
      required("type", word_shape(tile_types), "how the result is drawn"),
      field("title", Shape::string(), "heading of the tile"),
      field("description", Shape::string(), "one line below the title"),
      field("sql", Shape::string(), "one SELECT statement"),
      field("model", Shape::string(), "a whole model instead of sql, as layer.name"),
      field("text", Shape::string(), "text tiles: headings, **bold**, *italic*, `code`, lists, [links](…)"),
      field("value", Shape::string(), "number tiles: the column shown; default: the first numeric one"),
      field("compare", Shape::string(), "number tiles: column with the value to compare with"),
      field("compare_label", Shape::string(), "number tiles: what it is compared with, for people"),
      field("good", Shape::enumeration({"up", "down"}),
            "number tiles: the direction that is good news; default: up"),
      field("x", Shape::string(),
            "charts: column of the axis or the slices; number tiles: column of a sparkline"),
      field("y", Shape::list(Shape::string()), "charts: one or more numeric columns"),
      field("series", Shape::string(), "charts: column whose values become one series each"),
      field("columns", Shape::list(Shape::string()), "tables: which columns, in this order; default: all"),
      field("format", Shape::one_of({word_shape(formats), Shape::map(word_shape(formats))}),
            "how numbers are written; one word, or a map of column: word"),
      field("aggregate", word_shape(aggregates), "what several rows in one place become; default: sum"),
      field("sort", Shape::string(), "a column, or `column desc`; default: the order of the query"),
      field("limit", Shape::integer(), "at most so many table rows, bars or slices, after sorting"),
      field("horizontal", Shape::boolean(), "bars: lie on their side"),
      field("width", Shape::integer(),
            "columns of the 12-column grid, 1 to 12; default: 3 for numbers, 12 for text, else 6"),
      field("height", Shape::integer(), "pixels of the drawing, 80 to 2000"),
  });
}

Shape filter_shape() {
  return Shape::object({
      field("label", Shape::string(), "for people; default: the filter's name"),
      field("column", Shape::string(), "result column it compares; default: the filter's name"),
      field("options", Shape::one_of({Shape::string(), Shape::list(Shape::string())}),
            "a SELECT whose first column gives the choices, or a list of them; default: the values found in "
            "the tiles"),
      field("default", Shape::string(), "chosen at first; `all` (the default) filters nothing"),
  });
}

// Which keys a tile type reads, beside those that every tile has.
struct Reads {
  TileType type;
  std::vector<std::string_view> keys;
};
const std::vector<Reads>& reads() {
  static const std::vector<Reads> table = {
      {TileType::number,
       {"sql", "model", "value", "compare", "compare_label", "good", "x", "format", "aggregate"}},
      {TileType::line,
       {"sql", "model", "x", "y", "series", "format", "aggregate", "sort", "limit", "height"}},
      {TileType::area,
       {"sql", "model", "x", "y", "series", "format", "aggregate", "sort", "limit", "height"}},
      {TileType::bar,
       {"sql", "model", "x", "y", "series", "format", "aggregate", "sort", "limit", "horizontal", "height"}},
      {TileType::stacked_bar,
       {"sql", "model", "x", "y", "series", "format", "aggregate", "sort", "limit", "horizontal", "height"}},
      {TileType::pie, {"sql", "model", "x", "y", "format", "aggregate", "sort", "limit", "height"}},
      {TileType::table, {"sql", "model", "columns", "format", "sort", "limit", "height"}},
      {TileType::text, {"text"}},
  };
  return table;
}
constexpr std::array<std::string_view, 4> common_keys = {"type", "title", "description", "width"};

std::string_view article(TileType type) { return type == TileType::area ? "an" : "a"; }

bool is_chart(TileType type) {
  return type != TileType::number && type != TileType::table && type != TileType::text;
}

// Words that only this type of tile understands, and words that it cannot do without.
void check_keys(TileType type, const Node& node, Diagnostics& diagnostics) {
  const auto& read =
      std::find_if(reads().begin(), reads().end(), [&](const Reads& r) { return r.type == type; })->keys;
  for (const Node::Entry& entry : node.entries()) {
    if (std::find(common_keys.begin(), common_keys.end(), entry.name) != common_keys.end()) continue;
    if (std::find(read.begin(), read.end(), entry.name) != read.end()) continue;
    diagnostics.add(entry.key.complaint(
        "dashboard.key_not_used",
        fmt::format("{} {} tile does not use `{}`", article(type), name_of(type), entry.name),
        fmt::format("it uses {}", fmt::join(read, ", "))));
  }
  const auto need = [&](std::string_view key, std::string_view hint) {
    if (given(node[key]) && !(node[key].kind() == config::Kind::list && node[key].items().empty())) return;
    diagnostics.add(node.complaint("dashboard.missing_key",
                                   fmt::format("{} {} tile needs `{}`", article(type), name_of(type), key),
                                   std::string(hint)));
  };
  if (type == TileType::text) {
    need("text", "text: what it says");
    return;
  }
  if (!given(node["sql"]) && !given(node["model"]))
    need("sql", "sql: \"select …\", or model: presentation.<name>");
  if (is_chart(type)) {
    need("x", "x: the column of the axis");
    need("y", "y: the column that is measured, or a list of columns");
  }
  if (given(node["sql"]) && given(node["model"]))
    diagnostics.add(node["model"].complaint(
        "dashboard.conflict", "a tile reads either `sql` or `model`, not both", "leave one of them out"));
  if (given(node["series"]) && node["y"].items().size() > 1)
    diagnostics.add(node["series"].complaint("dashboard.conflict", "`series` works with one `y` column only",
                                             "leave out `series`, or name one column in `y`"));
  if (type == TileType::pie && node["y"].items().size() > 1)
    diagnostics.add(
        node["y"].complaint("dashboard.conflict", "a pie shows one `y` column", "name one column"));
}

std::int64_t number_within(const Node& node, std::int64_t low, std::int64_t high, std::int64_t otherwise,
                           Diagnostics& diagnostics) {
  if (!node.is_scalar()) return otherwise;
  const std::int64_t number = node.as_integer();
  if (number >= low && number <= high) return number;
  diagnostics.add(
      node.complaint("dashboard.bad_value", fmt::format("{} is outside {} to {}", number, low, high)));
  return otherwise;
}

std::string model_query(const Node& node, Diagnostics& diagnostics) {
  static const std::vector<std::string> layers = {"raw", "clean", "presentation", "warehouse"};
  const std::vector<std::string> parts = split(node.text(), '.');
  if (parts.size() == 2 && !parts[1].empty() &&
      std::find(layers.begin(), layers.end(), parts[0]) != layers.end())
    return fmt::format("select * from {}.\"{}\"", parts[0], replace_all(parts[1], "\"", "\"\""));
  std::string hint = did_you_mean_hint(parts[0], layers);
  if (hint.empty()) hint = "write it as presentation.<name>; layers: " + join(layers, ", ");
  diagnostics.add(node.complaint("dashboard.bad_model",
                                 fmt::format("`{}` is not the name of a model", node.text()), hint));
  return {};
}

void parse_sort(const Node& node, TileSpec& tile, Diagnostics& diagnostics) {
  if (!node.is_scalar()) return;
  const std::string text = trim(node.text());
  const std::size_t space = text.find_last_of(" \t");
  const std::string last = space == std::string::npos ? "" : lower(text.substr(space + 1));
  tile.sort = last == "asc" || last == "desc" ? trim(text.substr(0, space)) : text;
  tile.sort_descending = last == "desc";
  if (tile.sort.empty())
    diagnostics.add(node.complaint("dashboard.bad_value", "`sort` names no column", "sort: revenue desc"));
}

std::vector<std::string> texts(const Node& node) {
  std::vector<std::string> list;
  if (given(node))
    for (const Node& item : node.items()) list.push_back(item.text());
  return list;
}

TileSpec parse_tile(const Node& node, Diagnostics& diagnostics) {
  TileSpec tile;
  tile.node = node;
  tile.type = word_of(tile_types, node["type"].text());
  check_keys(tile.type, node, diagnostics);
  tile.title = text_at(node, "title", "");
  tile.description = text_at(node, "description", "");
  tile.text = text_at(node, "text", "");
  if (node["sql"].is_scalar()) tile.sql = node["sql"].text();
  if (node["model"].is_scalar()) tile.sql = model_query(node["model"], diagnostics);
  tile.value = text_at(node, "value", "");
  tile.compare = text_at(node, "compare", "");
  tile.compare_label = text_at(node, "compare_label", "");
  tile.good_is_up = text_at(node, "good", "up") == "up";
  tile.x = text_at(node, "x", "");
  tile.y = texts(node["y"]);
  tile.series = text_at(node, "series", "");
  tile.columns = texts(node["columns"]);
  if (node["format"].is_scalar()) tile.format = word_of(formats, node["format"].text());
  if (node["format"].is_map())
    for (const Node::Entry& entry : node["format"].entries())
      tile.formats.push_back({entry.name, word_of(formats, entry.value.text())});
  tile.aggregate = word_of(aggregates, text_at(node, "aggregate", "sum"));
  parse_sort(node["sort"], tile, diagnostics);
  tile.limit = static_cast<std::uint64_t>(number_within(node["limit"], 1, 1'000'000, 0, diagnostics));
  tile.horizontal = node["horizontal"].is_scalar() && node["horizontal"].as_boolean();
  const int usual_width = tile.type == TileType::number ? 3 : tile.type == TileType::text ? 12 : 6;
  tile.width = static_cast<int>(number_within(node["width"], 1, 12, usual_width, diagnostics));
  tile.height = static_cast<int>(number_within(node["height"], 80, 2000, 0, diagnostics));
  return tile;
}

FilterSpec parse_filter(const std::string& name, const Node& node) {
  FilterSpec filter;
  filter.name = name;
  filter.node = node;
  filter.label = text_at(node, "label", name);
  filter.column = text_at(node, "column", name);
  if (node["options"].is_scalar()) filter.options_sql = node["options"].text();
  if (node["options"].kind() == config::Kind::list) filter.options = texts(node["options"]);
  filter.initial = text_at(node, "default", "all");
  if (filter.initial == "all") filter.initial.clear();
  return filter;
}

}  // namespace

std::string_view name_of(TileType type) { return word_name(tile_types, type); }
std::string_view name_of(Format format) { return word_name(formats, format); }
std::string_view name_of(Aggregate aggregate) { return word_name(aggregates, aggregate); }

std::vector<DashboardSpec::Query> DashboardSpec::queries() const {
  std::vector<Query> list;
  for (const FilterSpec& filter : filters)
    if (!filter.options_sql.empty()) list.push_back({filter.options_sql, filter.node["options"]});
  for (const TileSpec& tile : tiles)
    if (!tile.sql.empty())
      list.push_back({tile.sql, given(tile.node["sql"]) ? tile.node["sql"] : tile.node["model"]});
  return list;
}

const config::Shape& dashboard_shape() {
  static const Shape shape = Shape::object({
      required("title", Shape::string(), "heading of the page"),
      field("text", Shape::string(),
            "an introduction: headings, **bold**, *italic*, `code`, lists, [links](…)"),
      field("description", Shape::string(), "one line for lists of dashboards"),
      field("tags", Shape::list(Shape::string()), "for selection: tag:<name>"),
      field("filters", Shape::map(filter_shape()), "choices at the top of the page, by name"),
      required("tiles", Shape::list(tile_shape()), "what the page shows, in reading order"),
  });
  return shape;
}

std::optional<DashboardSpec> parse_dashboard(const std::string& name, const Node& node,
                                             Diagnostics& diagnostics) {
  Diagnostics own;
  dashboard_shape().check(node, own);
  DashboardSpec spec;
  // The struct is built only from a file that fits its shape: then every access below is safe.
  if (own.empty()) {
    spec.name = name;
    spec.title = node["title"].text();
    spec.text = text_at(node, "text", "");
    spec.description = text_at(node, "description", "");
    spec.tags = texts(node["tags"]);
    if (node["filters"].is_map())
      for (const Node::Entry& entry : node["filters"].entries())
        spec.filters.push_back(parse_filter(entry.name, entry.value));
    for (const Node& tile : node["tiles"].items()) spec.tiles.push_back(parse_tile(tile, own));
    if (spec.tiles.empty())
      own.add(node["tiles"].complaint("dashboard.no_tiles", "the dashboard has no tiles",
                                      "add one: - {type: number, sql: \"select …\"}"));
  }
  for (const Diagnostic& diagnostic : own.list()) diagnostics.add(diagnostic);
  if (!own.empty()) return std::nullopt;
  return spec;
}

}  // namespace eddy::report
