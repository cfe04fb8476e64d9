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
#include "warehouse/session.h"

namespace eddy::app {

class Workspace {
 public:
  // Loads and checks the project. Throws Error with everything wrong in it.
  explicit Workspace(const Context& context);

  const project::Project& project() const { return project_; }
  const Registry& registry() const { return registry_; }
  // From now on this process is the only one that writes to the project; others wait or say so.
  void lock(const std::string& command);
  state::Store& store();
  // The first call opens it, decides about access, and must come before threads are started. Writing needs
  // the lock.
  warehouse::Session& session(warehouse::Access access = warehouse::Access::read);
  sync::Surroundings surroundings() const;
  std::unique_ptr<sync::Destination> destination(const std::string& connection) const;
  std::unique_ptr<ingest::Source> source(const std::string& connection) const;

 private:
  const Context& context_;
  Registry registry_;
  project::Project project_;
  std::optional<state::ProjectLock> lock_;
  std::mutex locking_;  // a query may take the lock from a thread of the engine
  std::unique_ptr<state::Store> store_;
  std::optional<warehouse::Session> session_;
};

}  // namespace eddy::app
