// The commands. Each has one file of its own in app/; cli.cpp turns arguments into these structs.
// Every function returns the exit code and throws eddy::Error; data goes to stdout, all else to stderr.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "app/table.h"
#include "app/terminal.h"
#include "core/cancel.h"

namespace eddy::app {

// One meaning each, everywhere (also printed by `eddy --help`).
enum ExitCode : int {
  exit_done = 0,
  exit_failed = 1,   // the work ran and something failed or was rejected beyond the limit
  exit_usage = 2,    // usage or configuration; nothing ran
  exit_changes = 3,  // plan --detailed-exitcode found changes
  exit_held = 4,     // a guard holds the plan
  exit_interrupted = 130,
};

// What every command may use.
struct Context {
  std::filesystem::path project_folder = ".";
  std::string target;  // "" = default_target of eddy.yml
  bool json = false;
  bool quiet = false;
  const Terminal& terminal;
  const Cancel& cancel;
};

struct Selection {
  std::vector<std::string> select, exclude;
};

struct InitOptions {
  std::filesystem::path folder;
  std::filesystem::path from;  // look at these data files
};
struct PlanOptions {
  Selection selection;
  std::filesystem::path out;
  bool detailed_exitcode = false;
  bool markdown = false;
  bool offline = false;        // destinations are not asked for their schema
  bool refresh = false;        // reads the destination: what has a person changed there?
  std::uint64_t rows_max = 0;  // 0: all
  std::string row;             // key of the one row to look at
  bool send = false;           // that row
  std::size_t examples = 5;    // rows of each kind shown per sync
};
struct ApplyOptions {
  std::filesystem::path plan;        // file of `eddy plan --out`; may be empty when ids are approved
  std::vector<std::string> approve;  // ids of plans that a guard holds and a person has looked at
};
struct RunOptions {
  Selection selection;
  std::size_t threads = 0;     // 0: of eddy.yml
  std::uint64_t rows_max = 0;  // rows that each sync may send; 0: all
};
struct QueryOptions {
  std::string sql;          // "-" reads standard input
  std::string format;       // table | csv | json; "" = table on a terminal, csv elsewhere
  std::uint64_t limit = 0;  // 0: none for csv/json, 200 for tables
};
struct ShowOptions {
  std::string node;
  std::uint64_t limit = 5;
};
struct SyncOptions {
  std::string sync;  // of undo: "" = every sync of the run
  std::string run;   // of undo: its id, or the beginning of it
  bool yes = false;  // send what is shown
  bool baseline = false;
  std::size_t examples = 5;  // rows shown of each kind
};
struct RejectsOptions {
  std::string name;       // a sync or a stream; "" = all
  std::string code;       // only these, row by row
  bool all = false;       // every row, instead of groups
  std::size_t limit = 0;  // 0: 50 rows of a table, all of --json
};
struct ReplayOptions {
  std::string sync, code, row;  // each may be empty
};
struct RowOptions {
  std::string sync, key;
  bool offline = false;  // ask the destination nothing; requests are not shown then
};
struct ResolveOptions {
  std::string sync, row;
  bool all = false;
  bool applied = false, not_applied = false;
};
struct MapOptions {
  std::string sync;
  std::string model, destination, object;  // of a file that is not there yet
  bool write = false;                      // add what is sure to the file
  bool refresh = false;
};
struct ValidateOptions {
  bool offline = false;  // destinations are not asked; what is kept of them goes
  bool refresh = false;  // they are asked, whatever is kept
};
struct ReportOptions {
  Selection selection;
  std::filesystem::path out;
};
struct ConnectorsOptions {
  std::string name, object;
  bool manual = false;             // of a connection: its service's settings, modes and limits
  bool refresh = false;            // ask the destination, whatever is kept
  std::filesystem::path markdown;  // write the reference pages of all connectors into this folder
};

int init(const Context&, const InitOptions&);
int validate(const Context&, const ValidateOptions&);
int doctor(const Context&, const std::vector<std::string>& connections);
int plan(const Context&, const PlanOptions&);
int apply(const Context&, const ApplyOptions&);
int run(const Context&, const RunOptions&);
int test(const Context&, const Selection&);
int ls(const Context&, const Selection&);
int show(const Context&, const ShowOptions&);
int query(const Context&, const QueryOptions&);
int map(const Context&, const MapOptions&);
int sync_resend(const Context&, const SyncOptions&);
int sync_reset(const Context&, const SyncOptions&);
int sync_undo(const Context&, const SyncOptions&);
int runs(const Context&, const std::string& id, std::size_t limit);
int rejects(const Context&, const RejectsOptions&);
int row(const Context&, const RowOptions&);
int replay(const Context&, const ReplayOptions&);
int resolve(const Context&, const ResolveOptions&);
int report(const Context&, const ReportOptions&);
int connectors(const Context&, const ConnectorsOptions&);
int test_connection(const Context&, const std::string& connection);  // eddy connectors test NAME
int schema(const Context&, const std::string& kind, const std::filesystem::path& out_folder);
int version(const Context&);

// Parses the command line and runs the command. argv as main() has it.
int run_command_line(int argc, char** argv, const Cancel& cancel);

}  // namespace eddy::app
