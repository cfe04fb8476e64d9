#include "app/draft_sync.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/edit.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "engine/sql_reading.h"
#include "sync/sync_spec.h"

namespace eddy::app {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> sync_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none))
    if (entry.path().extension() == ".yml") names.push_back(entry.path().stem().string());
  return names;
}

// A file begun with what the options say.
std::string first_lines(const DraftSync& draft, const fs::path& folder, const MapOptions& options) {
  std::vector<std::string> missing;
  for (const auto& [name, value] : {std::pair{"--model", &options.model},
                                    {"--destination", &options.destination},
                                    {"--object", &options.object}})
    if (value->empty()) missing.emplace_back(name);
  if (!missing.empty()) {
    std::string hint = missing.size() == 3 ? did_you_mean_hint(draft.name, sync_names(folder)) : "";
    if (hint.empty())
      hint = fmt::format(
          "a new one: eddy map {} --model LAYER.NAME --destination CONNECTION --object OBJECT --write",
          draft.name);
    throw Error("usage.unknown_sync",
                missing.size() == 3 ? fmt::format("there is no sync `{}`", draft.name)
                                    : fmt::format("there is no sync `{}` yet, and {} {} not said", draft.name,
                                                  join(missing, ", "), missing.size() == 1 ? "is" : "are"),
                hint);
  }
  return fmt::format("model: {}\ndestination: {}\nobject: {}\n", config::yaml_scalar(options.model),
                     config::yaml_scalar(options.destination), config::yaml_scalar(options.object));
}

// A mapping is added to a file that lacks one: that alone is no mistake.
bool is_to_be_added(const Diagnostic& d) {
  return d.code == "config.missing_key" && d.message.starts_with("`key` ");
}

void check_option(const DraftSync& draft, const char* option, const std::string& wanted,
                  const std::string& written) {
  if (wanted.empty() || wanted == written) return;
  throw Error("usage.invalid", fmt::format("{} says `{}`, and {} `{}`", draft.file, written, option, wanted),
              fmt::format("leave {} out, or take another name for a new sync", option));
}

}  // namespace

DraftSync read_draft(const Workspace& workspace, const MapOptions& options) {
  const project::Project& project = workspace.project();
  DraftSync draft;
  draft.name = options.sync.starts_with("sync.") ? options.sync.substr(5) : options.sync;
  draft.file = "syncs/" + draft.name + ".yml";
  if (draft.name.empty() || !std::all_of(draft.name.begin(), draft.name.end(), [](unsigned char c) {
        return std::isalnum(c) || c == '_' || c == '-';
      }))
    throw Error("sync.bad_name", fmt::format("`{}` cannot name a sync", draft.name),
                "use letters, digits, _ and -");
  const fs::path folder = project.settings.places.project / "syncs";
  draft.path = folder / (draft.name + ".yml");
  draft.is_new = !fs::exists(draft.path);
  if (!draft.is_new) draft.path = fs::canonical(draft.path);
  draft.text = draft.is_new ? first_lines(draft, folder, options) : read_file(draft.path);

  Diagnostics problems;
  draft.node =
      config::parse(draft.text, draft.file,
                    config::environment_with_file(project.settings.places.project / ".env"), problems);
  if (problems.empty()) sync::sync_shape().check(draft.node, problems);
  Diagnostics others;
  for (const Diagnostic& d : problems.list())
    if (!is_to_be_added(d)) others.add(d);
  others.throw_if_any();

  draft.model_sql = trim(draft.node["model"]["sql"].as_string(""));
  while (draft.model_sql.ends_with(';'))
    draft.model_sql = trim(draft.model_sql.substr(0, draft.model_sql.size() - 1));
  draft.model = draft.node["model"].is_map() ? "SQL of " + draft.name : trim(draft.node["model"].text());
  draft.destination = draft.node["destination"].text();
  draft.object = draft.node["object"].text();
  check_option(draft, "--model", options.model, draft.model);
  check_option(draft, "--destination", options.destination, draft.destination);
  check_option(draft, "--object", options.object, draft.object);

  const project::Connection* connection = project.connection(draft.destination);
  if (connection == nullptr) {
    std::vector<std::string> names;
    for (const project::Connection& c : project.connections) names.push_back(c.name);
    const std::string hint = did_you_mean_hint(draft.destination, names);
    throw Error(draft.node["destination"].complaint(
        "project.unknown_connection", fmt::format("there is no connection `{}`", draft.destination),
        hint.empty() ? "add it to connections.yml" : hint));
  }
  if (workspace.registry().destination(connection->type) == nullptr)
    throw Error(draft.node["destination"].complaint(
        "project.wrong_connection",
        fmt::format("connection `{}` is of type {}, which cannot be written to", connection->name,
                    connection->type),
        "use another connection"));
  return draft;
}

sync::Mapped mapped_in(const DraftSync& draft, engine::Connection& connection) {
  sync::Mapped out;
  out.key = !draft.node["key"].entries().empty();
  for (const char* part : {"key", "fields"})
    for (const config::Node::Entry& entry : draft.node[part].entries()) {
      out.fields.insert(entry.name);
      const config::Node value = entry.value.is_map() ? entry.value["value"] : entry.value;
      if (!value.is_scalar()) continue;
      try {
        for (const auto& name : engine::column_references(connection, value.text()).names)
          if (!name.empty()) out.columns.insert(name.back());
      } catch (const Error&) {
        // What is wrong with an expression is told by `validate`.
      }
    }
  return out;
}

std::string with_proposals(const DraftSync& draft, const sync::MappingSuggestion& suggestion) {
  std::string text = draft.text;
  if (const sync::Suggestion* key = suggestion.sure_key();
      key != nullptr && draft.node["key"].entries().empty()) {
    const config::NewEntry entry{config::yaml_scalar(key->field), key->value()};
    text =
        draft.node["key"].exists()
            ? config::add_entries(text, draft.file, "key", {entry})
            : config::add_line(text, draft.file, {"key", fmt::format("{{{}: {}}}", entry.name, entry.value)});
  }
  std::vector<config::NewEntry> fields;
  for (const sync::Suggestion& s : suggestion.sure_fields())
    fields.push_back({config::yaml_scalar(s.field), s.value()});
  return config::add_entries(text, draft.file, "fields", fields);
}

void write_draft(const DraftSync& draft, const std::string& text) {
  Diagnostics problems;
  const config::Node node =
      config::parse(text, draft.file,
                    config::environment_with_file(draft.path.parent_path().parent_path() / ".env"), problems);
  if (problems.empty()) sync::parse_sync(draft.name, node, problems);
  Diagnostics others;
  for (const Diagnostic& d : problems.list())
    if (draft.is_new || !is_to_be_added(d)) others.add(d);
  others.throw_if_any();
  std::error_code none;
  const auto permissions = fs::status(draft.path, none).permissions();
  fs::create_directories(draft.path.parent_path());
  write_file_atomically(draft.path, text);
  if (!draft.is_new) fs::permissions(draft.path, permissions, none);
}

}  // namespace eddy::app
