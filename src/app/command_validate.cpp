// validate: every file of the project, then every mapping against what its destination says and against the
// rows that the model has now. What cannot be looked at is said, and is no mistake.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "app/workspace.h"
#include "core/error.h"
#include "core/text.h"
#include "sync/schema_checks.h"

namespace eddy::app {
namespace {

using nlohmann::json;

std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// What was found, sync by sync.
struct Findings {
  struct Sync {
    std::string name, destination, object;
    std::string age;                       // "read 3 h ago"; "" when the destination was asked now
    std::vector<std::string> not_checked;  // with the reason
  };
  std::vector<Sync> syncs;
  Diagnostics mistakes;
  std::vector<Diagnostic> warnings;  // rows that would be stopped
};

class SchemaChecking {
 public:
  SchemaChecking(const Context& context, const ValidateOptions& options, Workspace& workspace)
      : context_(context), options_(options), workspace_(workspace) {}

  Findings all() {
    for (const sync::SyncSpec& spec : workspace_.project().syncs) {
      findings_.syncs.push_back({spec.name, spec.destination, spec.object, "", {}});
      check(spec, findings_.syncs.back());
    }
    return std::move(findings_);
  }

 private:
  void check(const sync::SyncSpec& spec, Findings::Sync& result) {
    std::optional<sync::ObjectSchema> object;
    if (const auto known = unreachable_.find(spec.destination); known != unreachable_.end()) {
      result.not_checked.push_back(known->second);
      return;
    }
    Diagnostics mistakes;
    try {
      sync::CachedDestination& asked = destination(spec.destination);
      object = sync::check_mapping(spec, asked, mistakes);
      sync::check_lookups(spec, asked, mistakes);
      result.age = asked.note();
    } catch (const Error& error) {
      const std::string why = fmt::format("fields: {}", error.message());
      unreachable_[spec.destination] = why;
      result.not_checked.push_back(why);
      return;
    }
    for (const Diagnostic& d : mistakes.list()) findings_.mistakes.add(d);
    if (!object && mistakes.empty())
      result.not_checked.push_back("fields: it tells them only when it is written to");
    if (object) check_rows(spec, *object, result);
  }

  // What needs the model: the types of expressions, and values.
  void check_rows(const sync::SyncSpec& spec, const sync::ObjectSchema& object, Findings::Sync& result) {
    try {
      if (!has_model(spec)) {
        result.not_checked.push_back(
            fmt::format("types and values: `{0}` has not been built yet (eddy run -s +{0})", spec.model));
        return;
      }
      auto connection = workspace_.session().connect();
      const sync::Definition definition = sync::bind(workspace_.session(), connection, spec);
      Diagnostics mistakes;
      sync::check_types(spec, definition, object, mistakes);
      for (const Diagnostic& d : mistakes.list()) findings_.mistakes.add(d);
      bool cut = false;
      const std::string rows =
          sync::desired_rows(workspace_.session(), connection, definition, rows_max, cut);
      if (cut)
        result.not_checked.push_back(fmt::format("values beyond the first {} rows", with_commas(rows_max)));
      for (Diagnostic& d : sync::look_at_rows(connection, rows, spec, definition, object))
        findings_.warnings.push_back(std::move(d));
    } catch (const Error& error) {
      if (error.code().starts_with("sync."))
        findings_.mistakes.add(error);
      else
        result.not_checked.push_back("types and values: " + error.message());
    }
  }

  // Nothing is made to find that out: a project that was never run has no state.
  bool has_model(const sync::SyncSpec& spec) {
    if (!workspace_.project().own_warehouse.empty()) return true;
    if (!std::filesystem::exists(workspace_.project().settings.places.dot_eddy / "state.db")) return false;
    auto connection = workspace_.session().connect();
    const auto built = workspace_.session().relations(connection);
    const auto is_built = [&](const std::string& name) {
      return std::find(built.begin(), built.end(), name) != built.end();
    };
    if (spec.model_sql.empty()) return is_built(spec.model);
    const project::Node* node = workspace_.project().graph.find(sync::node_name(spec));
    return std::all_of(node->inputs.begin(), node->inputs.end(), is_built);
  }

  sync::CachedDestination& destination(const std::string& connection) {
    auto& made = destinations_[connection];
    if (!made)
      made = workspace_.destination(connection, options_.offline   ? sync::Asking::never
                                                : options_.refresh ? sync::Asking::always
                                                                   : sync::Asking::when_missing);
    return *made;
  }

  static constexpr std::uint64_t rows_max = 200'000;  // brought here from a warehouse elsewhere
  const Context& context_;
  const ValidateOptions& options_;
  Workspace& workspace_;
  std::map<std::string, std::unique_ptr<sync::CachedDestination>> destinations_;
  std::map<std::string, std::string> unreachable_;  // connection -> why
  Findings findings_;
};

void print_warning(const Context& context, const Diagnostic& d) {
  if (context.json)
    print_out(dumped({{"type", "warning"},
                      {"code", d.code},
                      {"message", d.message},
                      {"hint", d.hint},
                      {"file", d.position.file},
                      {"line", d.position.line},
                      {"column", d.position.column}}) +
              "\n");
  else
    print_err("warning" + render(d).substr(std::string_view("error").size()));
}

void print_syncs(const Context& context, const std::vector<Findings::Sync>& syncs) {
  for (const Findings::Sync& s : syncs) {
    if (context.json) {
      print_out(dumped({{"type", "sync"},
                        {"sync", s.name},
                        {"destination", s.destination},
                        {"object", s.object},
                        {"schema_age", s.age},
                        {"not_checked", s.not_checked}}) +
                "\n");
      continue;
    }
    for (const std::string& reason : s.not_checked)
      print_err(fmt::format("{}: not checked: {}\n", "sync." + s.name, reason));
  }
  if (context.json) return;
  std::map<std::string, std::string> ages;  // of what was not asked now
  for (const Findings::Sync& s : syncs)
    if (!s.age.empty()) ages[s.destination] = s.age;
  for (const auto& [destination, age] : ages)
    print_err(fmt::format("fields of {}: {} (--refresh asks anew)\n", destination, age));
}

}  // namespace

int validate(const Context& context, const ValidateOptions& options) {
  if (options.offline && options.refresh)
    throw Error("usage.invalid", "--offline and --refresh contradict each other", "leave one of them out");
  Workspace workspace(context);
  std::map<std::string, std::size_t> counts;
  for (const project::Node& node : workspace.project().graph.nodes())
    ++counts[std::string(name_of(node.kind))];
  const Findings found = SchemaChecking(context, options, workspace).all();
  for (const Diagnostic& warning : found.warnings) print_warning(context, warning);
  if (!context.quiet || context.json) print_syncs(context, found.syncs);
  found.mistakes.throw_if_any();

  std::vector<std::string> parts;
  for (const std::string kind : {"stream", "model", "test", "dashboard", "sync"})
    parts.push_back(fmt::format("{} {}{}", counts[kind], kind, counts[kind] == 1 ? "" : "s"));
  if (context.json)
    print_out(dumped({{"type", "valid"},
                      {"project", workspace.project().settings.name},
                      {"nodes", counts},
                      {"warnings", found.warnings.size()}}) +
              "\n");
  else if (!context.quiet)
    print_err(fmt::format("{} is valid: {}\n", workspace.project().settings.name, join(parts, ", ")));
  return exit_done;
}

}  // namespace eddy::app
