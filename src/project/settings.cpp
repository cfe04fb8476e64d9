#include "project/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

#include "core/text.h"

namespace eddy::project {
namespace {

using config::field;
using config::required;
using config::Shape;

std::vector<config::Field> places_fields() {
  return {
      field("lake", Shape::string(), "Folder of the lake: raw loads and Parquet versions (default: lake)"),
      field("warehouse", Shape::string(),
            "File of the relational warehouse (default: warehouse.duckdb), or the connection that is a "
            "warehouse of "
            "your own: syncs read their models there")};
}

constexpr std::array pii_policies = {sync::PiiPolicy::allow, sync::PiiPolicy::hash, sync::PiiPolicy::block};

config::Field pii_field() {
  std::vector<std::string> names;
  for (const sync::PiiPolicy policy : pii_policies) names.emplace_back(name_of(policy));
  config::Field out = field("pii", Shape::enumeration(std::move(names)),
                            "what of columns marked as personal data is sent there: allow, hash (SHA-256 "
                            "instead of the value), or block (validate fails)");
  out.default_text = "allow";
  return out;
}

// The shape of one connection: its type's settings, the type itself, and what all destinations have.
Shape whole_shape(const ConnectionType& type, const std::string& name) {
  std::vector<config::Field> fields = type.settings.fields();
  fields.insert(fields.begin(), required("type", Shape::enumeration({name}), "What kind of system this is"));
  if (type.is_destination) fields.push_back(pii_field());
  return Shape::object(std::move(fields));
}

sync::PiiPolicy pii_policy(const config::Node& node) {
  if (node.is_scalar())
    for (const sync::PiiPolicy policy : pii_policies)
      if (name_of(policy) == node.text()) return policy;
  return sync::PiiPolicy::allow;
}

}  // namespace

std::vector<std::string> ConnectionTypes::names() const {
  std::vector<std::string> out;
  for (const auto& [name, ignored] : makers_) out.push_back(name);
  return out;
}

const ConnectionType* ConnectionTypes::find(const std::string& name) const {
  if (const auto made = made_.find(name); made != made_.end()) return &made->second;
  const auto maker = makers_.find(name);
  return maker == makers_.end() ? nullptr : &made_.emplace(name, maker->second()).first->second;
}

const ConnectionType& ConnectionTypes::at(const std::string& name) const {
  const ConnectionType* type = find(name);
  if (type == nullptr) throw Error("internal.unknown_type", "there is no connection type `" + name + "`");
  return *type;
}

const config::Shape& settings_shape() {
  static const Shape shape = [] {
    std::vector<config::Field> fields = {
        field("name", Shape::string(), "Name of the project (default: the folder's name)"),
        field("description", Shape::string(), "For people"),
        field(
            "engine",
            Shape::object(
                {field("memory_limit", Shape::string(),
                       "Memory of the engine, like 2GB (default: 1GB); beyond it, it spills to .eddy/spill"),
                 field("threads", Shape::integer(), "Threads of the engine (default: one per core)")}),
            "Limits of the engine"),
        field("threads", Shape::integer(), "Nodes run at the same time (default: 2)"),
        field(
            "history",
            Shape::object(
                {field("runs", Shape::integer(), "The newest so many runs are remembered (default: 0, all)"),
                 field("plans", Shape::integer(),
                       "Of each sync the newest so many plans, with what became of their rows; a run can be "
                       "undone as long (default: 10)"),
                 field("days", Shape::integer(),
                       "Runs, plans and settled rejects are forgotten after so many days (default: 0, "
                       "never)")}),
            "How much of what was done is remembered"),
        field("default_target", Shape::string(),
              "Target used when none is named with --target or EDDY_TARGET"),
        field("targets", Shape::map(Shape::object(places_fields())), "Named places, such as dev and prod"),
    };
    for (config::Field& place : places_fields()) fields.push_back(std::move(place));
    return Shape::object(std::move(fields));
  }();
  return shape;
}

config::Shape connections_shape(const ConnectionTypes& types) {
  // An editor is offered the union of all types' settings; the parser then checks each connection against its
  // own type.
  std::vector<std::string> names;
  std::vector<config::Field> fields;
  for (const std::string& name : types.names()) {
    names.push_back(name);
    for (const config::Field& f : types.at(name).settings.fields()) {
      const auto same = std::find_if(fields.begin(), fields.end(),
                                     [&](const config::Field& x) { return x.name == f.name; });
      if (same == fields.end()) {
        fields.push_back(f);
        fields.back().required = false;
        fields.back().doc = name + ": " + f.doc;
      } else {
        same->doc += "; " + name + ": " + f.doc;
      }
    }
  }
  fields.insert(fields.begin(), required("type", Shape::enumeration(names), "What kind of system this is"));
  fields.push_back(pii_field());
  return Shape::map(Shape::object(std::move(fields)));
}

Settings parse_settings(const config::Node& node, const std::filesystem::path& folder,
                        const std::string& target, Diagnostics& diagnostics) {
  Settings settings;
  settings.name = folder.filename().string();
  std::string lake = "lake";
  std::string warehouse_file = "warehouse.duckdb";
  std::string dot_eddy = ".eddy";
  Diagnostics problems;
  if (node.exists()) settings_shape().check(node, problems);
  if (problems.empty() && node.exists()) {
    settings.name = node["name"].as_string(settings.name);
    settings.engine.memory_limit = node["engine"]["memory_limit"].as_string(settings.engine.memory_limit);
    if (node["engine"]["threads"].exists())
      settings.engine.threads = static_cast<int>(node["engine"]["threads"].as_integer());
    if (node["threads"].exists())
      settings.threads = static_cast<std::size_t>(std::max<std::int64_t>(1, node["threads"].as_integer()));
    const config::Node history = node["history"];
    const auto number = [&](const char* name, std::int64_t least, auto& out) {
      if (history[name].exists())
        out =
            static_cast<std::remove_reference_t<decltype(out)>>(std::max(least, history[name].as_integer()));
    };
    number("runs", 0, settings.history.runs);
    number("plans", 1, settings.history.plans);
    number("days", 0, settings.history.days);
    lake = node["lake"].as_string(lake);
    settings.warehouse = node["warehouse"];
    const std::string chosen = target.empty() ? node["default_target"].as_string("") : target;
    if (!chosen.empty()) {
      const config::Node place = node["targets"][chosen];
      if (!place.exists()) {
        std::vector<std::string> known;
        for (const auto& entry : node["targets"].entries()) known.push_back(entry.name);
        const config::Node where = target.empty() ? node["default_target"] : node;
        problems.add(where.complaint(
            "project.unknown_target", fmt::format("there is no target `{}`", chosen),
            did_you_mean(chosen, known) ? did_you_mean_hint(chosen, known) : "add it below `targets:`"));
      }
      lake = place["lake"].as_string(lake);
      if (place["warehouse"].exists()) settings.warehouse = place["warehouse"];
      // State belongs to the places it describes: two targets never share cursors or snapshots.
      if (!target.empty() || node["default_target"].exists()) dot_eddy = ".eddy/" + chosen;
    }
  } else if (!target.empty() && problems.empty()) {
    problems.add("project.unknown_target", fmt::format("there is no target `{}`", target),
                 "add `targets:` to eddy.yml");
  }
  for (const Diagnostic& problem : problems.list()) diagnostics.add(problem);
  warehouse_file = settings.warehouse.as_string(warehouse_file);
  settings.places = {folder, folder / dot_eddy, folder / lake, folder / warehouse_file};
  settings.engine.spill_folder = settings.places.dot_eddy / "spill";
  return settings;
}

std::vector<Connection> parse_connections(const config::Node& node, const ConnectionTypes& types,
                                          Diagnostics& diagnostics) {
  std::vector<Connection> connections;
  if (!node.exists()) return connections;
  if (!node.is_map()) {
    diagnostics.add(
        node.complaint("config.wrong_type", "a map of connections (name: {type: …}) is expected"));
    return connections;
  }
  const std::vector<std::string> known = types.names();
  for (const auto& entry : node.entries()) {
    const config::Node type_node = entry.value["type"];
    if (!entry.value.is_map() || !type_node.is_scalar()) {
      diagnostics.add(entry.key.complaint("config.missing_key",
                                          fmt::format("connection `{}` has no `type`", entry.name),
                                          "known types: " + join(known, ", ")));
      continue;
    }
    const ConnectionType* type = types.find(type_node.text());
    if (type == nullptr) {
      diagnostics.add(type_node.complaint(
          "project.unknown_connection_type", fmt::format("`{}` is not a connection type", type_node.text()),
          did_you_mean(type_node.text(), known) ? did_you_mean_hint(type_node.text(), known)
                                                : "known types: " + join(known, ", ")));
      continue;
    }
    whole_shape(*type, type_node.text()).check(entry.value, diagnostics);
    connections.push_back({entry.name, type_node.text(), entry.value, pii_policy(entry.value["pii"])});
  }
  return connections;
}

}  // namespace eddy::project
