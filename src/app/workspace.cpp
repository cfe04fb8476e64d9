#include "app/workspace.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "sync/tables.h"

namespace eddy::app {
namespace {
constexpr int lock_wait_seconds = 5;

// Of where a connection leads: another one means another system. Secrets are left out; of a secret URL the
// place behind user and password counts.
std::string fingerprint(const project::Connection& connection, const Registry& registry) {
  std::string text = connection.type;
  const sync::DestinationType* type = registry.destination(connection.type);
  if (type == nullptr) return sha256_hex(text);
  for (const config::Field& field : type->settings.fields()) {
    const config::Node node = connection.settings[field.name];
    if (!node.exists()) continue;
    if (!field.secret) {
      text += fmt::format("|{}={}", field.name, node.as_json().dump());
    } else if (node.is_scalar() && node.text().find("://") != std::string::npos) {
      const std::string url = node.text().substr(0, node.text().find('?'));
      if (const auto at = url.rfind('@'); at != std::string::npos) text += url.substr(at);
    }
  }
  return sha256_hex(text);
}
}  // namespace

Workspace::Workspace(const Context& context, bool with_syncs)
    : context_(context),
      registry_(context.project_folder),
      project_(project::load_project(context.project_folder, context.target, registry_.connection_types(),
                                     with_syncs)) {}

void Workspace::lock(const std::string& command) {
  lock_.emplace(project_.settings.places.dot_eddy, command, lock_wait_seconds);
  if (store_) end_dead_runs();
}

// Whoever has the lock knows that no run is under way: one that still says so was killed.
void Workspace::end_dead_runs() {
  const auto newest = store_->runs(1);
  if (newest.empty() || !newest.front().ended_at.empty()) return;
  std::optional<state::ProjectLock> for_now;
  try {
    if (!lock_) for_now.emplace(project_.settings.places.dot_eddy, "runs", 0);
  } catch (const Error&) {
    return;  // it is under way
  }
  store_->end_dead_runs();
}

state::Store& Workspace::store() {
  if (!store_) {
    store_ = state::Store::open(project_.settings.places.dot_eddy / "state.db");
    end_dead_runs();
  }
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
                                  .hold_outcomes = [this] { return hold_outcomes(); }});
  return *session_;
}

std::shared_ptr<void> Workspace::hold_outcomes() {
  const std::lock_guard guard(locking_);
  if (lock_) return nullptr;  // this command works on the project: it keeps the lock to its end
  if (auto held = outcomes_held_.lock()) return held;
  struct Hold {
    explicit Hold(Workspace& owner)
        : workspace(owner), lock(owner.project_.settings.places.dot_eddy, "query", lock_wait_seconds) {}
    ~Hold() {
      try {
        workspace.session_->connect().execute("detach database if exists sync_db");
      } catch (const std::exception&) {
        // Still open here, the file is refused to others with words, and to be had when this command ends.
      }
    }
    Workspace& workspace;
    state::ProjectLock lock;  // released last
  };
  const std::shared_ptr<void> held = std::make_shared<Hold>(*this);
  outcomes_held_ = held;
  return held;
}

sync::Surroundings Workspace::surroundings() const {
  return {system_clock(), context_.cancel, project_.settings.places.project};
}

std::unique_ptr<sync::CachedDestination> Workspace::destination(const std::string& connection,
                                                                sync::Asking asking) const {
  sync::Surroundings here = surroundings();
  here.pace_folder = project_.settings.places.dot_eddy / "pace";
  here.connection = connection;
  here.jobs_folder = project_.settings.places.dot_eddy / "jobs";
  const project::Connection& to = *project_.connection(connection);
  return std::make_unique<sync::CachedDestination>(
      [this, &to, here] { return registry_.open_destination(to, here); },
      sync::SchemaCache(project_.settings.places.dot_eddy / "schemas" / percent_encode(connection),
                        fingerprint(to, registry_)),
      asking, system_clock());
}

std::unique_ptr<ingest::Source> Workspace::source(const std::string& connection) const {
  return registry_.open_source(*project_.connection(connection),
                               {system_clock(), context_.cancel, project_.settings.places.project});
}

}  // namespace eddy::app
