// A small warehouse with four relations, and dashboards over them that use every kind of tile.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "report/report.h"
#include "state/store.h"
#include "support/scratch.h"
#include "warehouse/session.h"

namespace eddy::testing {

class ReportProject {
 public:
  ReportProject();
  warehouse::Session& session() { return *session_; }
  // Parses YAML as dashboards/<name>.yml; throws Error with everything that is wrong in it.
  static report::DashboardSpec dashboard(const std::string& name, const std::string& yaml);
  // Every tile type, filters, a format each.
  static std::vector<report::DashboardSpec> showcase();
  // Writes it at a fixed time and returns the file.
  std::filesystem::path write(const std::vector<report::DashboardSpec>& dashboards,
                              report::ReportResult* result = nullptr, const report::Limits& limits = {});
  const Scratch& scratch() const { return scratch_; }

 private:
  Scratch scratch_;
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<warehouse::Session> session_;
};

}  // namespace eddy::testing
