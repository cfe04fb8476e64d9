// Speed is measured against the bare tool in the same run, and said as a ratio: machines differ, ratios much
// less.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace eddy::bench {

struct Line {
  std::string what;  // "CSV → raw + Parquet, 1.0 GB"
  std::string ours;  // "4.01 s"
  std::string bare;  // "3.43 s (DuckDB COPY)"
  double ratio = 0;
  std::string bar;  // "≤ 1.3"
  bool met = false;
};

// Where large inputs are made once and kept between runs ($EDDY_BENCH_DIR, or a folder in the system's
// temporary one).
std::filesystem::path data_folder();

// Seconds of each, alternating, `repeats` times after `prepare`; medians, so that one disturbed run counts
// for nothing.
struct Pair {
  double ours = 0, bare = 0;
};
Pair alternate(
    int repeats, const std::function<void()>& ours, const std::function<void()>& bare,
    const std::function<void()>& before_each = [] {});

// Runs this program again with the arguments and returns its standard output; its peak memory is its own.
std::string child(const std::vector<std::string>& arguments);
double peak_rss_mb();  // of this process so far

Line ratio_line(std::string what, const Pair& pair, std::string bare_name, double bar, bool at_most);

// Each measures one or more lines; `scale` shrinks the inputs for a quick look (1 = as the bars are defined).
std::vector<Line> ingest(double scale);
std::vector<Line> plan(double scale);
std::vector<Line> postgres(double scale);
std::vector<Line> mysql(double scale);
std::vector<Line> http(double scale);
std::vector<Line> connector(double scale);
std::vector<Line> render(double scale);
std::vector<Line> quota(double scale);  // takes its time, whatever the scale
std::vector<Line> start(double scale);
std::vector<Line> own(double scale);                        // of a PostgreSQL warehouse of the user's own
int diff_child(const std::vector<std::string>& arguments);  // of start()
int plan_child(const std::vector<std::string>& arguments);  // the part of plan() that runs in its own process

}  // namespace eddy::bench
