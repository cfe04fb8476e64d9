#include "project/pii.h"

#include "core/text.h"

namespace eddy::project {

sync::PersonalColumns personal_columns(const Project& project) {
  sync::PersonalColumns out;
  for (const std::string& name : project.graph.order()) {  // parents first
    const transform::ModelSpec* model = project.model(name);
    if (model == nullptr) continue;
    std::set<std::string> columns;
    for (const std::string& input : project.graph.find(name)->inputs)
      if (const auto of_input = out.find(lower(input)); of_input != out.end())
        columns.insert(of_input->second.begin(), of_input->second.end());
    for (const transform::ColumnSpec& column : model->columns) {
      if (column.pii == true) columns.insert(lower(column.name.text));
      if (column.pii == false) columns.erase(lower(column.name.text));
    }
    if (!columns.empty()) out.emplace(lower(name), std::move(columns));
  }
  return out;
}

void guard_personal_data(Project& project, engine::Connection& connection, Diagnostics& diagnostics) {
  const sync::PersonalColumns personal = personal_columns(project);
  for (sync::SyncSpec& sync : project.syncs)
    if (const Connection* destination = project.connection(sync.destination); destination != nullptr)
      sync = sync::with_pii_policy(connection, std::move(sync), personal, destination->pii, diagnostics);
}

}  // namespace eddy::project
