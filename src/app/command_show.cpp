// show: what a node is.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "app/workspace.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::app {
namespace {

const project::Node& find_node(const project::Project& project, const std::string& name) {
  if (const project::Node* node = project.graph.find(name)) return *node;
  std::vector<std::string> names;
  std::vector<const project::Node*> matches;
  for (const project::Node& node : project.graph.nodes()) {
    names.push_back(node.name);
    if (node.name.ends_with("." + name) && node.kind != project::NodeKind::test) matches.push_back(&node);
  }
  if (matches.size() == 1) return *matches.front();
  if (matches.size() > 1) {
    std::vector<std::string> candidates;
    for (const project::Node* node : matches) candidates.push_back(node->name);
    throw Error("usage.ambiguous_node", fmt::format("`{}` may be {}", name, join(candidates, " or ")),
                "write the whole name");
  }
  throw Error("usage.unknown_node", fmt::format("there is no node `{}`", name),
              did_you_mean(name, names) ? did_you_mean_hint(name, names) : "`eddy ls` lists every node");
}

void show_relation(Workspace& workspace, const std::string& relation, std::uint64_t limit) {
  auto connection = workspace.session().connect();
  const auto relations = workspace.session().relations(connection);
  if (std::find(relations.begin(), relations.end(), relation) == relations.end()) {
    print_out(fmt::format("rows         not built yet: eddy run -s +{}\n", relation));
    return;
  }
  const auto dot = relation.find('.');
  const std::string quoted = engine::quote_identifier(relation.substr(0, dot)) + "." +
                             engine::quote_identifier(relation.substr(dot + 1));
  const Value count = connection.query("select count(*) from " + quoted).scalar();
  print_out(fmt::format("rows         {}\n\n", with_commas(static_cast<std::uint64_t>(count.as_integer()))));
  auto columns = connection.query(fmt::format("select * from {} limit 0", quoted));
  Table types(std::vector<std::string>{"column", "type"});
  for (const engine::EngineColumn& column : columns.columns())
    types.add(std::vector<std::string>{column.name, column.engine_type});
  print_out(types.render(TableForm::table) + "\n");
  auto sample = connection.query(fmt::format("select * from {} limit {}", quoted, limit));
  Table rows(sample.schema());
  for (Row& row : sample.rows()) rows.add(std::move(row));
  print_out(rows.render(TableForm::table));
}

void show_loads(Workspace& workspace, const ingest::StreamSpec& stream) {
  Table table(std::vector<std::string>{"load", "at", "files", "rows", "quarantined"});
  for (const state::Load& load : workspace.store().loads(stream.source, stream.name)) {
    std::uint64_t rows = 0, quarantined = 0;
    for (const state::LoadedFile& file : load.files) rows += file.rows, quarantined += file.quarantined;
    table.add(std::vector<std::string>{load.id, load.loaded_at, std::to_string(load.files.size()),
                                       with_commas(rows), with_commas(quarantined)});
  }
  if (table.rows() > 0) print_out("\n" + table.render(TableForm::table));
}

void show_sync(Workspace& workspace, const sync::SyncSpec& spec) {
  print_out(fmt::format("sends        {} → {} {}, {}\n", spec.model, spec.destination, spec.object,
                        sync::name_of(spec.mode)));
  if (const auto state = workspace.store().sync_state(spec.name))
    print_out(fmt::format("epoch        {}\n", state->epoch));
  const auto open = workspace.store().count_rejects({.sync = spec.name});
  if (open > 0)
    print_out(fmt::format("rejects      {} open: eddy rejects {}\n", with_commas(open), spec.name));
  Table table(std::vector<std::string>{"destination field", "from", ""});
  for (const sync::Mapping& mapping : spec.key)
    table.add(std::vector<std::string>{mapping.field, mapping.expression, "key"});
  for (const sync::Mapping& mapping : spec.fields)
    table.add(std::vector<std::string>{mapping.field, mapping.expression, ""});
  print_out("\n" + table.render(TableForm::table));
}

}  // namespace

int show(const Context& context, const ShowOptions& options) {
  Workspace workspace(context);
  const project::Project& project = workspace.project();
  const project::Node& node = find_node(project, options.node);
  // Tests that hold a node back are no inputs of it; how many there are is said apart.
  std::set<std::string> parents(node.inputs.begin(), node.inputs.end()), children;
  std::size_t tests = 0;
  for (const std::string& child : project.graph.children(node.name))
    if (project.graph.find(child)->kind == project::NodeKind::test)
      ++tests;
    else
      children.insert(child);
  if (context.json) {
    print_out(nlohmann::json{{"name", node.name},
                             {"kind", name_of(node.kind)},
                             {"file", node.file},
                             {"tags", node.tags},
                             {"description", node.description},
                             {"reads", parents},
                             {"read_by", children}}
                  .dump() +
              "\n");
    return exit_done;
  }
  print_out(
      fmt::format("{}  ({})\n", context.terminal.out_style(Style::bold, node.name), name_of(node.kind)));
  if (!node.description.empty()) print_out(node.description + "\n");
  print_out(fmt::format("file         {}\n", node.file));
  const auto list = [](const std::set<std::string>& names) {
    return join(std::vector<std::string>(names.begin(), names.end()), ", ");
  };
  if (!parents.empty()) print_out(fmt::format("reads        {}\n", list(parents)));
  if (!children.empty()) print_out(fmt::format("read by      {}\n", list(children)));
  if (tests > 0) print_out(fmt::format("tests        {}\n", tests));
  if (node.kind == project::NodeKind::stream || node.kind == project::NodeKind::model)
    show_relation(workspace, node.name, options.limit);
  if (const auto* stream = project.stream(node.name)) show_loads(workspace, *stream);
  if (const auto* sync = project.sync(node.name); sync != nullptr && node.kind == project::NodeKind::sync)
    show_sync(workspace, *sync);
  if (const auto* test = project.test(node.name)) print_out("\n" + test->sql + "\n");
  return exit_done;
}

}  // namespace eddy::app
