#include "sync/guards.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/text.h"

namespace eddy::sync {

namespace {

constexpr std::size_t runs_remembered = 10;

std::string fact_name(const std::string& sync) { return "sync.past_runs." + sync; }

double share_of(std::uint64_t part, std::uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<PastRun> past_runs(state::Store& store, const std::string& sync) {
  std::vector<PastRun> out;
  const auto fact = store.fact(fact_name(sync));
  const auto list = nlohmann::json::parse(fact.value_or("[]"), nullptr, false);
  if (list.is_array())
    for (const auto& run : list)
      out.push_back({run.value("source", std::uint64_t{0}), run.value("duplicate_key", std::uint64_t{0})});
  return out;
}

void remember_run(state::Store& store, const std::string& sync, const PastRun& newest) {
  std::vector<PastRun> runs = past_runs(store, sync);
  runs.push_back(newest);
  if (runs.size() > runs_remembered) runs.erase(runs.begin());
  nlohmann::json list = nlohmann::json::array();
  for (const PastRun& run : runs)
    list.push_back({{"source", run.source}, {"duplicate_key", run.duplicate_key}});
  store.put_fact(fact_name(sync), list.dump());
}

std::vector<Hold> weigh(const Plan& plan, const Guards& guards, const std::vector<PastRun>& past) {
  std::vector<Hold> holds;
  const PlanCounts& n = plan.counts;
  const auto share = [&](const std::string& code, std::uint64_t rows, const char* what, double limit) {
    if (n.snapshot == 0 || share_of(rows, n.snapshot) <= limit) return;
    holds.push_back(
        {code, fmt::format("{} of {} delivered rows ({:.1f}%) would be {}; the guard allows {:.1f}%",
                           with_commas(rows), with_commas(n.snapshot), share_of(rows, n.snapshot) * 100, what,
                           limit * 100)});
  };
  if (n.valid == 0 && n.snapshot > 0 && plan.kind != PlanKind::undo)
    holds.push_back({"model_empty", fmt::format("{} has no valid row, but {} rows were delivered before",
                                                plan.definition.model, with_commas(n.snapshot))});
  share("removed", n.removed, "removed", guards.removed_max);
  if (plan.kind == PlanKind::sync) share("changed", n.changed, "changed", guards.changed_max);
  if (plan.kind != PlanKind::sync) return holds;
  if (!past.empty() && n.valid > 0) {
    const double mean = std::accumulate(past.begin(), past.end(), 0.0,
                                        [](double sum, const PastRun& run) {
                                          return sum + static_cast<double>(run.source);
                                        }) /
                        static_cast<double>(past.size());
    const double off = mean > 0 ? std::abs(static_cast<double>(n.source) - mean) / mean : 0;
    if (off > guards.rows_off_max)
      holds.push_back(
          {"rows",
           fmt::format("{} has {} rows, {:.0f}% off the mean of the last {} run{} ({}); the guard allows "
                       "{:.0f}%",
                       plan.definition.model, with_commas(n.source), off * 100, past.size(),
                       past.size() == 1 ? "" : "s",
                       with_commas(static_cast<std::uint64_t>(std::llround(mean))),
                       guards.rows_off_max * 100)});
    if (guards.unique_key && n.duplicate_key > 0 && past.back().duplicate_key == 0)
      holds.push_back(
          {"unique_key", fmt::format("the key was unique, and is no longer: {} rows of {} share their "
                                     "key with another",
                                     with_commas(n.duplicate_key), plan.definition.model)});
  }
  if (plan.first && guards.first_run_rows_max > 0 && n.added > guards.first_run_rows_max)
    holds.push_back({"first_run", fmt::format("the first run would send {} rows; the guard allows {}",
                                              with_commas(n.added), with_commas(guards.first_run_rows_max))});
  return holds;
}

}  // namespace eddy::sync
