#include "app/workspace.h"

#include "core/clock.h"
#include "sync/tables.h"

namespace eddy::app {
namespace {
constexpr int lock_wait_seconds = 5;
}

Workspace::Workspace(const Context& context)
    : context_(context),
      registry_(context.project_folder),
      project_(project::load_project(context.project_folder, context.target, registry_.connection_types())) {}

void Workspace::lock(const std::string& command) {
  lock_.emplace(project_.settings.places.dot_eddy, command, lock_wait_seconds);
}

state::Store& Workspace::store() {
  if (!store_) store_ = state::Store::open(project_.settings.places.dot_eddy / "state.db");
  return *store_;
}

warehouse::Session& Workspace::session(warehouse::Access access) {
  if (session_) return *session_;
  const project::Connection* own = project_.connection(project_.own_warehouse);
  // Whoever has a warehouse, and builds nothing, has no use for the file of another.
  if (own != nullptr && project_.models.empty()) access = warehouse::Access::read;
  session_.emplace(project_.settings.places, store(), project_.settings.engine, access);
  session_->remember(project_.settings.history);
  if (own != nullptr) session_->use(registry_.own_warehouse(*own));
  sync::define_tables(*session_, {.inserts =
                                      [this](const std::string& name) {
                                        const sync::SyncSpec* spec = project_.sync(name);
                                        return spec == nullptr || spec->mode == sync::Mode::insert;
                                      },
                                  .before_outcomes =
                                      [this] {
                                        const std::lock_guard guard(locking_);
                                        if (!lock_) lock("query");
                                      }});
  return *session_;
}

sync::Surroundings Workspace::surroundings() const {
  return {system_clock(), context_.cancel, project_.settings.places.project};
}

std::unique_ptr<sync::Destination> Workspace::destination(const std::string& connection) const {
  sync::Surroundings here = surroundings();
  here.pace_folder = project_.settings.places.dot_eddy / "pace";
  here.connection = connection;
  return registry_.open_destination(*project_.connection(connection), here);
}

std::unique_ptr<ingest::Source> Workspace::source(const std::string& connection) const {
  return registry_.open_source(*project_.connection(connection),
                               {system_clock(), context_.cancel, project_.settings.places.project});
}

}  // namespace eddy::app
