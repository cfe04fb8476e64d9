// apply: sends exactly a plan that was shown.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/deliver_plans.h"
#include "app/plan_view.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "sync/snapshot.h"

namespace eddy::app {
namespace {

std::string node_of(const Workspace& workspace, const std::string& sync) {
  const sync::SyncSpec* spec = workspace.project().sync(sync);
  if (spec == nullptr)
    throw Error("sync.plan_stale", fmt::format("the plan is for sync `{}`, which is no longer there", sync),
                "make a new plan");
  return sync::node_name(*spec);
}

// Sync node -> plan id.
std::map<std::string, std::string> plans_in_file(const Workspace& workspace,
                                                 const std::filesystem::path& path) {
  const auto file = nlohmann::json::parse(read_file(path), nullptr, false);
  if (file.is_discarded() || !file.is_object() || file.value("format", "") != "eddy plan" ||
      !file.contains("plans") || !file["plans"].is_array())
    throw Error("sync.bad_plan_file", fmt::format("{} is not a plan", path.string()),
                "make one with `eddy plan --out FILE`");
  if (file.value("version", 0) != plan_file_version)
    throw Error("sync.bad_plan_file", fmt::format("{} was made by another version of eddy", path.string()),
                "make it again");
  std::map<std::string, std::string> plans;
  for (const auto& entry : file["plans"])
    plans[node_of(workspace, entry.value("sync", ""))] = entry.value("plan", "");
  return plans;
}

std::map<std::string, std::string> plans_by_id(Workspace& workspace, const std::vector<std::string>& ids) {
  if (ids.empty())
    throw Error("usage.invalid", "neither a plan file nor --approve ID is given",
                "eddy apply plan.json, or eddy apply --approve ID");
  auto connection = workspace.session().connect();
  sync::open_sync_database(workspace.session(), connection);
  std::map<std::string, std::string> plans;
  for (const std::string& id : ids)
    plans[node_of(workspace, sync::load_plan(connection, id).definition.sync)] = id;
  return plans;
}

}  // namespace

int apply(const Context& context, const ApplyOptions& options) {
  Workspace workspace(context);
  workspace.lock("apply");
  workspace.session();
  const bool by_id = options.plan.empty();
  return deliver_plans(
      context, workspace,
      {"apply", by_id ? join(options.approve, " ") : options.plan.filename().string(),
       by_id ? plans_by_id(workspace, options.approve) : plans_in_file(workspace, options.plan),
       std::set<std::string>(options.approve.begin(), options.approve.end())});
}

}  // namespace eddy::app
