#include "app/sync_request.h"

#include <map>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "ingest/quarantine.h"
#include "sync/schema_checks.h"

namespace eddy::app {

sync::Unread unread_rows(Workspace& workspace, const sync::SyncSpec& spec) {
  constexpr std::size_t rows_max = 20'000;  // beyond, nothing is said to be gone
  sync::Unread unread;
  if (spec.removed == sync::Removed::ignore) return unread;
  const project::Graph& graph = workspace.project().graph;
  for (const std::string& name : graph.ancestors(sync::node_name(spec))) {
    const project::Node& node = *graph.find(name);
    if (node.kind != project::NodeKind::stream) continue;
    const ingest::StreamSpec& stream = *workspace.project().stream(name);
    std::map<std::string, std::string> newest;  // origin path -> load that holds its rows
    for (const state::Load& load : workspace.store().loads(stream.source, stream.name))
      for (const state::LoadedFile& file : load.files)
        newest[file.path] = file.quarantined > 0 ? load.id : "";
    std::set<std::string> loads;
    for (const auto& [path, load] : newest)
      if (!load.empty()) loads.insert(load);
    for (const std::string& load : loads)
      for (const ingest::QuarantinedRow& row :
           ingest::quarantined_rows(workspace.project().settings.places.lake, workspace.store(),
                                    stream.source, stream.name, 0, load)) {
        unread.all = unread.all || row.whole_file || row.truncated || unread.texts.size() >= rows_max;
        if (unread.texts.size() < rows_max) unread.texts.push_back(lower(row.bytes));
      }
  }
  return unread;
}

AskedDestination ask_destination(const Workspace& workspace, const sync::SyncSpec& spec, bool offline) {
  AskedDestination asked;
  if (offline) asked.note = "--offline";
  try {
    auto destination =
        workspace.destination(spec.destination, offline ? sync::Asking::never : sync::Asking::when_old);
    asked.object = sync::check_mapping(spec, *destination);
    asked.kept = destination->note();
    if (offline) return asked;
    if (!asked.object) asked.note = "it describes this object only when it is written to";
    asked.destination = std::move(destination);
  } catch (const Error& error) {
    // What is wrong with the mapping stands in a file; all else is about reaching the destination.
    if (error.code().starts_with("sync.")) throw;
    if (!offline) asked.note = error.message();
  }
  return asked;
}

}  // namespace eddy::app
