// The control database `.eddy/state.db` (SQLite, WAL, synchronous=FULL): runs, lake catalog, cursors, syncs,
// rejects. What is recorded here is true after a crash; everything else is found from it.
//
// Ownership: one Store per process and project. Thread rule: all methods may be called from any thread (one
// mutex inside). Two processes: writers of one project hold ProjectLock; readers need no lock. Errors:
// Error("state.…"); "state.damaged" from any method that meets a row or page that is not as it was written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"
#include "state/reject.h"

namespace eddy::state {

struct Run {
  std::string id;          // core new_id(); sorts by time
  std::string command;     // "run", "apply"
  std::string selection;   // as typed
  std::string status;      // running | done | done_with_rejects | held | failed | interrupted
  std::string started_at;  // UTC ISO 8601
  std::string ended_at;    // "" while running
  std::string message;
};
struct NodeRun {
  std::string run_id;
  std::string node;    // "clean.customers", "sync.hubspot_contacts"
  std::string kind;    // stream | model | test | dashboard | sync
  std::string status;  // core name_of(NodeStatus), or "running"
  std::string started_at, ended_at;
  std::uint64_t rows = 0;
  std::string summary;  // for people
  std::string details;  // JSON, kind-specific counts: {"source":…,"valid":…,"changed":…,"sent":…,"applied":…}
};

struct LoadedFile {
  std::string path;  // as found at the origin
  std::string sha256;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  // mtime at the origin
  std::string raw_path;          // below the lake folder: bytes as received
  std::string
      rows_path;  // below the lake folder: the readable Parquet rendering; "" when it has no good rows
  std::uint64_t rows = 0;
  std::uint64_t quarantined = 0;
};
struct Load {
  std::string id;
  std::string source, stream;
  std::string run_id;
  std::string loaded_at;
  std::string schema;  // JSON: [{"name":…,"type":engine type}]
  std::vector<LoadedFile> files;
};
struct ModelVersion {
  std::string model;    // "clean.customers"
  std::string version;  // new_id()
  std::string path;     // Parquet file or folder below the lake folder
  std::uint64_t rows = 0;
  std::string built_at;
  std::string fingerprint;  // of SQL and inputs
  std::string run_id;
};

// Where a sync stands. The snapshot's own epoch must equal `epoch`, or one of the two is older than the
// other.
struct SyncState {
  std::string sync;
  std::uint64_t epoch = 0;  // grows by one with every fold of a ledger into the snapshot
  std::string checksum;     // chained over the folds
  std::string last_plan_id;
  std::string
      definition;  // JSON: object, key, fields with types, destination: to see that the sync was changed
};

class Store {
 public:
  // Opens or creates; migrates by numbered steps. Throws Error("state.damaged"), Error("state.newer").
  static std::unique_ptr<Store> open(const std::filesystem::path& file);
  virtual ~Store() = default;

  // Reads every page of the file, and every row that steers what is sent (sealed_table.h), the first time it
  // is called. Throws Error("state.damaged").
  virtual void check() = 0;

  // runs
  virtual void begin_run(const Run& run) = 0;
  virtual void end_run(const std::string& id, const std::string& status, const std::string& message) = 0;
  // Runs whose process has gone without ending them are interrupted from now on, ended with their last node.
  // Only by a process that holds ProjectLock and has not begun a run: no other run can be under way then.
  virtual void end_dead_runs() = 0;
  virtual void record_node(const NodeRun& node) = 0;  // inserts or updates by (run_id, node)
  // Newest first; those before the run `behind`.
  virtual std::vector<Run> runs(std::size_t limit, const std::string& behind = "") = 0;
  virtual std::optional<Run> run(const std::string& id_or_prefix) = 0;
  virtual std::vector<NodeRun> nodes_of(const std::string& run_id) = 0;

  // lake catalog
  // One transaction: the load, its files, and nothing else becomes visible. The files must be durable
  // already.
  virtual void commit_load(const Load& load) = 0;
  virtual std::vector<Load> loads(const std::string& source, const std::string& stream) = 0;  // oldest first
  virtual std::vector<std::pair<std::string, std::string>>
  loaded_streams() = 0;  // (source, stream) pairs with a load
  virtual bool knows_content(const std::string& source, const std::string& stream,
                             const std::string& sha256) = 0;
  virtual void commit_model(const ModelVersion& version) = 0;  // moves the pointer
  virtual std::optional<ModelVersion> current_model(const std::string& model) = 0;
  virtual std::vector<ModelVersion> current_models() = 0;
  virtual std::vector<ModelVersion> model_versions(const std::string& model) = 0;    // newest first
  virtual void forget_model_versions(const std::vector<std::string>& versions) = 0;  // never the current one

  // syncs
  virtual std::optional<SyncState> sync_state(const std::string& sync) = 0;
  virtual void put_sync_state(const SyncState& state) = 0;
  virtual std::vector<std::string> delivering_syncs() = 0;  // that have a state; sorted
  // By (sync, key): attempts, runs and last_seen move on; folding one run twice counts once.
  virtual void put_rejects(const std::vector<Reject>& rejects) = 0;
  virtual void settle_rejects(const std::string& sync,
                              const std::vector<std::string>& keys) = 0;  // applied since, or gone
  virtual void settle_all_rejects(const std::string& sync) = 0;
  // Rows given up in so many runs are not sent again by themselves.
  virtual void park_rejects(const std::string& sync, int runs_max) = 0;
  // To be sent with the next run whatever they are, parked ones too; their runs are counted afresh. Returns
  // how many.
  virtual std::uint64_t replay_rejects(const RejectQuery& query) = 0;
  // Rows in doubt that are known not to have been applied: to be sent with the next run. `code` and `message`
  // say how that is known.
  virtual void release_rejects(const std::string& sync, const std::vector<std::string>& keys,
                               const std::string& code, const std::string& message) = 0;
  virtual std::uint64_t count_rejects(const RejectQuery& query) = 0;
  // One after another, ordered by sync and key, however many there are: a page is read at a time, and the
  // reader may use the store.
  virtual void each_reject(const RejectQuery& query, const RejectReader& read) = 0;
  // The next page behind one row: ordered by sync and key; shorter than `limit` when it is the last.
  virtual std::vector<Reject> reject_page(const RejectQuery& query, const std::string& behind_sync,
                                          const std::string& behind_key, std::size_t limit) = 0;
  // All at once; for a few.
  std::vector<Reject> rejects(const std::string& sync, bool open_only);

  // What is old is dropped: runs beyond the newest `runs_max` (0: none), and runs and settled rejects from
  // before `before` (UTC; "": none). A run that has not ended stays.
  virtual void forget_history(std::size_t runs_max, const std::string& before) = 0;

  // Small named facts: "guard.<sync>" …
  virtual void put_fact(const std::string& name, const std::string& value) = 0;
  virtual std::optional<std::string> fact(const std::string& name) = 0;
  virtual void remove_fact(const std::string& name) = 0;
};

// Held by every command that writes. A lock file with flock(2): it ends with the process, however that ends.
class ProjectLock {
 public:
  // Waits up to `seconds`, then throws Error("state.busy") naming the holder's pid and command.
  ProjectLock(const std::filesystem::path& dot_eddy, const std::string& command, int seconds);
  ~ProjectLock();
  ProjectLock(const ProjectLock&) = delete;
  ProjectLock& operator=(const ProjectLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace eddy::state
