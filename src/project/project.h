// The user's project: every file found, checked and parsed, secrets resolved, the graph built.
//
// Each capability parses its own files (ingest/source_spec.h, transform/model_spec.h, sync/sync_spec.h,
// report/dashboard_spec.h); this folder finds them and checks what only shows when all are seen together:
// names, references, cycles.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/document.h"
#include "ingest/source_spec.h"
#include "project/graph.h"
#include "project/settings.h"
#include "report/dashboard_spec.h"
#include "sync/sync_spec.h"
#include "transform/data_tests.h"
#include "transform/model_spec.h"

namespace eddy::project {

// Immutable once loaded; may be read from several threads.
struct Project {
  Settings settings;
  std::vector<Connection> connections;
  std::string own_warehouse;  // the connection in which syncs read their models; "": Eddy's own warehouse
  std::vector<ingest::SourceSpec> sources;
  std::vector<transform::ModelSpec> models;
  std::vector<transform::DataTest> tests;  // declared in models and written as tests/*.sql
  std::vector<report::DashboardSpec> dashboards;
  std::vector<sync::SyncSpec> syncs;  // already under their connections' `pii` policy
  Graph graph;

  // nullptr when there is none.
  const Connection* connection(const std::string& name) const;
  const ingest::StreamSpec* stream(const std::string& node) const;  // "raw.shop_orders"
  const transform::ModelSpec* model(const std::string& node) const;
  const transform::DataTest* test(const std::string& node) const;
  const report::DashboardSpec* dashboard(const std::string& node) const;  // "dashboard.customers"
  const sync::SyncSpec* sync(const std::string& node) const;  // "sync.hubspot_contacts" or "hubspot_contacts"
};

// A folder with eddy.yml; or with connections.yml and syncs/ alone: then its name is the project's, and the
// connection named `warehouse` is its warehouse.
bool is_project(const std::filesystem::path& folder);

// Reads nothing but the project folder and the environment; runs no query on data. Throws one Error with
// every problem found. Codes beside those of the capabilities: project.not_found, project.unknown_folder,
// project.unknown_file, project.duplicate_name, project.unknown_connection, project.wrong_connection,
// project.unknown_relation, project.missing_layer, project.cycle. `with_syncs` false: syncs/ is not looked
// at, for the command that completes its files.
Project load_project(const std::filesystem::path& folder, const std::string& target,
                     const ConnectionTypes& types, bool with_syncs = true);

}  // namespace eddy::project
