#include "app/sync_request.h"

#include <map>

#include "core/error.h"
#include "sync/definition.h"

namespace eddy::app {

std::uint64_t unread_rows(Workspace& workspace, const sync::SyncSpec& spec) {
  const project::Graph& graph = workspace.project().graph;
  std::uint64_t rows = 0;
  for (const std::string& name : graph.ancestors(sync::node_name(spec))) {
    const project::Node& node = *graph.find(name);
    if (node.kind != project::NodeKind::stream) continue;
    const ingest::StreamSpec& stream = *workspace.project().stream(name);
    std::map<std::string, std::uint64_t> newest;  // by origin path
    for (const state::Load& load : workspace.store().loads(stream.source, stream.name))
      for (const state::LoadedFile& file : load.files) newest[file.path] = file.quarantined;
    for (const auto& [path, quarantined] : newest) rows += quarantined;
  }
  return rows;
}

AskedDestination ask_destination(const Workspace& workspace, const sync::SyncSpec& spec, bool offline) {
  AskedDestination asked;
  if (offline) {
    asked.note = "--offline";
    return asked;
  }
  try {
    asked.destination = workspace.destination(spec.destination);
    asked.object = sync::check_mapping(spec, *asked.destination);
    if (!asked.object) asked.note = "it describes this object only when it is written to";
  } catch (const Error& error) {
    // What is wrong with the mapping stands in a file; all else is about reaching the destination.
    if (error.code().starts_with("sync.")) throw;
    asked.note = error.message();
  }
  return asked;
}

}  // namespace eddy::app
