// One self-contained HTML file around the data of some dashboards. Pure; touches neither files nor engine.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace eddy::report {

// `data` is what write_report() describes (report.h). Nothing in the file is loaded from elsewhere: style,
// scripts, ECharts and data are inside, and its Content-Security-Policy allows these very scripts (by hash)
// and no request.
std::string render_page(const nlohmann::json& data);

// JSON text that may stand inside <script>: no `<`, `>`, `&`, U+2028, U+2029 and no broken UTF-8.
std::string json_for_html(const nlohmann::json& data);

}  // namespace eddy::report
