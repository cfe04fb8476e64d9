// connectors: the systems there are, the objects of one, the fields of an object.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/connector_pages.h"
#include "app/describe_object.h"
#include "app/workspace.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::app {
namespace {

using nlohmann::json;

TableForm form_of(const Context& context) { return context.json ? TableForm::json : TableForm::table; }

int list_types(const Context& context, const Registry& registry) {
  Table table(std::vector<std::string>{"type", "role", "what"});
  for (const ingest::SourceType& s : registry.sources())
    table.add(std::vector<std::string>{s.type, "source", s.summary});
  for (const std::string& type : registry.destinations())
    table.add(std::vector<std::string>{type, "destination", registry.destination(type)->summary});
  print_out(table.render(form_of(context)));
  if (!context.json && !context.quiet)
    print_err(
        "eddy connectors TYPE: its settings, objects and limits; eddy connectors CONNECTION [OBJECT]: what "
        "is "
        "there\n");
  return exit_done;
}

void print_settings(const config::Shape& settings, const std::string& title) {
  if (settings.fields().empty()) return;
  Table table(std::vector<std::string>{title, "needed", "what"});
  for (const config::Field& f : settings.fields())
    table.add(
        std::vector<std::string>{f.name, f.required ? "yes" : "", f.doc + (f.secret ? " (secret)" : "")});
  print_out("\n" + table.render(TableForm::table));
}

json settings_json(const config::Shape& settings) {
  json out = json::array();
  for (const config::Field& f : settings.fields())
    out.push_back({{"name", f.name},
                   {"doc", f.doc},
                   {"required", f.required},
                   {"secret", f.secret},
                   {"default", f.default_text}});
  return out;
}

// A connector type's manual; false when there is no such type.
bool show_type(const Context& context, const Registry& registry, const std::string& name) {
  const sync::DestinationType* destination = registry.destination(name);
  const ingest::SourceType* source = registry.source(name);
  if (const connectors::LoadedConnector* connector = registry.declarative(name)) {
    const connectors::ConnectorManual manual = connectors::manual(*connector);
    print_out(context.json ? connectors::manual_json(manual).dump() + "\n" : connectors::manual_text(manual));
    return true;
  }
  if (destination == nullptr && source == nullptr) return false;
  const std::string& summary = destination != nullptr ? destination->summary : source->summary;
  const config::Shape& settings = destination != nullptr ? destination->settings : source->settings;
  if (context.json) {
    json out = {{"name", name}, {"summary", summary}, {"settings", settings_json(settings)}};
    if (destination != nullptr) out["options"] = settings_json(destination->options);
    print_out(out.dump() + "\n");
    return true;
  }
  print_out(fmt::format("{}: {}\n", name, summary));
  print_settings(settings, "setting");
  if (destination != nullptr) print_settings(destination->options, "option of a sync");
  return true;
}

// What a sync to that object may ask beyond mode and key.
void print_options(const Context& context, const connectors::LoadedConnector& connector,
                   const std::string& object) {
  const std::string text = connectors::options_text(connectors::manual(connector), object);
  if (!context.json && !text.empty()) print_out("\noptions of a sync\n" + text);
}

// What a connector knows of an object without asking.
bool show_known_object(const Context& context, const Registry& registry, const std::string& type,
                       const std::string& name) {
  const connectors::LoadedConnector* connector = registry.declarative(type);
  if (connector == nullptr) return false;
  const auto object = connectors::known_object(*connector, name);
  if (!object) {
    std::vector<std::string> known;
    const connectors::ConnectorManual manual = connectors::manual(*connector);
    for (const auto& o : manual.objects) known.push_back(o.name);
    if (manual.open_objects) return false;
    std::string hint = did_you_mean_hint(name, known);
    throw Error("sync.unknown_object", fmt::format("`{}` has no object `{}`", type, name),
                hint.empty() ? "it has: " + join(known, ", ") : hint);
  }
  print_object(context, *object);
  print_options(context, *connector, name);
  if (!context.quiet)
    print_err(fmt::format(
        "known without asking; a connection of type {0} in connections.yml shows all that {0} says\n", type));
  return true;
}

void show_objects(const Context& context, const Registry& registry, const project::Connection& connection,
                  sync::CachedDestination& destination) {
  const std::vector<std::string> names = destination.objects();
  connectors::ConnectorManual manual;
  if (const connectors::LoadedConnector* connector = registry.declarative(connection.type))
    manual = connectors::manual(*connector);
  Table table(std::vector<std::string>{"object", "what", "keys"});
  for (const std::string& name : names) {
    connectors::ConnectorManual::Object known{name, "", {}};
    for (const auto& object : manual.objects)
      if (object.name == name) known = object;
    if (context.json)
      print_out(json{{"object", name}, {"doc", known.doc}, {"keys", known.keys}}.dump() + "\n");
    table.add(std::vector<std::string>{name, known.doc, join(known.keys, ", ")});
  }
  if (!context.json) print_out(table.render(TableForm::table));
}

void say_source(const Context& context, const project::Connection& connection, const std::string& note) {
  if (context.quiet || context.json) return;
  print_err(fmt::format("{} ({}){}\n", connection.name, connection.type,
                        note.empty() ? ": asked just now" : ": " + note + "; --refresh asks anew"));
}

int show_connection(const Context& context, const Workspace& workspace, const project::Connection& connection,
                    const ConnectorsOptions& options) {
  if (workspace.registry().destination(connection.type) == nullptr)
    throw Error("connection.not_a_destination",
                fmt::format("connection `{}` is a source, which has no objects to write to", connection.name),
                "eddy connectors " + connection.type);
  const auto destination = workspace.destination(
      connection.name, options.refresh ? sync::Asking::always : sync::Asking::when_missing);
  if (options.object.empty())
    show_objects(context, workspace.registry(), connection, *destination);
  else
    print_object(context, describe_object(*destination, connection.name, options.object));
  if (const auto* connector = workspace.registry().declarative(connection.type);
      connector != nullptr && !options.object.empty())
    print_options(context, *connector, options.object);
  say_source(context, connection, destination->note());
  return exit_done;
}

// The connection that is meant; a type stands for the connection of that type when there is just one.
const project::Connection* find_connection(const project::Project& project,
                                           const ConnectorsOptions& options) {
  if (const project::Connection* named = project.connection(options.name)) return named;
  if (options.object.empty()) return nullptr;
  const project::Connection* found = nullptr;
  std::vector<std::string> names;
  for (const project::Connection& c : project.connections)
    if (c.type == options.name) found = &c, names.push_back(c.name);
  if (names.size() > 1)
    throw Error("usage.unknown_connector", fmt::format("several connections are of type {}", options.name),
                "name one of them: " + join(names, ", "));
  return found;
}

}  // namespace

int connectors(const Context& context, const ConnectorsOptions& options) {
  const Registry registry(context.project_folder);
  if (!options.markdown.empty()) {
    const std::size_t pages = write_connector_pages(registry, options.markdown);
    if (!context.quiet) print_err(fmt::format("{} pages written to {}\n", pages, options.markdown.string()));
    return exit_done;
  }
  if (options.name.empty()) return list_types(context, registry);
  if (options.name == "test" && !options.object.empty()) return test_connection(context, options.object);

  const std::vector<std::string> types = registry.destinations();
  const bool is_type =
      registry.source(options.name) != nullptr || registry.destination(options.name) != nullptr;
  std::vector<std::string> known = types;
  for (const ingest::SourceType& s : registry.sources()) known.push_back(s.type);
  if (project::is_project(context.project_folder)) {
    try {
      const Workspace workspace(context, false);
      for (const project::Connection& c : workspace.project().connections) known.push_back(c.name);
      if (const project::Connection* connection = find_connection(workspace.project(), options)) {
        if (!options.manual) return show_connection(context, workspace, *connection, options);
        show_type(context, registry, connection->type);
        return exit_done;
      }
    } catch (const Error& error) {
      // What a type is can be told in a project with mistakes too.
      if (!is_type || !options.object.empty() || !error.diagnostics().front().position.known()) throw;
    }
  }
  if (options.object.empty() ? show_type(context, registry, options.name)
                             : show_known_object(context, registry, options.name, options.object))
    return exit_done;
  if (is_type)
    throw Error("usage.unknown_connector",
                fmt::format("the objects of {} are known only to a connection of that type", options.name),
                "add one to connections.yml; `eddy connectors " + options.name + "` lists its settings");
  std::string hint = did_you_mean_hint(options.name, known);
  throw Error("usage.unknown_connector",
              fmt::format("`{}` is neither a connector type nor a connection of this project", options.name),
              hint.empty() ? "`eddy connectors` lists the types" : hint);
}

}  // namespace eddy::app
