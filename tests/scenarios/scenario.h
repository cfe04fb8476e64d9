// Reads and plays a scenario file (README.md).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace eddy::scenarios {

struct Step {
  std::string verb, argument, text;  // "file", "data/a.csv", content
  int line = 0;
};

// Throws std::runtime_error naming the line of a verb that does not exist.
std::vector<Step> read_scenario(const std::string& text);

// Plays it in a folder of its own. Returns what went wrong, with the file's line, or "".
std::string play(const std::filesystem::path& file);

// All of `actual` is described by `expected` ({*} and ... as in README.md).
bool matches_whole(const std::string& expected, const std::string& actual);
// The lines of `expected` appear in `actual` in this order.
bool matches_parts(const std::string& expected, const std::string& actual);

}  // namespace eddy::scenarios
