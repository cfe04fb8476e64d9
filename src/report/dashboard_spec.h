// What a file dashboards/<name>.yml says. The struct, its parser and its JSON Schema follow from one shape.
//
// A dashboard is a list of tiles on a grid of 12 columns. A tile is one query (or one whole model) and a way
// to draw its result; a filter is a choice in the browser over the rows that were embedded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "config/shape.h"

namespace eddy::report {

enum class TileType { number, line, bar, area, stacked_bar, pie, table, text };
std::string_view name_of(TileType type);  // "stacked_bar"

// How a column's values are written for people. automatic: from the column's type.
enum class Format { automatic, integer, decimal, usd, eur, gbp, percent, compact, date, text };
std::string_view name_of(Format format);

// What becomes of several rows that meet in one place: a number tile, or one x of a chart.
enum class Aggregate { sum, avg, min, max, count, first, last };
std::string_view name_of(Aggregate aggregate);

struct ColumnFormat {
  std::string column;
  Format format = Format::automatic;
};

struct TileSpec {
  TileType type = TileType::table;
  std::string title;        // may be empty
  std::string description;  // a line below the title
  std::string sql;          // of a model tile: select * from that model; empty for text tiles
  std::string text;         // markdown-lite of a text tile
  std::string value;        // number: column; empty: the first numeric one
  std::string compare;      // number: column with the value to compare with; may be empty
  std::string compare_label;
  bool good_is_up = true;  // number: which direction is coloured as good news
  std::string
      x;  // charts: column of the axis (pie: of the slices); number: column of the sparkline, may be empty
  std::vector<std::string> y;        // charts: one or more columns
  std::string series;                // charts: column whose values become series; only with one y
  std::vector<std::string> columns;  // table: which, in which order; empty: all
  Format format = Format::automatic;
  std::vector<ColumnFormat> formats;  // of single columns; stronger than `format`
  Aggregate aggregate = Aggregate::sum;
  std::string sort;  // column; empty: as the query gives it
  bool sort_descending = false;
  std::uint64_t limit = 0;  // rows of a table or x values of a chart, after sorting; 0: all
  bool horizontal = false;  // bar, stacked_bar
  int width = 6;            // columns of the 12-column grid
  int height = 0;           // pixels of the drawing; 0: the page decides
  config::Node node;        // for positions of later complaints
};

struct FilterSpec {
  std::string name;
  std::string label;
  std::string column;                // result column that is compared with the chosen value
  std::string options_sql;           // its first column gives the choices
  std::vector<std::string> options;  // or these; when both are empty, the values found in the tiles
  std::string initial;               // chosen at first; empty: all rows
  config::Node node;
};

struct DashboardSpec {
  std::string name;  // the file's
  std::string title;
  std::string text;  // markdown-lite, above the tiles
  std::string description;
  std::vector<std::string> tags;
  std::vector<FilterSpec> filters;
  std::vector<TileSpec> tiles;

  // Every SELECT that the dashboard runs, with the node it was written in: the graph reads its dependencies
  // from them.
  struct Query {
    std::string sql;
    config::Node node;
  };
  std::vector<Query> queries() const;
};

const config::Shape& dashboard_shape();

// Checks the file and builds the struct; nullopt when anything was complained about. Codes beside those of
// config/shape.h:
//   dashboard.no_tiles        a dashboard without tiles
//   dashboard.missing_key     a key this tile type needs
//   dashboard.key_not_used    a key that this tile type does not read
//   dashboard.conflict        two keys that exclude each other (sql and model; series and several y)
//   dashboard.bad_model       `model` is not <layer>.<name>
//   dashboard.bad_value       a width, height, limit or sort out of its range
std::optional<DashboardSpec> parse_dashboard(const std::string& name, const config::Node& node,
                                             Diagnostics& diagnostics);

}  // namespace eddy::report
