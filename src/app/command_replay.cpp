// replay, resolve: what becomes of rows that were refused, or whose answer was lost.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/deliver_plans.h"
#include "app/nodes.h"
#include "core/error.h"
#include "core/text.h"
#include "sync/reject_groups.h"
#include "sync/resolve.h"

namespace eddy::app {
namespace {

std::string rows_of(std::uint64_t n) { return fmt::format("{} row{}", with_commas(n), n == 1 ? "" : "s"); }

void record(Workspace& workspace, RecordedRun& recorded, const sync::SyncSpec& spec, std::uint64_t rows,
            const std::string& summary) {
  const std::string node = sync::node_name(spec);
  recorded.record({node, {NodeStatus::ok, rows, summary, {{"operation", "replay"}}, ""}, 0, ""},
                  *workspace.project().graph.find(node));
}

struct Replayed {
  std::uint64_t rows = 0, in_doubt = 0;
};

// Marks the rows of one sync. An insert in doubt is not repeated for the asking: that is what resolve is for.
Replayed replay_sync(state::Store& store, const sync::SyncSpec& spec, const ReplayOptions& options) {
  Replayed out;
  std::vector<std::string> keys(1);  // an empty one narrows nothing
  if (!options.row.empty()) keys = sync::typed_keys(options.row);
  for (const std::string& key : keys)
    for (const char* outcome : {"rejected", "retry", "in_doubt"}) {
      const state::RejectQuery query{.sync = spec.name, .key = key, .code = options.code, .outcome = outcome};
      if (outcome == std::string_view("in_doubt") && spec.mode == sync::Mode::insert)
        out.in_doubt += store.count_rejects(query);
      else
        out.rows += store.replay_rejects(query);
    }
  return out;
}

}  // namespace

int replay(const Context& context, const ReplayOptions& options) {
  Workspace workspace(context);
  std::vector<const sync::SyncSpec*> syncs;
  if (options.sync.empty())
    for (const sync::SyncSpec& spec : workspace.project().syncs) syncs.push_back(&spec);
  else
    syncs.push_back(&find_sync(workspace.project(), options.sync));
  workspace.lock("replay");
  RecordedRun recorded(workspace, "replay", options.sync);
  std::uint64_t found = 0;
  for (const sync::SyncSpec* spec : syncs) {
    const Replayed replayed = replay_sync(workspace.store(), *spec, options);
    found += replayed.rows + replayed.in_doubt;
    if (replayed.rows > 0)
      record(workspace, recorded, *spec, replayed.rows, rows_of(replayed.rows) + " to be sent again");
    if (context.json) {
      print_out(nlohmann::json{{"type", "replay"},
                               {"sync", spec->name},
                               {"rows", replayed.rows},
                               {"in_doubt", replayed.in_doubt}}
                    .dump() +
                "\n");
      continue;
    }
    if (context.quiet) continue;
    if (replayed.rows > 0)
      print_err(fmt::format("sync {}: {} will be sent again by its next run: eddy run -s {}\n", spec->name,
                            rows_of(replayed.rows), sync::node_name(*spec)));
    if (replayed.in_doubt > 0)
      print_err(fmt::format(
          "sync {0}: {1} in doubt left as they are: eddy resolve {0} --applied or --not-applied\n",
          spec->name, rows_of(replayed.in_doubt)));
  }
  recorded.finish("done");
  if (found == 0 && !context.json && !context.quiet) print_err("no open rejects like that\n");
  return exit_done;
}

int resolve(const Context& context, const ResolveOptions& options) {
  Workspace workspace(context);
  const sync::SyncSpec& spec = find_sync(workspace.project(), options.sync);
  if (options.applied == options.not_applied)
    throw Error("usage.invalid", "it has to be said what became of the rows",
                "look at the destination, then: eddy resolve SYNC --row KEY --applied, or --not-applied");
  if (options.row.empty() != options.all)
    throw Error("usage.invalid", "it has to be said which rows are meant", "--row KEY, or --all");
  workspace.lock("resolve");
  warehouse::Session& session = workspace.session();
  std::vector<std::string> keys;
  if (!options.row.empty()) {
    const std::vector<std::string> meant = sync::typed_keys(options.row);
    for (const std::string& key : meant)
      if (workspace.store().count_rejects({.sync = spec.name, .key = key, .outcome = "in_doubt"}) > 0)
        keys.push_back(key);
    if (keys.empty()) keys.push_back(meant.back());
  }
  RecordedRun recorded(workspace, "resolve", sync::node_name(spec));
  const auto finding = options.applied ? sync::Finding::applied : sync::Finding::not_applied;
  const std::uint64_t rows = sync::resolve(session, spec, keys, finding, recorded.id(), system_clock());
  const std::string text =
      options.applied ? fmt::format("{} taken as applied", rows_of(rows))
                      : fmt::format("{} taken as not applied, and sent by the next run", rows_of(rows));
  record(workspace, recorded, spec, rows, text);
  recorded.finish("done");
  if (context.json)
    print_out(nlohmann::json{{"type", "resolve"},
                             {"sync", spec.name},
                             {"rows", rows},
                             {"finding", options.applied ? "applied" : "not_applied"}}
                  .dump() +
              "\n");
  else if (!context.quiet)
    print_err(fmt::format("sync {}: {}\n", spec.name, text));
  return exit_done;
}

}  // namespace eddy::app
