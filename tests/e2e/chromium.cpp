#include "chromium.h"

#include <fmt/format.h>

#include <sstream>
#include <stdexcept>

#include "support/process.h"
#include "support/scratch.h"

namespace eddy::testing {
namespace {

constexpr const char* browser = "/usr/bin/chromium";

}  // namespace

bool has_chromium() { return std::filesystem::exists(browser); }

OpenedPage open_in_chromium(const std::filesystem::path& file, const std::string& query,
                            const std::filesystem::path& screenshot, int width, int height) {
  const Scratch profile;
  Command command;
  command.argv = {browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                  "--disable-background-networking", "--disable-component-update", "--disable-sync",
                  "--disable-dev-shm-usage", "--hide-scrollbars", "--enable-logging=stderr", "--v=0",
                  // Nothing the page could ask for would be answered: every name leads nowhere.
                  "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=30000",
                  "--user-data-dir=" + (profile / "profile").string(),
                  fmt::format("--window-size={},{}", width, height)};
  command.argv.push_back(screenshot.empty() ? "--dump-dom" : "--screenshot=" + screenshot.string());
  command.argv.push_back("file://" + file.string() + query);
  const Finished finished = run(command);
  if (finished.exit_code != 0) throw std::runtime_error("chromium did not open the page:\n" + finished.err);
  OpenedPage page;
  page.document = finished.out;
  std::istringstream lines(finished.err);
  for (std::string line; std::getline(lines, line);)
    if (line.find("CONSOLE") != std::string::npos) page.console += line + "\n";
  return page;
}

}  // namespace eddy::testing
