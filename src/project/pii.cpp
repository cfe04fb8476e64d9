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
  sync::PersonalColumns personal = personal_columns(project);
  for (sync::SyncSpec& sync : project.syncs) {
    // A query of its own may give what it reads under any name.
    if (const Node* node = project.graph.find(sync::node_name(sync));
        node != nullptr && !sync.model_sql.empty())
      for (const std::string& input : node->inputs)
        if (const auto of_input = personal.find(lower(input)); of_input != personal.end())
          personal[lower(sync.model)].insert(of_input->second.begin(), of_input->second.end());
    if (const Connection* destination = project.connection(sync.destination); destination != nullptr)
      sync = sync::with_pii_policy(connection, std::move(sync), personal, destination->pii, diagnostics,
                                   !project.own_warehouse.empty());
  }
}

}  // namespace eddy::project
