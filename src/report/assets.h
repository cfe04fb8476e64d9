// The files of web/report/ and ECharts, as they were when the program was built. They live as long as the
// program.
#pragma once

#include <span>
#include <string_view>

namespace eddy::report {

std::string_view page_template();  // HTML with {{placeholders}}
std::string_view style_sheet();
std::string_view boot_script();  // runs in <head>, before anything is drawn
std::string_view echarts_script();
// The page's own scripts, in the order in which they build on each other.
struct Script {
  std::string_view name;
  std::string_view text;
};
std::span<const Script> page_scripts();

}  // namespace eddy::report
