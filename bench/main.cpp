// eddy-bench: every speed bar as a line. `eddy-bench --scale 0.1 ingest` is a quick look at one of them.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>

#include "bench.h"
#include "core/error.h"
#include "core/files.h"
#include "null_server.h"

namespace eddy::bench {

std::filesystem::path data_folder() {
  const char* chosen = std::getenv("EDDY_BENCH_DIR");
  const auto folder = chosen != nullptr ? std::filesystem::path(chosen)
                                        : std::filesystem::temp_directory_path() / "eddy-bench";
  std::filesystem::create_directories(folder);
  return folder;
}

namespace {
double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}
}  // namespace

Pair alternate(int repeats, const std::function<void()>& ours, const std::function<void()>& bare,
               const std::function<void()>& before_each) {
  std::vector<double> a, b;
  for (int i = 0; i < repeats; ++i) {
    before_each();
    b.push_back(seconds_of(bare));
    before_each();
    a.push_back(seconds_of(ours));
  }
  return {median(a), median(b)};
}

std::string child(const std::vector<std::string>& arguments) {
  std::string command = std::filesystem::read_symlink("/proc/self/exe").string();
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot start " + command);
  std::string out;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
  if (::pclose(pipe) != 0) throw std::runtime_error(command + " failed:\n" + out);
  return out;
}

double peak_rss_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

Line ratio_line(std::string what, const Pair& pair, std::string bare_name, double bar, bool at_most) {
  // "at least 0.6 ×" is about speed, the inverse of time.
  const double ratio = at_most ? pair.ours / pair.bare : pair.bare / pair.ours;
  return {std::move(what),
          fmt::format("{:.2f} s", pair.ours),
          fmt::format("{:.2f} s ({})", pair.bare, bare_name),
          ratio,
          fmt::format("{} {}", at_most ? "≤" : "≥", bar),
          at_most ? ratio <= bar : ratio >= bar};
}

}  // namespace eddy::bench

int main(int argc, char** argv) {
  using namespace eddy::bench;
  std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (!arguments.empty() && arguments[0] == "--plan-child") return plan_child(arguments);
    if (!arguments.empty() && arguments[0] == "--null-server")
      return null_server(arguments.size() > 1 ? arguments[1] : "");
    if (!arguments.empty() && arguments[0] == "--diff-child") return diff_child(arguments);
    double scale = 1;
    std::vector<std::string> wanted;
    for (std::size_t i = 0; i < arguments.size(); ++i)
      if (arguments[i] == "--scale" && i + 1 < arguments.size())
        scale = std::stod(arguments[++i]);
      else
        wanted.push_back(arguments[i]);
    const std::vector<std::pair<std::string, std::vector<Line> (*)(double)>> all = {
        {"ingest", ingest}, {"plan", plan},   {"postgres", postgres},
        {"mysql", mysql},   {"http", http},   {"connector", connector},
        {"render", render}, {"quota", quota}, {"start", start},
        {"own", own}};
    fmt::print("{:<58} {:>12} {:>28} {:>8} {:>8}\n", "what", "eddy", "bare", "ratio", "bar");
    for (const auto& [name, measure] : all) {
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
      for (const Line& line : measure(scale)) {
        fmt::print("{:<58} {:>12} {:>28} {:>8.2f} {:>8}  {}\n", line.what, line.ours, line.bare, line.ratio,
                   line.bar, line.met ? "met" : "MISSED");
        std::fflush(stdout);
      }
    }
    return 0;
  } catch (const eddy::Error& e) {
    for (const auto& d : e.diagnostics()) std::fputs(render(d).c_str(), stderr);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
  }
  return 1;
}
