// An opened project: its files, its state, and a session over its data. What a command asks for is opened
// when it asks.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "app/commands.h"
#include "app/registry.h"
#include "project/project.h"
#include "state/store.h"
#include "sync/schema_cache.h"
#include "warehouse/session.h"

namespace eddy::app {

class Workspace {
 public:
  // Loads and checks the project. Throws Error with everything wrong in it.
  explicit Workspace(const Context& context, bool with_syncs = true);

  const project::Project& project() const { return project_; }
  const Registry& registry() const { return registry_; }
  // From now on this process is the only one that writes to the project; others wait or say so.
  void lock(const std::string& command);
  state::Store& store();
  // The first call opens it, decides about access, and must come before threads are started. Writing needs
  // the lock.
  warehouse::Session& session(warehouse::Access access = warehouse::Access::read);
  sync::Surroundings surroundings() const;
  // What it says of its objects and fields is kept in .eddy/schemas/<connection>.
  std::unique_ptr<sync::CachedDestination> destination(const std::string& connection,
                                                       sync::Asking asking = sync::Asking::when_old) const;
  std::unique_ptr<ingest::Source> source(const std::string& connection) const;

 private:
  const Context& context_;
  Registry registry_;
  project::Project project_;
  // The project lock and .eddy/sync.duckdb, for as long as a query copies from there.
  std::shared_ptr<void> hold_outcomes();
  void end_dead_runs();

  std::optional<state::ProjectLock> lock_;
  std::mutex locking_;                 // queries take the lock from threads of the engine
  std::weak_ptr<void> outcomes_held_;  // by queries that are copying now
  std::unique_ptr<state::Store> store_;
  std::optional<warehouse::Session> session_;
};

}  // namespace eddy::app
