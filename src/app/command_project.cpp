// Commands that look at the project's files: ls, schema, version, doctor.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/workspace.h"
#include "core/error.h"
#include "core/files.h"
#include "core/secrets.h"
#include "core/text.h"
#include "project/selection.h"
#include "sync/remote.h"

namespace eddy::app {

int ls(const Context& context, const Selection& selection) {
  const Workspace workspace(context);
  const project::Graph& graph = workspace.project().graph;
  const auto selected = project::select(graph, selection.select, selection.exclude);
  for (const std::string& name : graph.order()) {
    if (!selected.contains(name)) continue;
    const project::Node& node = *graph.find(name);
    if (!context.json) {
      print_out(name + "\n");
      continue;
    }
    print_out(nlohmann::json{{"name", name},
                             {"kind", name_of(node.kind)},
                             {"file", node.file},
                             {"tags", node.tags},
                             {"description", node.description},
                             {"inputs", node.inputs}}
                  .dump() +
              "\n");
  }
  return exit_done;
}

namespace {

struct FileKind {
  std::string name, description, files;
  nlohmann::json schema;
};

std::vector<FileKind> file_kinds(const Registry& registry) {
  const auto kind = [](std::string name, std::string description, std::string files,
                       const config::Shape& shape) {
    return FileKind{name, description, files, config::json_schema(shape, "Eddy: " + name, description)};
  };
  return {
      kind("eddy", "Name, places and limits of a project", "eddy.yml", project::settings_shape()),
      kind("connections", "Named ways to reach systems", "connections.yml",
           project::connections_shape(registry.connection_types())),
      kind("source", "Streams to ingest", "sources/*.yml", ingest::source_shape()),
      kind("model", "YAML header of a model", "models/<layer>/*.sql", transform::model_shape()),
      kind("test", "YAML header of a data test", "tests/*.sql", transform::test_shape()),
      kind("sync", "One model to one object of a destination", "syncs/*.yml", sync::sync_shape()),
      kind("dashboard", "Tiles and filters of a dashboard", "dashboards/*.yml", report::dashboard_shape())};
}

}  // namespace

int schema(const Context& context, const std::string& kind, const std::filesystem::path& out_folder) {
  const Registry registry(context.project_folder);
  const std::vector<FileKind> kinds = file_kinds(registry);
  if (!out_folder.empty()) {
    for (const FileKind& k : kinds)
      write_file_atomically(out_folder / (k.name + ".schema.json"), k.schema.dump(2) + "\n");
    if (!context.quiet)
      print_err(fmt::format("{} schemas written to {}\n", kinds.size(), out_folder.string()));
    return exit_done;
  }
  if (kind.empty()) {
    Table table(std::vector<std::string>{"kind", "files", "what"});
    for (const FileKind& k : kinds) table.add(std::vector<std::string>{k.name, k.files, k.description});
    print_out(table.render(context.json ? TableForm::json : TableForm::table));
    return exit_done;
  }
  std::vector<std::string> names;
  for (const FileKind& k : kinds) {
    names.push_back(k.name);
    if (k.name != kind) continue;
    print_out(k.schema.dump(2) + "\n");
    return exit_done;
  }
  throw Error("usage.unknown_kind", fmt::format("`{}` is not a file kind", kind),
              did_you_mean(kind, names) ? did_you_mean_hint(kind, names) : "known: " + join(names, ", "));
}

int version(const Context& context) {
  if (context.json)
    print_out(nlohmann::json{{"eddy", EDDY_VERSION}, {"duckdb", engine::version()}}.dump() + "\n");
  else
    print_out(fmt::format("eddy {}\nduckdb {}\n", EDDY_VERSION, engine::version()));
  return exit_done;
}

int doctor(const Context& context, const std::vector<std::string>& connections) {
  const Workspace workspace(context);
  for (const std::string& wanted : connections)
    if (workspace.project().connection(wanted) == nullptr) {
      std::vector<std::string> names;
      for (const project::Connection& c : workspace.project().connections) names.push_back(c.name);
      throw Error("project.unknown_connection", fmt::format("there is no connection `{}`", wanted),
                  did_you_mean_hint(wanted, names));
    }
  const project::ConnectionTypes types = workspace.registry().connection_types();
  Table table(std::vector<std::string>{"connection", "type", "state", "answer"});
  bool failed = false;
  for (const project::Connection& connection : workspace.project().connections) {
    if (!connections.empty() &&
        std::find(connections.begin(), connections.end(), connection.name) == connections.end())
      continue;
    std::string state = "ok";
    std::string answer;
    try {
      answer = types.at(connection.type).is_destination ? workspace.destination(connection.name)->check()
                                                        : workspace.source(connection.name)->check();
    } catch (const Error& e) {
      failed = true;
      state = "failed";
      answer = redact(e.message());
      if (!context.json)
        for (Diagnostic d : e.diagnostics()) {
          d.message = fmt::format("connection `{}`: {}", connection.name, d.message);
          print_err(render(d));
        }
    }
    table.add(std::vector<std::string>{connection.name, connection.type, state, answer});
  }
  if (const std::string& own = workspace.project().own_warehouse;
      !own.empty() &&
      (connections.empty() || std::find(connections.begin(), connections.end(), own) != connections.end())) {
    const project::Connection& connection = *workspace.project().connection(own);
    try {
      table.add(std::vector<std::string>{
          own, "warehouse", "ok", sync::check_warehouse(workspace.registry().own_warehouse(connection))});
    } catch (const Error& e) {
      failed = true;
      table.add(std::vector<std::string>{own, "warehouse", "failed", redact(e.message())});
      if (!context.json)
        for (const Diagnostic& d : e.diagnostics()) print_err(redact(render(d)));
    }
  }
  print_out(table.render(context.json ? TableForm::json : TableForm::table));
  return failed ? exit_failed : exit_done;
}

}  // namespace eddy::app
