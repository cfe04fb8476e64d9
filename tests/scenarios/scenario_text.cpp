#include <fmt/format.h>

#include <set>
#include <stdexcept>

#include "core/text.h"
#include "scenarios/scenario.h"

namespace eddy::scenarios {
namespace {

const std::set<std::string> verbs = {"file", "append", "remove", "sandbox", "env", "run",
                                     "exit", "out",    "err",    "get",     "json"};

bool line_matches(std::string_view expected, std::string_view actual) {
  const auto star = expected.find("{*}");
  if (star == std::string_view::npos) return expected == actual;
  if (!actual.starts_with(expected.substr(0, star))) return false;
  const std::string_view rest = expected.substr(star + 3);
  for (std::size_t at = star; at <= actual.size(); ++at)
    if (line_matches(rest, actual.substr(at))) return true;
  return false;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines = split(text, '\n');
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  // Trailing blanks are how a table pads its last column; nobody means them.
  for (std::string& line : lines)
    while (line.ends_with(' ')) line.pop_back();
  return lines;
}

bool match(std::span<const std::string> expected, std::span<const std::string> actual) {
  if (expected.empty()) return actual.empty();
  if (expected[0] == "...") {
    for (std::size_t skip = 0; skip <= actual.size(); ++skip)
      if (match(expected.subspan(1), actual.subspan(skip))) return true;
    return false;
  }
  return !actual.empty() && line_matches(expected[0], actual[0]) &&
         match(expected.subspan(1), actual.subspan(1));
}

}  // namespace

std::vector<Step> read_scenario(const std::string& text) {
  std::vector<Step> steps;
  int number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    if (line.starts_with("  ")) {
      if (!steps.empty()) steps.back().text += line.substr(2) + "\n";
      continue;
    }
    if (line.empty()) {
      // A blank line inside a text belongs to it; at its end it is taken off below.
      if (!steps.empty() && !steps.back().text.empty()) steps.back().text += "\n";
      continue;
    }
    if (line[0] == '#') continue;
    const auto space = line.find(' ');
    Step step{line.substr(0, space), space == std::string::npos ? "" : trim(line.substr(space)), "", number};
    if (!verbs.contains(step.verb))
      throw std::runtime_error(fmt::format("line {}: `{}` is not a step of a scenario", number, step.verb));
    steps.push_back(std::move(step));
  }
  for (Step& step : steps)
    while (step.text.ends_with("\n\n")) step.text.pop_back();
  return steps;
}

bool matches_whole(const std::string& expected, const std::string& actual) {
  const auto e = lines_of(expected);
  const auto a = lines_of(actual);
  return match(e, a);
}

bool matches_parts(const std::string& expected, const std::string& actual) {
  std::vector<std::string> e = {"..."};
  for (const std::string& line : lines_of(expected)) {
    if (line != "...") e.push_back("{*}" + line + "{*}");
    e.push_back("...");
  }
  const auto a = lines_of(actual);
  return match(e, a);
}

}  // namespace eddy::scenarios
