// Runs the queries of one dashboard. The seam between the warehouse and whatever shows the result: a file
// now, a server too.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "report/dashboard_spec.h"
#include "warehouse/session.h"

namespace eddy::report {

struct Limits {
  std::uint64_t rows_max = 5000;     // kept per tile; the rest is left out and the tile says so
  std::uint64_t choices_max = 1000;  // kept per filter
};

// One thing of a dashboard that did not work; the others are shown all the same.
struct Failure {
  std::string dashboard;
  std::string place;      // "tile 3 (Revenue)", "filter country"
  Diagnostic diagnostic;  // secrets redacted; positioned in the dashboard's file
};

struct DashboardRun {
  // {name, title, text, description,
  //  filters: [{name, label, column, options: [cell…] | null, initial: text | null}],
  //  tiles: [{type, title, …the tile's own keys…,
  //           result: {columns: [{name, type}], rows: [[cell…]…], truncated} | error: {code, message,
  //           hint}}]}
  // A cell is null, a boolean, a number, text, or a list or map. Numbers that a double cannot hold exactly
  // are text. Column names in a tile are written as the result has them, whatever case the file used.
  nlohmann::json data;
  std::uint64_t tiles = 0;
  std::uint64_t rows = 0;  // embedded
  std::vector<Failure> failures;
};

// Takes its own connection; may run beside others on the same Session. Throws only
// Error("report.interrupted"). Codes of failures, beside those of the engine:
//   dashboard.unknown_column  a key names a column that the result does not have
//   dashboard.not_a_number    a measured column is not numeric
//   dashboard.unused_filter   no tile has the filter's column
DashboardRun run_dashboard(warehouse::Session& session, const DashboardSpec& spec, const Cancel& cancel,
                           const Limits& limits = {});

// A cell as described above.
nlohmann::json cell_json(const Value& value);

}  // namespace eddy::report
