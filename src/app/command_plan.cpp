// plan: what each sync would send, and why; nothing leaves, unless `--row KEY --send` asks for one row.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/nodes.h"
#include "app/plan_view.h"
#include "app/sync_request.h"
#include "core/error.h"
#include "core/files.h"
#include "core/secrets.h"
#include "core/text.h"
#include "project/selection.h"
#include "sync/field_policies.h"
#include "sync/fold.h"
#include "sync/guards.h"
#include "sync/remote_snapshot.h"

namespace eddy::app {
namespace {

using nlohmann::json;

std::vector<const sync::SyncSpec*> selected_syncs(const project::Project& project,
                                                  const Selection& selection) {
  const auto selected = project::select(project.graph, selection.select, selection.exclude);
  std::vector<const sync::SyncSpec*> out;
  for (const std::string& name : project.graph.order())
    if (selected.contains(name) && project.graph.find(name)->kind == project::NodeKind::sync)
      out.push_back(project.sync(name));
  if (out.empty())
    throw Error("selection.empty", "no sync is selected",
                "syncs are files syncs/*.yml; `eddy ls -s resource_type:sync` lists them");
  return out;
}

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

json to_json(const sync::Drift& drift) {
  json fields = json::array(), examples = json::array();
  for (const auto& [field, rows] : drift.fields) fields.push_back({{"field", field}, {"rows", rows}});
  for (const sync::DriftExample& e : drift.examples)
    examples.push_back({{"key", json::parse(e.key)},
                        {"field", e.field},
                        {"acknowledged", json::parse(e.acknowledged)},
                        {"theirs", json::parse(e.theirs)}});
  return {{"read", drift.read},
          {"changed", drift.changed},
          {"missing", drift.missing},
          {"fields", fields},
          {"examples", examples}};
}

// The plans of one call: made one after the other, shown, kept in a file when asked for.
class Planning {
 public:
  Planning(const Context& context, const PlanOptions& options, Workspace& workspace)
      : context_(context),
        options_(options),
        workspace_(workspace),
        connection_(workspace.session().connect()),
        file_({{"format", "eddy plan"},
               {"version", plan_file_version},
               {"project", workspace.project().settings.name},
               {"target", context.target},
               {"plans", json::array()}}) {}

  void make(const sync::SyncSpec& spec) {
    AskedDestination asked = ask_destination(workspace_, spec, options_.offline);
    sync::PlanRequest request;
    request.rows_max = options_.rows_max;
    request.key = options_.row;
    const sync::Unread unread = unread_rows(workspace_, spec);
    request.unread = &unread;
    std::optional<sync::Drift> drift;
    const sync::Standing standing =
        sync::recover(workspace_.session(), connection_, spec.name, system_clock());
    if (options_.refresh) {
      if (!asked.destination)
        throw Error("sync.cannot_read", fmt::format("{} cannot be read: {}", spec.destination, asked.note),
                    "check it with `eddy doctor`");
      sync::bring_snapshot_home(workspace_.session(), connection_, spec.name);
      drift = sync::read_drift(connection_, standing, sync::bind(workspace_.session(), connection_, spec),
                               *asked.destination, spec.options, context_.cancel);
      request.refreshed = true;
    }
    const sync::Plan plan =
        sync::make_checked_plan(workspace_.session(), connection_, spec, asked.destination.get(),
                                asked.object, system_clock(), request);
    note(spec, plan);
    show({spec, plan, asked.object ? "" : asked.note, drift ? &*drift : nullptr, options_.examples,
          asked.kept});
    if (!options_.row.empty()) show_row(spec, plan, asked);
  }

  void end() const {
    if (!context_.json && options_.row.empty())
      print_out(fmt::format("{0}Plan: {1} to add, {2} to change, {3} to remove.{0}\n",
                            options_.markdown ? "**" : "", with_commas(added_), with_commas(changed_),
                            with_commas(removed_)));
  }
  void keep() const {
    write_file_atomically(options_.out, file_.dump(2) + "\n");
    // It names keys and counts only; the rows stay in .eddy.
    std::filesystem::permissions(options_.out,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    if (!context_.quiet)
      print_err(fmt::format("kept in {0}; send it with: eddy apply {0}\n", options_.out.string()));
  }
  bool held() const { return held_; }
  bool changes() const { return added_ + changed_ + removed_ > 0; }

 private:
  void note(const sync::SyncSpec& spec, const sync::Plan& plan) {
    file_["plans"].push_back({{"sync", spec.name},
                              {"plan", plan.id},
                              {"epoch", plan.epoch},
                              {"made_at", plan.made_at},
                              {"counts", sync::to_json(plan.counts)}});
    added_ += plan.counts.added, changed_ += plan.counts.changed, removed_ += plan.counts.removed;
    held_ = held_ || !plan.holds.empty();
  }

  void show(const PlanView& view) {
    if (context_.json) {
      json out = sync::to_json(view.plan);
      if (view.drift != nullptr) out["drift"] = to_json(*view.drift);
      if (!view.schema_note.empty()) out["schema_note"] = view.schema_note;
      if (!view.schema_age.empty()) out["schema_age"] = view.schema_age;
      print_out(text_of(out) + "\n");
    } else if (options_.markdown) {
      print_out(plan_markdown(connection_, view));
    } else {
      print_out(plan_text(context_.terminal, connection_, view));
    }
  }

  // The exact request for the row that was asked for.
  void show_row(const sync::SyncSpec& spec, const sync::Plan& plan, const AskedDestination& asked) {
    const auto rows = sync::changes(connection_, plan, 0, 1);
    if (rows.empty()) {
      if (!context_.json) print_out(fmt::format("  nothing to send for {}\n", options_.row));
      return;
    }
    if (!asked.destination)
      throw Error("sync.no_preview", fmt::format("the request cannot be shown: {}", asked.note),
                  "plan without --offline, and check the connection with `eddy doctor`");
    const auto writer = sync::open_writer_for(sync::sending_of(connection_, plan), *asked.destination,
                                              plan.definition, spec.options);
    for (const std::string& request : writer->preview(rows))
      print_out(context_.json
                    ? text_of({{"type", "request"}, {"sync", spec.name}, {"request", redact(request)}}) + "\n"
                    : redact(request) + "\n");
  }

  const Context& context_;
  const PlanOptions& options_;
  Workspace& workspace_;
  engine::Connection connection_;
  json file_;
  std::uint64_t added_ = 0, changed_ = 0, removed_ = 0;
  bool held_ = false;
};

// `plan --row KEY --send`: that row, through the whole way.
int send_row(const Context& context, Workspace& workspace, const sync::SyncSpec& spec,
             const std::string& row) {
  RecordedRun recorded(workspace, "plan --send", sync::node_name(spec));
  const auto destination = workspace.destination(spec.destination);
  sync::ApplyOptions options;
  options.request.key = row;
  const sync::Unread unread = unread_rows(workspace, spec);
  options.request.unread = &unread;
  const auto started = std::chrono::steady_clock::now();
  project::NodeOutcome outcome{
      sync::node_name(spec),
      node_result(sync::run_sync(workspace.session(), spec, *destination, recorded.id(), system_clock(),
                                 silent_progress(), context.cancel, options)),
      0,
      {}};
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  recorded.record(outcome, *workspace.project().graph.find(outcome.node));
  const Verdicts verdicts({outcome});
  recorded.finish(verdicts.status(context.cancel.requested()));
  if (!outcome.result.error.empty()) print_err(outcome.result.error);
  if (!context.quiet) print_err(fmt::format("sent: {}\n", outcome.result.summary));
  return verdicts.exit_code(context.cancel.requested());
}

}  // namespace

int plan(const Context& context, const PlanOptions& options) {
  Workspace workspace(context);
  const auto syncs = selected_syncs(workspace.project(), options.selection);
  if (options.send && options.row.empty())
    throw Error("usage.invalid", "--send goes with --row", "eddy plan -s sync.NAME --row KEY --send");
  if (!options.row.empty() && syncs.size() != 1)
    throw Error("usage.invalid", fmt::format("--row is about one sync, and {} are selected", syncs.size()),
                "eddy plan -s sync.NAME --row KEY");
  workspace.lock("plan");
  workspace.session();
  Planning planning(context, options, workspace);
  bool failed = false;
  for (const sync::SyncSpec* spec : syncs) {
    try {
      planning.make(*spec);
    } catch (const Error& e) {
      failed = true;
      for (const Diagnostic& d : e.diagnostics()) print_err(render(d));
    }
  }
  planning.end();
  if (failed) return exit_failed;
  if (!options.out.empty()) planning.keep();
  if (options.send && planning.changes()) return send_row(context, workspace, *syncs.front(), options.row);
  if (planning.held()) return exit_held;
  return options.detailed_exitcode && planning.changes() ? exit_changes : exit_done;
}

}  // namespace eddy::app
