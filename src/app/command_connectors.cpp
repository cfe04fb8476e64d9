// Commands about destinations: connectors, map.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/workspace.h"
#include "core/error.h"
#include "core/text.h"
#include "sync/definition.h"
#include "sync/suggest.h"

namespace eddy::app {
namespace {

void print_settings(const config::Shape& settings, const std::string& title) {
  if (settings.fields().empty()) return;
  Table table(std::vector<std::string>{title, "needed", "what"});
  for (const config::Field& f : settings.fields())
    table.add(
        std::vector<std::string>{f.name, f.required ? "yes" : "", f.doc + (f.secret ? " (secret)" : "")});
  print_out("\n" + table.render(TableForm::table));
}

void print_object(const Context& context, const sync::ObjectSchema& object) {
  Table table(
      std::vector<std::string>{"field", "type", "native type", "writable", "required", "key", "allowed"});
  for (const sync::FieldSchema& f : object.fields) {
    std::string allowed = join(f.options, ", ");
    if (f.length_max > 0)
      allowed += (allowed.empty() ? "" : "; ") + fmt::format("at most {} characters", f.length_max);
    table.add(std::vector<std::string>{f.name, std::string(name_of(f.type)), f.native_type,
                                       f.writable ? "yes" : "", f.required ? "yes" : "", f.key ? "yes" : "",
                                       allowed});
  }
  print_out(table.render(context.json ? TableForm::json : TableForm::table));
  if (object.open && !context.json && !context.quiet) print_err("other fields may exist\n");
}

sync::ObjectSchema describe_object(sync::Destination& destination, const std::string& connection,
                                   const std::string& object) {
  auto schema = destination.describe(object);
  if (!schema) {
    const auto known = destination.objects();
    throw Error(
        "sync.unknown_object", fmt::format("`{}` has no object `{}`", connection, object),
        did_you_mean(object, known) ? did_you_mean_hint(object, known) : "it has: " + join(known, ", "));
  }
  return *schema;
}

int list_types(const Context& context, const Registry& registry) {
  Table table(std::vector<std::string>{"type", "role", "what"});
  for (const ingest::SourceType& s : registry.sources())
    table.add(std::vector<std::string>{s.type, "source", s.summary});
  for (const sync::DestinationType& d : registry.destinations())
    table.add(std::vector<std::string>{d.type, "destination", d.summary});
  print_out(table.render(context.json ? TableForm::json : TableForm::table));
  return exit_done;
}

bool show_type(const Registry& registry, const std::string& name) {
  for (const connectors::LoadedConnector& connector : registry.declarative())
    if (connector.spec->name == name) {
      print_out(connectors::manual_text(connectors::manual(connector)));
      return true;
    }
  for (const sync::DestinationType& d : registry.destinations())
    if (d.type == name) {
      print_out(fmt::format("{}: {}\n", d.type, d.summary));
      print_settings(d.settings, "setting");
      print_settings(d.options, "option of a sync");
      return true;
    }
  for (const ingest::SourceType& s : registry.sources())
    if (s.type == name) {
      print_out(fmt::format("{}: {}\n", s.type, s.summary));
      print_settings(s.settings, "setting");
      return true;
    }
  return false;
}

}  // namespace

int connectors(const Context& context, const ConnectorsOptions& options) {
  const Registry registry(context.project_folder);
  if (options.name.empty()) return list_types(context, registry);
  if (options.object.empty() && show_type(registry, options.name)) return exit_done;
  std::vector<std::string> known;
  for (const auto& d : registry.destinations()) known.push_back(d.type);
  for (const auto& s : registry.sources()) known.push_back(s.type);
  if (!project::is_project(context.project_folder))
    throw Error("usage.unknown_connector", fmt::format("`{}` is not a connector type", options.name),
                did_you_mean_hint(options.name, known));
  const Workspace workspace(context);
  const project::Connection* connection = workspace.project().connection(options.name);
  if (connection == nullptr) {  // a type stands for the connection of that type, when there is just one
    for (const project::Connection& c : workspace.project().connections)
      if (c.type == options.name) connection = connection == nullptr ? &c : nullptr;
    for (const project::Connection& c : workspace.project().connections) known.push_back(c.name);
  }
  if (connection == nullptr)
    throw Error(
        "usage.unknown_connector",
        fmt::format("`{}` is neither a connector type nor a connection of this project", options.name),
        did_you_mean_hint(options.name, known));
  auto destination = workspace.destination(connection->name);
  if (!options.object.empty()) {
    print_object(context, describe_object(*destination, connection->name, options.object));
    return exit_done;
  }
  for (const std::string& object : destination->objects()) print_out(object + "\n");
  return exit_done;
}

namespace {

// The model in Eddy's engine, to be measured; of a warehouse of the user's own its first rows.
std::string relation_of(const Context& context, Workspace& workspace, engine::Connection& connection,
                        const sync::SyncSpec& spec) {
  constexpr std::uint64_t rows_max = 200'000;
  const std::string relation = sync::model_relation(spec.model, spec.model_sql);
  if (const warehouse::OwnWarehouse* own = workspace.session().own()) {
    const std::string table = "eddy_model";
    const auto dialect = own->open();
    if (warehouse::bring_table(*dialect, connection, "select * from " + relation, table, rows_max) ==
            rows_max &&
        !context.quiet)
      print_err(fmt::format("measured on the first {} rows of {}\n", with_commas(rows_max), spec.model));
    return table;
  }
  if (!spec.model_sql.empty()) return relation;
  const auto relations = workspace.session().relations(connection);
  if (std::find(relations.begin(), relations.end(), spec.model) == relations.end())
    throw Error("sync.model_not_built", fmt::format("`{}` has not been built yet", spec.model),
                fmt::format("eddy run -s +{}", spec.model));
  return relation;
}

}  // namespace

int map(const Context& context, const MapOptions& options) {
  Workspace workspace(context);
  const sync::SyncSpec* spec = workspace.project().sync(options.sync);
  if (spec == nullptr) {
    std::vector<std::string> names;
    for (const auto& s : workspace.project().syncs) names.push_back(s.name);
    throw Error("usage.unknown_sync", fmt::format("there is no sync `{}`", options.sync),
                did_you_mean_hint(options.sync, names));
  }
  auto connection = workspace.session().connect();
  const auto columns = sync::measure_columns(connection, relation_of(context, workspace, connection, *spec));
  auto destination = workspace.destination(spec->destination);
  const auto suggestion =
      sync::suggest_mapping(columns, describe_object(*destination, spec->destination, spec->object));
  if (context.json) {
    const auto lines = [](const std::vector<sync::Suggestion>& list) {
      auto out = nlohmann::json::array();
      for (const sync::Suggestion& s : list)
        out.push_back(
            {{"field", s.field}, {"column", s.column}, {"confidence", s.confidence}, {"reason", s.reason}});
      return out;
    };
    print_out(nlohmann::json{{"sync", spec->name},
                             {"key", lines(suggestion.key)},
                             {"fields", lines(suggestion.fields)},
                             {"unmapped_columns", suggestion.unmapped_columns},
                             {"unmapped_required", suggestion.unmapped_required}}
                  .dump() +
              "\n");
  } else {
    print_out(sync::as_yaml(suggestion));
  }
  return exit_done;
}

}  // namespace eddy::app
