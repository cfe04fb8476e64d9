#include "report/assets.h"

#include <cstddef>

// The assembler copies the bytes: a string literal of a megabyte would take the compiler seconds and
// gigabytes.
#define EDDY_EMBED(symbol, file)                                    \
  __asm__(                                                          \
      ".pushsection .rodata, \"a\", @progbits\n"                    \
      ".global eddy_asset_" #symbol "\n.global eddy_asset_" #symbol \
      "_end\n"                                                      \
      "eddy_asset_" #symbol ":\n.incbin \"" file                    \
      "\"\n"                                                        \
      "eddy_asset_" #symbol "_end:\n.byte 0\n.popsection\n");       \
  extern "C" const char eddy_asset_##symbol[];                      \
  extern "C" const char eddy_asset_##symbol##_end[]

EDDY_EMBED(page, EDDY_WEB "page.html");
EDDY_EMBED(style, EDDY_WEB "report.css");
EDDY_EMBED(boot, EDDY_WEB "boot.js");
EDDY_EMBED(dom, EDDY_WEB "dom.js");
EDDY_EMBED(format, EDDY_WEB "format.js");
EDDY_EMBED(markdown, EDDY_WEB "markdown.js");
EDDY_EMBED(rows, EDDY_WEB "rows.js");
EDDY_EMBED(charts, EDDY_WEB "charts.js");
EDDY_EMBED(tables, EDDY_WEB "tables.js");
EDDY_EMBED(tiles, EDDY_WEB "tiles.js");
EDDY_EMBED(page_js, EDDY_WEB "page.js");
EDDY_EMBED(selftest, EDDY_WEB "selftest.js");
EDDY_EMBED(echarts, EDDY_ECHARTS);

#define EDDY_VIEW(symbol)               \
  std::string_view(eddy_asset_##symbol, \
                   static_cast<std::size_t>(eddy_asset_##symbol##_end - eddy_asset_##symbol))

namespace eddy::report {

std::string_view page_template() { return EDDY_VIEW(page); }
std::string_view style_sheet() { return EDDY_VIEW(style); }
std::string_view boot_script() { return EDDY_VIEW(boot); }
std::string_view echarts_script() { return EDDY_VIEW(echarts); }

std::span<const Script> page_scripts() {
  static const Script scripts[] = {
      {"dom.js", EDDY_VIEW(dom)},     {"format.js", EDDY_VIEW(format)}, {"markdown.js", EDDY_VIEW(markdown)},
      {"rows.js", EDDY_VIEW(rows)},   {"charts.js", EDDY_VIEW(charts)}, {"tables.js", EDDY_VIEW(tables)},
      {"tiles.js", EDDY_VIEW(tiles)}, {"page.js", EDDY_VIEW(page_js)},  {"selftest.js", EDDY_VIEW(selftest)},
  };
  return scripts;
}

}  // namespace eddy::report
