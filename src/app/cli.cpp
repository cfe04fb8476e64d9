#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::app {
namespace {

constexpr const char* footer =
    "Selection (-s, --exclude) is dbt's: name, clean.*, tag:x, path:models/clean, +x, x+, 2+x, @x; space = "
    "union, comma = intersection.\n"
    "Exit codes: 0 done · 1 something failed or was rejected · 2 usage or configuration, nothing ran · 3 "
    "plan --detailed-exitcode found changes ·\n"
    "            4 a guard holds the plan · 130 interrupted\n"
    "Data goes to stdout, everything else to stderr. NO_COLOR is honoured.";

// A command line that is being read: global flags, and what the chosen command will do.
struct CommandLine {
  std::string project_folder = ".";
  std::string target;
  bool json = false, quiet = false, no_color = false;
  std::function<int(const Context&)> action;
};

void add_selection(CLI::App* command, Selection& selection) {
  command
      ->add_option("-s,--select", selection.select, "Which nodes (dbt's selection grammar); may be repeated")
      ->take_all()
      ->expected(1, -1);
  command->add_option("--exclude", selection.exclude, "Which nodes not")->take_all()->expected(1, -1);
}

// One function per command: its arguments and what they call. Option structs live as long as the program.
template <typename Options>
Options& keep() {
  static Options options;
  return options;
}

void add_project_commands(CLI::App& app, CommandLine& line) {
  auto& init_options = keep<InitOptions>();
  auto* c = app.add_subcommand("init", "Start a project: a small one, or from a folder of data files");
  c->add_option("DIR", init_options.folder, "Where; made when it does not exist")->default_str(".");
  c->add_option("--from", init_options.from,
                "Look at the data files in this folder and write sources, models and a dashboard for them");
  c->callback([&] { line.action = [&](const Context& x) { return init(x, init_options); }; });

  auto& validate_options = keep<ValidateOptions>();
  c = app.add_subcommand("validate",
                         "Check every file of the project, and mappings against their destinations");
  c->add_flag("--offline", validate_options.offline, "Do not ask destinations; take what is kept of them");
  c->add_flag("--refresh", validate_options.refresh, "Ask destinations for their fields, whatever is kept");
  c->callback([&] { line.action = [&](const Context& x) { return validate(x, validate_options); }; });

  static std::vector<std::string> connections;
  c = app.add_subcommand("doctor", "Check that every connection answers");
  c->add_option("CONNECTION", connections, "Only these");
  c->callback([&] { line.action = [](const Context& x) { return doctor(x, connections); }; });

  static Selection ls_selection;
  c = app.add_subcommand("ls", "List nodes in the order they run");
  add_selection(c, ls_selection);
  c->callback([&] { line.action = [](const Context& x) { return ls(x, ls_selection); }; });

  static std::string kind;
  static std::filesystem::path out_folder;
  c = app.add_subcommand("schema", "Print the JSON Schema (draft-07) of a file kind, for editors");
  c->add_option("KIND", kind, "eddy | connections | source | model | sync | dashboard; none: list them");
  c->add_option("--out", out_folder, "Write all of them into this folder");
  c->callback([&] { line.action = [](const Context& x) { return schema(x, kind, out_folder); }; });
}

void add_flow_commands(CLI::App& app, CommandLine& line) {
  auto& run_options = keep<RunOptions>();
  auto* c =
      app.add_subcommand("run", "The whole loop in graph order: ingest, models, tests, syncs, dashboards");
  add_selection(c, run_options.selection);
  c->add_option("--threads", run_options.threads, "Nodes at the same time");
  c->add_option("--limit-rows", run_options.rows_max, "Each sync sends at most so many rows");
  c->callback([&] { line.action = [&](const Context& x) { return run(x, run_options); }; });

  auto& plan_options = keep<PlanOptions>();
  c = app.add_subcommand("plan", "Show what each sync would send: added, changed field by field, removed");
  add_selection(c, plan_options.selection);
  c->add_option("--out", plan_options.out, "Keep the plan in this file, for `eddy apply`");
  c->add_flag("--detailed-exitcode", plan_options.detailed_exitcode, "Exit 3 when there are changes");
  c->add_flag("--markdown", plan_options.markdown, "As Markdown, for a pull request");
  c->add_flag("--offline", plan_options.offline, "Do not ask destinations for their schema");
  c->add_flag("--refresh", plan_options.refresh,
              "Read the destinations, and show what was changed there since our last write");
  c->add_option("--limit-rows", plan_options.rows_max, "Only the first rows of each plan");
  c->add_option("--row", plan_options.row, "Only this row, with the exact request; its KEY, or a JSON array");
  c->add_flag("--send", plan_options.send, "With --row: send that row");
  c->add_option("--examples", plan_options.examples, "Rows shown per sync")->default_val(5);
  c->callback([&] { line.action = [&](const Context& x) { return plan(x, plan_options); }; });

  auto& apply_options = keep<ApplyOptions>();
  c = app.add_subcommand("apply", "Send exactly what a plan file says; refused when the plan is stale");
  c->add_option("PLAN", apply_options.plan, "File written by `eddy plan --out`");
  c->add_option("--approve", apply_options.approve,
                "Send this plan although a guard holds it; an ID, may be repeated");
  c->callback([&] { line.action = [&](const Context& x) { return apply(x, apply_options); }; });

  static Selection test_selection;
  c = app.add_subcommand("test", "Run the data tests");
  add_selection(c, test_selection);
  c->callback([&] { line.action = [](const Context& x) { return test(x, test_selection); }; });

  auto& report_options = keep<ReportOptions>();
  c = app.add_subcommand("report", "Write the dashboards into one self-contained HTML file");
  add_selection(c, report_options.selection);
  c->add_option("--out", report_options.out, "The file")->default_str("report.html");
  c->callback([&] { line.action = [&](const Context& x) { return report(x, report_options); }; });
}

void add_sync_commands(CLI::App& app, CommandLine& line) {
  auto& options = keep<SyncOptions>();
  auto* sync = app.add_subcommand("sync", "Send again, forget, or take back what a sync has delivered");
  sync->require_subcommand(1);
  auto* c = sync->add_subcommand("resend", "Plan to send every current row again; removes nothing");
  c->add_option("SYNC", options.sync, "Its name")->required();
  c->add_flag("--yes", options.yes, "Send it now; without, the plan is only shown");
  c->add_option("--examples", options.examples, "Rows shown of each kind");
  c->callback([&] { line.action = [&](const Context& x) { return sync_resend(x, options); }; });

  c = sync->add_subcommand("reset", "Forget what was delivered, and send nothing; the next run sends all");
  c->add_option("SYNC", options.sync, "Its name")->required();
  c->add_flag("--baseline", options.baseline, "Believe instead that the destination has what the model says");
  c->callback([&] { line.action = [&](const Context& x) { return sync_reset(x, options); }; });

  c = sync->add_subcommand("undo", "Plan to send back the values from before a run");
  c->add_option("RUN", options.run, "The run, or the beginning of its id; see `eddy runs`")->required();
  c->add_option("SYNC", options.sync, "Only this sync");
  c->add_flag("--yes", options.yes, "Send it now; without, the plan is only shown");
  c->add_option("--examples", options.examples, "Rows shown of each kind");
  c->callback([&] { line.action = [&](const Context& x) { return sync_undo(x, options); }; });
}

void add_reject_commands(CLI::App& app, CommandLine& line) {
  auto& row_options = keep<RowOptions>();
  auto* c =
      app.add_subcommand("row", "One row's story: plans, verdicts, requests, and what would be sent now");
  c->add_option("SYNC", row_options.sync, "Its name")->required();
  c->add_option("KEY", row_options.key, "The row's key; of a composite one a JSON array")->required();
  c->add_flag("--offline", row_options.offline, "Do not ask the destination; requests are not shown");
  c->callback([&] { line.action = [&](const Context& x) { return row(x, row_options); }; });

  auto& replay_options = keep<ReplayOptions>();
  c = app.add_subcommand("replay", "Have refused and parked rows sent again by the next run");
  c->add_option("SYNC", replay_options.sync, "Its name; none: all syncs");
  c->add_option("--code", replay_options.code, "Only rows refused with this code");
  c->add_option("--row", replay_options.row, "Only this row: its KEY, or a JSON array");
  c->callback([&] { line.action = [&](const Context& x) { return replay(x, replay_options); }; });

  auto& resolve_options = keep<ResolveOptions>();
  c = app.add_subcommand("resolve", "Say what became of rows in doubt: inserts whose answer was lost");
  c->add_option("SYNC", resolve_options.sync, "Its name")->required();
  c->add_option("--row", resolve_options.row, "This row: its KEY, or a JSON array");
  c->add_flag("--all", resolve_options.all, "Every row in doubt");
  c->add_flag("--applied", resolve_options.applied, "They are at the destination");
  c->add_flag("--not-applied", resolve_options.not_applied, "They are not; the next run sends them again");
  c->callback([&] { line.action = [&](const Context& x) { return resolve(x, resolve_options); }; });
}

void add_looking_commands(CLI::App& app, CommandLine& line) {
  auto& show_options = keep<ShowOptions>();
  auto* c = app.add_subcommand("show", "What a node is: file, inputs, columns, newest rows or state");
  c->add_option("NODE", show_options.node, "Its name, as `eddy ls` prints it")->required();
  c->add_option("--limit", show_options.limit, "Rows")->default_val(5);
  c->callback([&] { line.action = [&](const Context& x) { return show(x, show_options); }; });

  auto& query_options = keep<QueryOptions>();
  c = app.add_subcommand("query",
                         "Run SQL over every relation of the project: raw, clean, presentation, warehouse");
  c->add_option("SQL", query_options.sql, "The statement; - reads it from standard input")->required();
  c->add_option("--format", query_options.format, "table | csv | json")
      ->check(CLI::IsMember({"table", "csv", "json"}));
  c->add_option("--limit", query_options.limit, "Rows at most");
  c->callback([&] { line.action = [&](const Context& x) { return query(x, query_options); }; });

  auto& map_options = keep<MapOptions>();
  c = app.add_subcommand("map",
                         "Propose a mapping for a sync, from the model's data and the object's fields");
  c->add_option("SYNC", map_options.sync, "Its name")->required();
  c->add_flag("--write", map_options.write, "Add what is sure to its file; what stands there stays");
  c->add_option("--model", map_options.model, "For a new sync: the model, as layer.name");
  c->add_option("--destination", map_options.destination, "For a new sync: the connection");
  c->add_option("--object", map_options.object, "For a new sync: the object there");
  c->add_flag("--refresh", map_options.refresh, "Ask the destination, whatever is kept of it");
  c->callback([&] { line.action = [&](const Context& x) { return map(x, map_options); }; });

  static std::string run_id;
  static std::size_t runs_limit = 20;
  c = app.add_subcommand("runs", "Past runs; with an ID, its nodes and the funnel of each sync");
  c->add_option("ID", run_id, "Run, or the beginning of its id");
  c->add_option("--limit", runs_limit, "How many")->default_val(20);
  c->callback([&] { line.action = [](const Context& x) { return runs(x, run_id, runs_limit); }; });

  auto& rejects_options = keep<RejectsOptions>();
  c = app.add_subcommand("rejects", "Rows that destinations refused, and lines that loads put in quarantine");
  c->add_option("SYNC", rejects_options.name, "A sync, or a stream like raw.shop_customers; none: all");
  c->add_option("--code", rejects_options.code, "Only these, row by row");
  c->add_flag("--all", rejects_options.all, "Every row, instead of groups of code and message");
  c->add_option("--limit", rejects_options.limit, "Rows at most");
  c->callback([&] { line.action = [&](const Context& x) { return rejects(x, rejects_options); }; });

  auto& connectors_options = keep<ConnectorsOptions>();
  c = app.add_subcommand("connectors",
                         "The systems eddy can reach; with a NAME its objects, with an OBJECT its fields; "
                         "`connectors test NAME`: what the credentials lack");
  c->add_option("NAME", connectors_options.name, "A connection of this project, or a connector type");
  c->add_option("OBJECT", connectors_options.object, "Fields of this object, asked from the destination");
  c->add_flag("--manual", connectors_options.manual,
              "Of a connection: its service's settings, modes and limits");
  c->add_flag("--refresh", connectors_options.refresh, "Ask the destination, whatever is kept of it");
  c->add_option("--markdown", connectors_options.markdown, "Write the reference pages into this folder")
      ->group("");
  c->callback([&] { line.action = [&](const Context& x) { return connectors(x, connectors_options); }; });

  c = app.add_subcommand("version", "Versions of eddy and of the engine");
  c->callback([&] { line.action = [](const Context& x) { return version(x); }; });
}

void print_error(const Error& error, bool json) {
  for (const Diagnostic& d : error.diagnostics()) {
    if (!json) {
      print_err(render(d));
      continue;
    }
    print_out(nlohmann::json{{"type", "error"},
                             {"code", d.code},
                             {"message", d.message},
                             {"hint", d.hint},
                             {"file", d.position.file},
                             {"line", d.position.line},
                             {"column", d.position.column}}
                  .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
              "\n");
  }
  if (!json && error.diagnostics().size() > 1)
    print_err(fmt::format("{} errors\n", error.diagnostics().size()));
}

}  // namespace

int run_command_line(int argc, char** argv, const Cancel& cancel) {
  CLI::App app{"Eddy: a data warehouse and its reverse flow, in one program", "eddy"};
  CommandLine line;
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(footer);
  app.add_option("--project-dir", line.project_folder, "The folder with eddy.yml")
      ->envname("EDDY_PROJECT_DIR")
      ->default_val(".");
  app.add_option("-t,--target", line.target, "Which target of eddy.yml")->envname("EDDY_TARGET");
  app.add_flag("--json", line.json, "JSON lines on stdout");
  app.add_flag("-q,--quiet", line.quiet, "Only failures");
  app.add_flag("--no-color", line.no_color, "Plain text");
  app.set_version_flag("--version", "eddy " EDDY_VERSION);
  add_project_commands(app, line);
  add_flow_commands(app, line);
  add_sync_commands(app, line);
  add_reject_commands(app, line);
  add_looking_commands(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e) == 0 ? exit_done : exit_usage;  // --help, --version
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
    std::string hint = "eddy --help";
    if (app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-')
      if (const auto guess = did_you_mean(argv[1], names))
        hint = fmt::format("did you mean `eddy {}`?", *guess);
    print_err(render({"usage.invalid", e.what(), hint, {}, {}}));
    return exit_usage;
  }
  const Terminal terminal(!line.no_color);
  const Context context{line.project_folder, line.target, line.json, line.quiet, terminal, cancel};
  try {
    return line.action(context);
  } catch (const Error& e) {
    print_error(e, line.json);
    return cancel.requested() ? exit_interrupted : exit_usage;
  } catch (const std::filesystem::filesystem_error& e) {
    print_error(Error("file.failed", e.what(), "check that the folder exists and may be read and written"),
                line.json);
    return exit_usage;
  } catch (const std::exception& e) {
    print_err(render({"internal.unexpected",
                      e.what(),
                      "this is a defect of eddy; please report it with the project's files",
                      {},
                      {}}));
    return exit_failed;
  }
}

}  // namespace eddy::app
