// sync resend, reset, undo: operations on what a sync has delivered.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/deliver_plans.h"
#include "app/nodes.h"
#include "app/plan_view.h"
#include "app/sync_request.h"
#include "core/error.h"
#include "core/text.h"
#include "sync/fold.h"
#include "sync/reset.h"
#include "sync/undo.h"

namespace eddy::app {
namespace {

using nlohmann::json;

std::string rows_of(std::uint64_t n) { return fmt::format("{} row{}", with_commas(n), n == 1 ? "" : "s"); }

// Shows plans, and sends them when that was asked for.
class Sending {
 public:
  Sending(const Context& context, Workspace& workspace, const SyncOptions& options, std::string command)
      : context_(context),
        workspace_(workspace),
        options_(options),
        command_(std::move(command)),
        connection_(workspace.session().connect()) {}

  void make(const sync::SyncSpec& spec, sync::PlanRequest request) {
    const AskedDestination asked = ask_destination(workspace_, spec, request.kind == sync::PlanKind::undo);
    if (asked.object && request.kind != sync::PlanKind::undo) request.object = &*asked.object;
    const sync::Plan plan = sync::plan_sync(workspace_.session(), spec, system_clock(), request);
    // An undo sends values that were accepted before; there is nothing to say about their schema.
    const std::string note = request.kind == sync::PlanKind::undo || asked.object ? "" : asked.note;
    if (context_.json)
      print_out(sync::to_json(plan).dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
    else
      print_out(plan_text(context_.terminal, connection_, {spec, plan, note, nullptr, options_.examples}));
    if (plan.counts.planned() > 0) plans_[sync::node_name(spec)] = plan.id;
  }

  // `then`: what a person should know before it is sent.
  int end(const std::string& selection, const std::string& then) {
    if (plans_.empty()) {
      say("nothing to send\n");
      return exit_done;
    }
    std::set<std::string> ids;
    std::string approve;
    for (const auto& [node, id] : plans_) {
      ids.insert(id);
      approve += " --approve " + id;
    }
    if (!then.empty()) say(then + "\n");
    if (options_.yes) return deliver_plans(context_, workspace_, {command_, selection, plans_, ids});
    say(fmt::format("nothing was sent; send it with: eddy apply{}\n", approve));
    return exit_done;
  }

 private:
  void say(const std::string& text) const {
    if (!context_.json && !context_.quiet) print_err(text);
  }

  const Context& context_;
  Workspace& workspace_;
  const SyncOptions& options_;
  const std::string command_;
  engine::Connection connection_;
  std::map<std::string, std::string> plans_;  // sync node -> plan id
};

std::string text_of(const sync::SyncSpec& spec, const sync::Forgotten& f) {
  std::string out;
  if (!f.set_aside.empty()) {
    out += fmt::format(".eddy/sync.duckdb could not be opened, and was set aside as .eddy/{}\n", f.set_aside);
    if (!f.others.empty())
      out += fmt::format("what other syncs had delivered stood in it too; reset them as well: {}\n",
                         join(f.others, ", "));
  }
  out += fmt::format("sync {}: {} and {} reject{} are forgotten\n", spec.name,
                     f.rows == 1 ? "1 delivered row" : with_commas(f.rows) + " delivered rows",
                     with_commas(f.rejects), f.rejects == 1 ? "" : "s");
  return out;
}

std::string reset_text(const sync::SyncSpec& spec, const sync::Forgotten& forgotten) {
  std::string out = text_of(spec, forgotten) + "the next run sends every row and removes nothing\n";
  if (spec.mode == sync::Mode::insert)
    out += "it inserts: rows that are at the destination already will be there twice\n";
  return out;
}

std::string baseline_text(const sync::SyncSpec& spec, const sync::Believed& b) {
  std::string out;
  if (!b.forgotten.set_aside.empty() || b.forgotten.rows + b.forgotten.rejects > 0)
    out += text_of(spec, b.forgotten);
  out += fmt::format(
      "sync {}: the destination is believed to have the {} of {}; {} differed from what was known\n",
      spec.name, rows_of(b.plan.counts.valid), spec.model, with_commas(b.plan.counts.planned()));
  if (b.plan.counts.invalid() > 0)
    out +=
        fmt::format("{} without a key of their own are not among them\n", rows_of(b.plan.counts.invalid()));
  return out + "nothing was sent; the next run sends what changes from now on\n";
}

// Ends a recorded run of one step that sent nothing.
void record(Workspace& workspace, RecordedRun& recorded, const sync::SyncSpec& spec, std::uint64_t rows,
            const std::string& summary, const json& details) {
  const std::string node = sync::node_name(spec);
  recorded.record({node, {NodeStatus::ok, rows, summary, details, ""}, 0, ""},
                  *workspace.project().graph.find(node));
  recorded.finish("done");
}

}  // namespace

int sync_resend(const Context& context, const SyncOptions& options) {
  Workspace workspace(context);
  const sync::SyncSpec& spec = find_sync(workspace.project(), options.sync);
  workspace.lock("sync resend");
  Sending sending(context, workspace, options, "sync resend");
  sending.make(spec, {.kind = sync::PlanKind::resend});
  return sending.end(sync::node_name(spec), "");
}

int sync_undo(const Context& context, const SyncOptions& options) {
  Workspace workspace(context);
  const sync::SyncSpec* only = options.sync.empty() ? nullptr : &find_sync(workspace.project(), options.sync);
  workspace.lock("sync undo");
  const auto run = workspace.store().run(options.run);
  if (!run)
    throw Error("usage.unknown_run", fmt::format("there is no run `{}`", options.run),
                "`eddy runs` lists them");
  Sending sending(context, workspace, options, "sync undo");
  std::vector<sync::Delivered> delivered;
  {
    auto connection = workspace.session().connect();
    sync::open_sync_database(workspace.session(), connection);
    delivered = sync::delivered_by(connection, run->id, only == nullptr ? "" : only->name);
  }
  for (const sync::Delivered& d : delivered)
    sending.make(find_sync(workspace.project(), d.sync),
                 {.kind = sync::PlanKind::undo, .undo_plan = d.plan_id, .undone_run = run->id});
  return sending.end(run->id,
                     "the next run sends what the model says then: correct the model or the mapping first");
}

int sync_reset(const Context& context, const SyncOptions& options) {
  Workspace workspace(context);
  const sync::SyncSpec& spec = find_sync(workspace.project(), options.sync);
  const std::string command = options.baseline ? "sync reset --baseline" : "sync reset";
  workspace.lock(command);
  warehouse::Session& session = workspace.session();
  RecordedRun recorded(workspace, command, sync::node_name(spec));
  sync::Forgotten forgotten;
  std::uint64_t believed = 0;
  std::string text;
  if (options.baseline) {
    const sync::Believed b = sync::baseline(session, spec, recorded.id(), system_clock());
    forgotten = b.forgotten;
    believed = b.plan.counts.valid;
    text = baseline_text(spec, b);
  } else {
    forgotten = sync::reset(session, spec.name, recorded.id());
    text = reset_text(spec, forgotten);
  }
  const json details = {{"operation", options.baseline ? "baseline" : "reset"},
                        {"forgotten", forgotten.rows},
                        {"forgotten_rejects", forgotten.rejects},
                        {"set_aside", forgotten.set_aside},
                        {"to_reset_too", forgotten.others},
                        {"believed", believed}};
  record(workspace, recorded, spec, believed,
         options.baseline ? rows_of(believed) + " believed" : rows_of(forgotten.rows) + " forgotten",
         details);
  if (context.json)
    print_out(
        json{{"type", command}, {"sync", spec.name}, {"run", recorded.id()}, {"details", details}}.dump() +
        "\n");
  else if (!context.quiet)
    print_err(text);
  return exit_done;
}

}  // namespace eddy::app
