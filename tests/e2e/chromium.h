// A page opened in a real browser, without a window and without a network.
#pragma once

#include <filesystem>
#include <string>

namespace eddy::testing {

struct OpenedPage {
  std::string document;  // the DOM after its scripts have run, as HTML
  std::string console;   // lines the page wrote to the console
};

bool has_chromium();
// `query` is what follows the file in the address: "?selftest#page". With a screenshot path the picture is
// written instead of the document. Throws std::runtime_error when the browser does not answer.
OpenedPage open_in_chromium(const std::filesystem::path& file, const std::string& query,
                            const std::filesystem::path& screenshot = {}, int width = 1280, int height = 900);

}  // namespace eddy::testing

// First line of a test that needs the browser.
#define EDDY_NEEDS_CHROMIUM()         \
  if (!eddy::testing::has_chromium()) \
  GTEST_SKIP() << "CHROMIUM IS NOT INSTALLED: this test did not run. Install the package `chromium`."
