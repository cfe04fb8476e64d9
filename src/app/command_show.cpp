// Commands that look at what is there: show, runs, rejects.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "app/workspace.h"
#include "core/error.h"
#include "core/text.h"
#include "ingest/quarantine.h"

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
  const auto open = workspace.store().rejects(spec.name, true).size();
  if (open > 0) print_out(fmt::format("rejects      {} open: eddy rejects {}\n", open, spec.name));
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

namespace {

// source → valid → planned → sent → applied always; what else became of rows only where there are some.
void print_funnel(const Context& context, const state::NodeRun& node) {
  const auto details = nlohmann::json::parse(node.details, nullptr, false);
  if (!details.is_object() || !details.contains("planned")) return;
  std::vector<std::string> steps, others;
  for (const char* name : {"source", "valid", "planned", "sent", "applied"})
    if (details.contains(name))
      steps.push_back(fmt::format("{} {}", name, with_commas(details[name].get<std::uint64_t>())));
  for (const char* name :
       {"invalid", "unchanged", "rejected_before", "rejected", "in_doubt", "gave_up", "not_sent"})
    if (details.value(name, std::uint64_t{0}) > 0)
      others.push_back(
          fmt::format("{} {}", with_commas(details[name].get<std::uint64_t>()), replace_all(name, "_", " ")));
  std::string line = "         " + join(steps, " → ");
  if (!others.empty()) line += "  (" + join(others, ", ") + ")";
  print_out(context.terminal.out_style(Style::dim, line) + "\n");
}

}  // namespace

int runs(const Context& context, const std::string& id, std::size_t limit) {
  Workspace workspace(context);
  if (id.empty()) {
    Table table(std::vector<std::string>{"run", "command", "selection", "status", "started", "ended"});
    for (const state::Run& run : workspace.store().runs(limit))
      table.add(std::vector<std::string>{run.id, run.command, run.selection, run.status, run.started_at,
                                         run.ended_at});
    print_out(table.render(context.json ? TableForm::json : TableForm::table));
    return exit_done;
  }
  const auto run = workspace.store().run(id);
  if (!run)
    throw Error("usage.unknown_run", fmt::format("there is no run `{}`", id), "`eddy runs` lists them");
  const auto nodes = workspace.store().nodes_of(run->id);
  if (context.json) {
    for (const state::NodeRun& n : nodes)
      print_out(nlohmann::json{{"run", n.run_id},
                               {"node", n.node},
                               {"kind", n.kind},
                               {"status", n.status},
                               {"started_at", n.started_at},
                               {"ended_at", n.ended_at},
                               {"rows", n.rows},
                               {"summary", n.summary},
                               {"details", nlohmann::json::parse(n.details, nullptr, false)}}
                    .dump() +
                "\n");
    return exit_done;
  }
  print_out(fmt::format("run {}  {}  {}  {} – {}\n\n", run->id, run->command, run->status, run->started_at,
                        run->ended_at));
  for (const state::NodeRun& node : nodes) {
    print_out(fmt::format("{:<8} {:<46} {}\n", node.status, node.node, node.summary));
    if (node.kind == "sync") print_funnel(context, node);
  }
  return exit_done;
}

namespace {

void print_sync_rejects(const Context& context, const std::vector<state::Reject>& rejects,
                        std::size_t limit) {
  Table table(std::vector<std::string>{"sync", "key", "outcome", "code", "message", "attempts", "last seen"});
  for (const state::Reject& r : rejects) {
    if (table.rows() == limit) break;
    table.add(std::vector<std::string>{r.sync, r.key, r.outcome, r.code, r.message,
                                       std::to_string(r.attempts), r.last_seen});
  }
  if (context.json) {
    for (std::size_t i = 0; i < std::min(limit, rejects.size()); ++i) {
      const state::Reject& r = rejects[i];
      print_out(nlohmann::json{{"sync", r.sync},
                               {"key", nlohmann::json::parse(r.key, nullptr, false)},
                               {"operation", r.operation},
                               {"outcome", r.outcome},
                               {"code", r.code},
                               {"message", r.message},
                               {"payload", nlohmann::json::parse(r.payload, nullptr, false)},
                               {"attempts", r.attempts},
                               {"first_seen", r.first_seen},
                               {"last_seen", r.last_seen},
                               {"run", r.run_id}}
                    .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                "\n");
    }
    return;
  }
  if (rejects.empty()) return;
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> groups;
  for (const state::Reject& r : rejects) ++groups[{r.sync, r.code, r.outcome}];
  Table summary(std::vector<std::string>{"sync", "code", "outcome", "rows"});
  for (const auto& [group, count] : groups)
    summary.add(std::vector<std::string>{std::get<0>(group), std::get<1>(group), std::get<2>(group),
                                         with_commas(count)});
  print_out(summary.render(TableForm::table) + "\n" + table.render(TableForm::table));
  if (rejects.size() > limit)
    print_err(fmt::format("{} of {} shown; --limit shows more\n", limit, rejects.size()));
}

void print_quarantine(const Context& context, Workspace& workspace, const ingest::StreamSpec& stream,
                      std::size_t limit) {
  const auto rows = ingest::quarantined_rows(workspace.project().settings.places.lake, workspace.store(),
                                             stream.source, stream.name, limit);
  if (rows.empty()) return;
  if (context.json) {
    for (const auto& row : rows)
      print_out(nlohmann::json{{"stream", stream.relation()},
                               {"file", row.file},
                               {"line", row.line},
                               {"code", row.code},
                               {"reason", row.reason},
                               {"bytes", row.bytes},
                               {"load", row.load_id}}
                    .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                "\n");
    return;
  }
  Table table(std::vector<std::string>{"stream", "file", "line", "code", "reason", "bytes"});
  for (const auto& row : rows)
    table.add(std::vector<std::string>{stream.relation(), row.file, std::to_string(row.line), row.code,
                                       row.reason, row.bytes});
  print_out(table.render(TableForm::table) + "\n");
}

}  // namespace

int rejects(const Context& context, const std::string& name, std::size_t limit) {
  Workspace workspace(context);
  const project::Project& project = workspace.project();
  const auto* stream = project.stream(name);
  const auto* sync = project.sync(name);
  if (!name.empty() && stream == nullptr && sync == nullptr) {
    std::vector<std::string> names;
    for (const auto& s : project.syncs) names.push_back(s.name);
    for (const auto& source : project.sources)
      for (const auto& s : source.streams) names.push_back(s.relation());
    throw Error("usage.unknown_node", fmt::format("`{}` is neither a sync nor a stream", name),
                did_you_mean_hint(name, names));
  }
  std::size_t found = 0;
  if (stream == nullptr) {
    const auto list = workspace.store().rejects(sync == nullptr ? "" : sync->name, true);
    print_sync_rejects(context, list, limit);
    found += list.size();
  }
  if (sync == nullptr)
    for (const auto& source : project.sources)
      for (const auto& s : source.streams)
        if (stream == nullptr || stream == &s) print_quarantine(context, workspace, s, limit);
  if (found == 0 && sync != nullptr && !context.json && !context.quiet) print_err("no open rejects\n");
  return exit_done;
}

}  // namespace eddy::app
