// Dashboards to one HTML file that opens from disk, without a network, today and in ten years.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/progress.h"
#include "report/dashboard_run.h"
#include "report/dashboard_spec.h"
#include "warehouse/session.h"

namespace eddy::report {

struct ReportOptions {
  std::string project;  // name shown at the top
  std::string version;  // of Eddy, shown at the bottom
  Limits limits;
};

struct ReportResult {
  struct Dashboard {
    std::string name;
    std::uint64_t tiles = 0;
    std::uint64_t rows = 0;
    std::uint64_t failures = 0;
  };
  std::vector<Dashboard> dashboards;
  std::vector<Failure>
      failures;             // the file was written all the same; the caller exits with 1 when there are any
  std::uint64_t bytes = 0;  // of the file
};

// Runs every query and writes the file atomically (folders are made). Tells `progress` of each node
// "dashboard.<name>". Throws Error("report.interrupted"), Error("file.unwritable").
ReportResult write_report(warehouse::Session& session, std::span<const DashboardSpec> dashboards,
                          const std::filesystem::path& out_file, Clock& clock, Progress& progress,
                          const Cancel& cancel, const ReportOptions& options);

}  // namespace eddy::report
