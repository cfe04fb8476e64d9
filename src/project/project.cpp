#include "project/project.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/files.h"
#include "core/text.h"
#include "project/pii.h"
#include "project/references.h"
#include "sync/normalization.h"

namespace eddy::project {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> model_layers = {"clean", "presentation", "warehouse"};

std::string test_node(const transform::DataTest& test) {
  return test.name.starts_with("test.") ? test.name : "test." + test.name;
}

class Loader {
 public:
  Loader(const fs::path& folder, const ConnectionTypes& types)
      : folder_(folder), types_(types), variables_(config::environment_with_file(folder / ".env")) {}

  Project load(const std::string& target, bool with_syncs) {
    project_.settings = parse_settings(yaml("eddy.yml"), folder_, target, problems_);
    project_.connections = parse_connections(yaml("connections.yml"), types_, problems_);
    find_warehouse();
    load_sources();
    load_models();
    load_tests();
    load_dashboards();
    if (with_syncs) load_syncs();
    check_names();
    check_connections();
    build_graph();
    throw_problems();
    return std::move(project_);
  }

 private:
  // In the order of files and lines, each with the line it is about.
  void throw_problems() {
    std::vector<Diagnostic> list = problems_.list();
    if (list.empty()) return;
    const auto place = [](const Diagnostic& d) {
      return std::tuple(d.position.file.find('/') != std::string::npos, d.position.file, d.position.line,
                        d.position.column);
    };
    std::stable_sort(list.begin(), list.end(),
                     [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
    for (Diagnostic& d : list) {
      if (!d.excerpt.empty() || d.position.line < 1 || !fs::is_regular_file(folder_ / d.position.file))
        continue;
      const auto lines = split(read_file(folder_ / d.position.file), '\n');
      if (static_cast<std::size_t>(d.position.line) <= lines.size())
        d.excerpt = lines[static_cast<std::size_t>(d.position.line) - 1];
    }
    throw Error(std::move(list));
  }

  config::Node yaml(const std::string& name) {
    if (!fs::exists(folder_ / name)) return {};
    return config::parse_file(folder_ / name, name, variables_, problems_);
  }

  // Files of one folder with one extension, sorted; anything else there is probably a mistake and is said.
  std::vector<fs::path> files_in(const fs::path& below, std::string_view extension) {
    std::vector<fs::path> out;
    const fs::path folder = folder_ / below;
    if (!fs::is_directory(folder)) return out;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with('.') || name.ends_with('~') || name.ends_with(".md")) continue;
      if (entry.path().extension() == extension) {
        out.push_back(below / name);
      } else {
        problems_.add(
            "project.unknown_file",
            fmt::format("{} is not read: a {} file is expected here", (below / name).string(), extension),
            extension == ".yml" && name.ends_with(".yaml") ? "rename it to end in .yml"
                                                           : "move it elsewhere, or rename it",
            {(below / name).string()});
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  template <typename Spec, typename Parse>
  void load_yaml_folder(const std::string& below, std::vector<Spec>& specs, const Parse& parse) {
    for (const fs::path& file : files_in(below, ".yml")) {
      Diagnostics problems;
      const config::Node node = config::parse_file(folder_ / file, file.string(), variables_, problems);
      if (problems.empty() && !node.exists())
        problems.add("config.missing_key", fmt::format("{} is empty", file.string()),
                     "remove it, or fill it: `eddy schema` says what it may hold", {file.string()});
      if (problems.empty())
        if (auto spec = parse(file.stem().string(), node, problems)) specs.push_back(std::move(*spec));
      for (const Diagnostic& problem : problems.list()) problems_.add(problem);
    }
  }

  void load_sources() { load_yaml_folder("sources", project_.sources, ingest::parse_source); }
  void load_dashboards() { load_yaml_folder("dashboards", project_.dashboards, report::parse_dashboard); }
  void load_syncs() { load_yaml_folder("syncs", project_.syncs, sync::parse_sync); }

  void load_models() {
    if (!fs::is_directory(folder_ / "models")) return;
    const std::vector<std::string> known(model_layers.begin(), model_layers.end());
    for (const auto& entry : fs::directory_iterator(folder_ / "models")) {
      const std::string layer = entry.path().filename().string();
      if (layer.starts_with('.')) continue;
      if (std::find(known.begin(), known.end(), layer) == known.end()) {
        const std::string place = "models/" + layer;
        problems_.add("project.unknown_folder", fmt::format("{} is not a layer", place),
                      did_you_mean(layer, known) ? did_you_mean_hint(layer, known)
                                                 : "layers with models are " + join(known, ", "),
                      {place});
        continue;
      }
      for (const fs::path& file : files_in(fs::path("models") / layer, ".sql")) {
        try {
          if (auto spec = transform::parse_model(layer, file.stem().string(), file.string(),
                                                 read_file(folder_ / file), variables_, problems_))
            project_.models.push_back(std::move(*spec));
        } catch (const Error& e) {
          problems_.add(e);
        }
      }
    }
    std::sort(project_.models.begin(), project_.models.end(),
              [](const auto& a, const auto& b) { return a.relation() < b.relation(); });
    for (const transform::ModelSpec& model : project_.models)
      for (transform::DataTest& test : transform::declared_tests(model))
        project_.tests.push_back(std::move(test));
  }

  void load_tests() {
    for (const fs::path& file : files_in("tests", ".sql")) {
      try {
        if (auto test = transform::parse_test(file.stem().string(), file.string(), read_file(folder_ / file),
                                              variables_, problems_))
          project_.tests.push_back(std::move(*test));
      } catch (const Error& e) {
        problems_.add(e);
      }
    }
  }

  // `warehouse:` names a connection, or the file of Eddy's own.
  void find_warehouse() {
    const config::Node& node = project_.settings.warehouse;
    std::string name = node.as_string("");
    if (!node.exists() && !fs::exists(folder_ / "eddy.yml")) name = "warehouse";
    if (name.empty()) return;
    std::vector<std::string> names;
    for (const Connection& c : project_.connections)
      if (types_.at(c.type).is_warehouse) names.push_back(c.name);
    const Connection* connection = project_.connection(name);
    if (connection == nullptr) {
      if (name.find_first_of("./") != std::string::npos) return;
      const std::string hint = did_you_mean(name, names)
                                   ? did_you_mean_hint(name, names)
                                   : "name a connection of type postgres in connections.yml";
      if (node.exists())
        problems_.add(node.complaint(
            "project.unknown_connection",
            fmt::format("`{}` is neither a connection nor the file of a warehouse (warehouse.duckdb)", name),
            hint));
      else
        problems_.add(
            "project.unknown_connection",
            "a project without eddy.yml reads its models in the connection `warehouse`, and there is none",
            hint, {"connections.yml"});
      return;
    }
    if (types_.at(connection->type).is_warehouse) {
      project_.own_warehouse = name;
      project_.settings.places.warehouse = folder_ / "warehouse.duckdb";
      return;
    }
    problems_.add((node.exists() ? node : connection->settings)
                      .complaint("project.wrong_connection",
                                 fmt::format("connection `{}` is of type {}, which cannot be a warehouse",
                                             name, connection->type),
                                 "use a connection of type postgres"));
  }

  void check_names() {
    // Two streams can meet in one relation: a_b.c and a.b_c are both raw.a_b_c.
    std::map<std::string, const ingest::StreamSpec*> seen;
    for (const ingest::SourceSpec& source : project_.sources)
      for (const ingest::StreamSpec& stream : source.streams) {
        const auto [other, fresh] = seen.emplace(stream.relation(), &stream);
        if (!fresh)
          problems_.add("project.duplicate_name",
                        fmt::format("`{}` is also stream `{}` of source `{}`", stream.relation(),
                                    other->second->name, other->second->source),
                        "rename one of the two streams", stream.position);
      }
  }

  void check_connections() {
    std::vector<std::string> names;
    for (const Connection& connection : project_.connections) names.push_back(connection.name);
    const auto check = [&](const std::string& name, const Diagnostic& unknown, bool as_source) {
      const Connection* connection = project_.connection(name);
      Diagnostic problem = unknown;
      if (connection == nullptr) {
        problem.code = "project.unknown_connection";
        problem.message = fmt::format("there is no connection `{}`", name);
        problem.hint =
            did_you_mean(name, names) ? did_you_mean_hint(name, names) : "add it to connections.yml";
        // A connection that failed its own check has been complained about already.
        problems_.add(problem);
        return;
      }
      const ConnectionType& type = types_.at(connection->type);
      if (as_source ? type.is_source : type.is_destination) return;
      problem.code = "project.wrong_connection";
      problem.message = fmt::format("connection `{}` is of type {}, which cannot be {}", name,
                                    connection->type, as_source ? "read from" : "written to");
      problem.hint = "use another connection";
      problems_.add(problem);
    };
    for (const ingest::SourceSpec& source : project_.sources)
      check(source.connection, {"", "", "", source.connection_position, {}}, true);
    for (const sync::SyncSpec& sync : project_.syncs) {
      check(sync.destination, sync.node["destination"].complaint("", ""), false);
      check_phone_regions(sync, problems_);
      if (const Connection* connection = project_.connection(sync.destination);
          connection != nullptr && sync.options.exists())
        types_.at(connection->type).sync_options.check(sync.options, problems_);
    }
  }

  Complain complain_at(const config::Node& node) {
    return [node](std::string code, std::string message, std::string hint, int, int) {
      return node.complaint(std::move(code), std::move(message), std::move(hint));
    };
  }

  // What a .sql file reads, or nothing when it does not parse (which is then a problem of its own).
  template <typename Read>
  std::vector<std::string> dependencies(const transform::SqlFile& file, const Read& read) {
    std::vector<std::string> names;
    try {
      for (const transform::Dependency& dependency : read()) {
        const Complain complain = [&](std::string code, std::string message, std::string hint, int, int) {
          return file.complaint(std::move(code), std::move(message), std::move(hint), dependency.at);
        };
        if (check_relation(dependency.relation, relations_, complain, problems_))
          names.push_back(dependency.relation);
      }
    } catch (const Error& e) {
      problems_.add(e);
    }
    return names;
  }

  void build_graph() {
    for (const ingest::SourceSpec& source : project_.sources)
      for (const ingest::StreamSpec& stream : source.streams) relations_.push_back(stream.relation());
    for (const transform::ModelSpec& model : project_.models) relations_.push_back(model.relation());
    engine::Database database =
        engine::Database::in_memory({.memory_limit = "256MB", .spill_folder = {}, .threads = 1});
    engine::Connection connection = database.connect();

    for (const ingest::SourceSpec& source : project_.sources)
      for (const ingest::StreamSpec& stream : source.streams)
        project_.graph.add({stream.relation(),
                            NodeKind::stream,
                            "sources/" + source.name + ".yml",
                            {},
                            stream.tags,
                            stream.description,
                            source.connection,
                            ""});
    for (const transform::ModelSpec& model : project_.models)
      project_.graph.add(
          {model.relation(), NodeKind::model, model.source.file,
           dependencies(model.source, [&] { return transform::dependencies(connection, model); }), model.tags,
           model.description, "", std::string(name_of(model.materialize))});
    for (const transform::DataTest& test : project_.tests) {
      std::vector<std::string> inputs =
          dependencies(test.source, [&] { return transform::test_dependencies(connection, test); });
      if (!test.relation.empty() && std::find(inputs.begin(), inputs.end(), test.relation) == inputs.end())
        inputs.insert(inputs.begin(), test.relation);
      project_.graph.add({test_node(test), NodeKind::test, test.source.file, std::move(inputs), test.tags,
                          test.description, "", ""});
    }
    for (const report::DashboardSpec& dashboard : project_.dashboards) {
      std::vector<std::string> inputs;
      for (const auto& query : dashboard.queries())
        for (std::string& name :
             relations_read(connection, query.sql, relations_, complain_at(query.node), problems_))
          if (std::find(inputs.begin(), inputs.end(), name) == inputs.end())
            inputs.push_back(std::move(name));
      project_.graph.add({"dashboard." + dashboard.name, NodeKind::dashboard,
                          "dashboards/" + dashboard.name + ".yml", std::move(inputs), dashboard.tags,
                          dashboard.description, "", ""});
    }
    for (const sync::SyncSpec& sync : project_.syncs) {
      std::vector<std::string> inputs;
      if (!project_.own_warehouse.empty())
        check_normalizations(sync);
      else if (!sync.model_sql.empty())
        inputs = relations_read(connection, sync.model_sql, relations_,
                                complain_at(sync.node["model"]["sql"]), problems_);
      else if (check_relation(sync.model, relations_, complain_at(sync.node["model"]), problems_))
        inputs.push_back(sync.model);
      project_.graph.add({sync::node_name(sync), NodeKind::sync, "syncs/" + sync.name + ".yml",
                          std::move(inputs), sync.tags, sync.description, sync.destination, ""});
    }
    project_.graph.connect();
    if (const std::vector<std::string> cycle = project_.graph.cycle(); !cycle.empty())
      complain_about_cycle(cycle, connection);
    else
      guard_personal_data(project_, connection, problems_);
  }

  // What exists in Eddy's engine only.
  void check_normalizations(const sync::SyncSpec& sync) {
    for (const auto* mappings : {&sync.key, &sync.fields})
      for (const sync::Mapping& mapping : *mappings)
        if (std::find(mapping.normalize.begin(), mapping.normalize.end(), sync::Normalization::e164) !=
            mapping.normalize.end())
          problems_.add(mapping.node.complaint(
              "sync.normalize_unsupported",
              fmt::format(
                  "`{}`: `normalize: e164` exists in Eddy's own warehouse only, and this model is in `{}`",
                  mapping.field, project_.own_warehouse),
              "keep the number in that form in the model, or leave `normalize` out"));
  }

  void complain_about_cycle(const std::vector<std::string>& cycle, engine::Connection& connection) {
    std::string path = "models read each other in a circle: " + join(cycle, " → ");
    const std::string hint = "let one of them read what the other is made from";
    // The place where the second of the circle names the first.
    for (const transform::ModelSpec& model : project_.models) {
      if (model.relation() != cycle[1]) continue;
      for (const transform::Dependency& dependency : transform::dependencies(connection, model))
        if (dependency.relation == cycle[0]) {
          problems_.add(model.source.complaint("project.cycle", path, hint, dependency.at));
          return;
        }
    }
    problems_.add("project.cycle", path, hint);
  }

  const fs::path folder_;
  const ConnectionTypes& types_;
  const config::Variables variables_;
  Diagnostics problems_;
  Project project_;
  std::vector<std::string> relations_;
};

template <typename Specs, typename Matches>
auto* find_in(const Specs& specs, const Matches& matches) {
  const auto found = std::find_if(specs.begin(), specs.end(), matches);
  return found == specs.end() ? nullptr : &*found;
}

}  // namespace

const Connection* Project::connection(const std::string& name) const {
  return find_in(connections, [&](const Connection& c) { return c.name == name; });
}
const ingest::StreamSpec* Project::stream(const std::string& node) const {
  for (const ingest::SourceSpec& source : sources)
    if (const auto* stream = find_in(source.streams, [&](const auto& s) { return s.relation() == node; }))
      return stream;
  return nullptr;
}
const transform::ModelSpec* Project::model(const std::string& node) const {
  return find_in(models, [&](const auto& m) { return m.relation() == node; });
}
const transform::DataTest* Project::test(const std::string& node) const {
  return find_in(tests, [&](const auto& t) { return test_node(t) == node; });
}
const report::DashboardSpec* Project::dashboard(const std::string& node) const {
  return find_in(dashboards, [&](const auto& d) { return "dashboard." + d.name == node; });
}
const sync::SyncSpec* Project::sync(const std::string& node) const {
  return find_in(syncs, [&](const auto& s) { return sync::node_name(s) == node || s.name == node; });
}

bool is_project(const fs::path& folder) {
  return fs::exists(folder / "eddy.yml") ||
         (fs::exists(folder / "connections.yml") && fs::is_directory(folder / "syncs"));
}

Project load_project(const fs::path& folder, const std::string& target, const ConnectionTypes& types,
                     bool with_syncs) {
  fs::path root = fs::absolute(folder).lexically_normal();
  if (!root.has_filename()) root = root.parent_path();  // "shop/": the name comes from it
  if (!is_project(root))
    throw Error("project.not_found", fmt::format("there is no eddy.yml in {}", root.string()),
                "go to the project's folder, name it with --project-dir, or start one with `eddy init DIR`");
  return Loader(root, types).load(target, with_syncs);
}

}  // namespace eddy::project
