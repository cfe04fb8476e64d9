// rejects: rows that destinations refused, and lines that loads put in quarantine.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "app/workspace.h"
#include "core/error.h"
#include "core/text.h"
#include "ingest/quarantine.h"
#include "sync/reject_groups.h"

namespace eddy::app {
namespace {

using nlohmann::json;
using sync::RejectState;

constexpr std::size_t rows_shown = 50;  // of a table, when no --limit is given

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// "2026-11-23T10:53:42.123456Z" -> "2026-11-23T10:53:42Z"
std::string to_seconds(const std::string& moment) {
  const auto point = moment.find('.');
  return point == std::string::npos ? moment : moment.substr(0, point) + "Z";
}

const char* heading_of(RejectState state) {
  switch (state) {
    case RejectState::refused:
      return "Refused: not sent again until the row or its mapping changes, or with `eddy replay`";
    case RejectState::again:
      return "Not gone through: sent again by every run";
    case RejectState::replay:
      return "To be sent again by the next run";
    case RejectState::parked:
      return "Parked: failed in too many runs, sent again with `eddy replay`";
    case RejectState::in_doubt:
      return "In doubt: nobody knows whether they were applied; see `eddy resolve`";
    case RejectState::settled:
      return "Settled";
  }
  return "";
}

// The rejects of syncs: in groups, or row by row.
class SyncRejects {
 public:
  SyncRejects(const Context& context, Workspace& workspace, const RejectsOptions& options)
      : context_(context), workspace_(workspace), options_(options) {}

  // Returns how many there are.
  std::uint64_t print(const std::string& sync) {
    const state::RejectQuery query{.sync = sync, .code = options_.code};
    const std::uint64_t found = workspace_.store().count_rejects(query);
    if (found == 0) return 0;
    if (context_.json)
      print_json(query);
    else if (options_.all || !options_.code.empty())
      print_rows(query, found);
    else
      print_groups(query);
    return found;
  }

 private:
  bool inserts(const std::string& sync) const {
    const sync::SyncSpec* spec = workspace_.project().sync(sync);
    return spec == nullptr || spec->mode == sync::Mode::insert;
  }

  void print_groups(const state::RejectQuery& query) {
    const auto groups = sync::group_rejects(workspace_.store(), query,
                                            [&](const std::string& sync) { return inserts(sync); });
    std::optional<RejectState> state;
    std::string out;
    for (const sync::RejectGroup& g : groups) {
      if (state != g.state)
        out += (state ? "\n" : "") + context_.terminal.out_style(Style::bold, heading_of(g.state)) + "\n";
      state = g.state;
      out += fmt::format("  {}  {}  {} row{}\n", g.sync, g.code, with_commas(g.rows), g.rows == 1 ? "" : "s");
      if (!g.message.empty()) out += fmt::format("    {}\n", g.message);
      out += context_.terminal.out_style(
                 Style::dim, fmt::format("    for example {}; first seen {}, last seen {}", g.example_key,
                                         to_seconds(g.first_seen), to_seconds(g.last_seen))) +
             "\n";
    }
    print_out(out + "\n");
  }

  void print_rows(const state::RejectQuery& query, std::uint64_t found) {
    const std::uint64_t limit = options_.all && options_.limit == 0 ? found
                                : options_.limit == 0               ? rows_shown
                                                                    : options_.limit;
    std::map<RejectState, Table> tables;
    std::uint64_t shown = 0;
    workspace_.store().each_reject(query, [&](const state::Reject& r) {
      if (shown >= limit) return;
      ++shown;
      const RejectState state = sync::state_of(r, inserts(r.sync));
      const auto table =
          tables.try_emplace(state, std::vector<std::string>{"sync", "key", "operation", "code", "message",
                                                             "attempts", "runs", "first seen", "last seen"});
      table.first->second.add(std::vector<std::string>{r.sync, r.key, r.operation, r.code, r.message,
                                                       std::to_string(r.attempts), std::to_string(r.runs),
                                                       to_seconds(r.first_seen), to_seconds(r.last_seen)});
    });
    for (const auto& [state, table] : tables)
      print_out(context_.terminal.out_style(Style::bold, heading_of(state)) + "\n" +
                table.render(TableForm::table) + "\n");
    if (shown < found)
      print_err(
          fmt::format("{} of {} shown; --all shows every row\n", with_commas(shown), with_commas(found)));
  }

  void print_json(const state::RejectQuery& query) {
    std::uint64_t shown = 0;
    workspace_.store().each_reject(query, [&](const state::Reject& r) {
      if (options_.limit != 0 && shown >= options_.limit) return;
      ++shown;
      print_out(text_of({{"sync", r.sync},
                         {"key", json::parse(r.key, nullptr, false)},
                         {"operation", r.operation},
                         {"outcome", r.outcome},
                         {"status", r.status},
                         {"state", sync::name_of(sync::state_of(r, inserts(r.sync)))},
                         {"code", r.code},
                         {"message", r.message},
                         {"payload", json::parse(r.payload, nullptr, false)},
                         {"attempts", r.attempts},
                         {"runs", r.runs},
                         {"first_seen", r.first_seen},
                         {"last_seen", r.last_seen},
                         {"run", r.run_id}}) +
                "\n");
    });
  }

  const Context& context_;
  Workspace& workspace_;
  const RejectsOptions& options_;
};

std::uint64_t print_quarantine(const Context& context, Workspace& workspace, const ingest::StreamSpec& stream,
                               std::size_t limit) {
  const auto rows = ingest::quarantined_rows(workspace.project().settings.places.lake, workspace.store(),
                                             stream.source, stream.name, limit);
  if (rows.empty()) return 0;
  if (context.json) {
    for (const auto& row : rows)
      print_out(text_of({{"stream", stream.relation()},
                         {"file", row.file},
                         {"line", row.line},
                         {"code", row.code},
                         {"reason", row.reason},
                         {"bytes", row.bytes},
                         {"load", row.load_id}}) +
                "\n");
    return rows.size();
  }
  Table table(std::vector<std::string>{"stream", "file", "line", "code", "reason", "bytes"});
  for (const auto& row : rows)
    table.add(std::vector<std::string>{stream.relation(), row.file, std::to_string(row.line), row.code,
                                       row.reason, row.bytes});
  print_out(table.render(TableForm::table) + "\n");
  return rows.size();
}

}  // namespace

int rejects(const Context& context, const RejectsOptions& options) {
  Workspace workspace(context);
  const project::Project& project = workspace.project();
  const auto* stream = project.stream(options.name);
  const auto* sync = project.sync(options.name);
  if (!options.name.empty() && stream == nullptr && sync == nullptr) {
    std::vector<std::string> names;
    for (const auto& s : project.syncs) names.push_back(s.name);
    for (const auto& source : project.sources)
      for (const auto& s : source.streams) names.push_back(s.relation());
    throw Error("usage.unknown_node", fmt::format("`{}` is neither a sync nor a stream", options.name),
                did_you_mean_hint(options.name, names));
  }
  std::uint64_t found = 0;
  if (stream == nullptr)
    found += SyncRejects(context, workspace, options).print(sync == nullptr ? "" : sync->name);
  const std::size_t limit = options.limit == 0 ? rows_shown : options.limit;
  if (sync == nullptr && options.code.empty())
    for (const auto& source : project.sources)
      for (const auto& s : source.streams)
        if (stream == nullptr || stream == &s) found += print_quarantine(context, workspace, s, limit);
  if (found == 0 && !context.json && !context.quiet)
    print_err(options.code.empty() ? "no open rejects\n"
                                   : fmt::format("no open rejects with code {}\n", options.code));
  return exit_done;
}

}  // namespace eddy::app
