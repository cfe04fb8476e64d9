#include "sync/funnel.h"

#include <nlohmann/json.hpp>

#include "core/text.h"

namespace eddy::sync {

using nlohmann::json;

std::vector<FunnelStep> funnel_of(const json& details) {
  if (!details.is_object() || !details.contains("source") || !details.contains("planned") ||
      details.value("status", "") == "")
    return {};
  const auto count = [&](const char* name) { return details.value(name, std::uint64_t{0}); };
  const auto step = [&](const char* name, std::uint64_t rows, std::initializer_list<const char*> out) {
    FunnelStep made{name, rows, {}, 0};
    for (const char* what : out)
      if (count(what) > 0) made.fell_out.emplace_back(replace_all(what, "_", " "), count(what));
    return made;
  };
  FunnelStep valid = step("valid", count("valid"), {"null_key", "duplicate_key"});
  const json reasons = details.value("invalid_reasons", json::object());
  for (const auto& [reason, rows] : reasons.items())
    valid.fell_out.emplace_back(replace_all(replace_all(reason, "_", " "), ":", " "), rows);
  for (const char* what : {"changed_since", "kept"})  // of an undo, where they are rows of the run
    if (details.value("kind", "sync") == "undo" && count(what) > 0)
      valid.fell_out.emplace_back(replace_all(what, "_", " "), count(what));
  FunnelStep changed = step("changed", count("planned"),
                            {"unchanged", "rejected_before", "in_doubt_before", "parked", "left_out"});
  // Rows to be removed are no rows of the model; those among what fell out are none either.
  std::uint64_t out = 0;
  for (const auto& [what, rows] : changed.fell_out) out += rows;
  changed.joined = changed.rows + out > valid.rows ? changed.rows + out - valid.rows : 0;
  return {step("source", count("source"), {}), std::move(valid), std::move(changed),
          step("sent", count("sent"), {"not_sent"}),
          step("applied", count("applied"), {"rejected", "in_doubt", "gave_up"})};
}

json to_json(const std::vector<FunnelStep>& funnel) {
  json out = json::array();
  for (const FunnelStep& step : funnel) {
    json fell = json::object();
    for (const auto& [what, rows] : step.fell_out) fell[what] = rows;
    json one = {{"step", step.name}, {"rows", step.rows}, {"fell_out", fell}};
    if (step.joined > 0) one["to_remove"] = step.joined;
    out.push_back(one);
  }
  return out;
}

}  // namespace eddy::sync
