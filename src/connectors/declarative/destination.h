// A destination that is nothing but a connector.yml: requests, replies and limits as data, run by one engine.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connectors/declarative/branch_writer.h"
#include "connectors/declarative/choice.h"
#include "connectors/declarative/job_desk.h"
#include "connectors/declarative/session.h"
#include "connectors/declarative/spec.h"
#include "sync/destination.h"

namespace eddy::connectors {

// Thread-safe: every request goes through the session. Keeps the spec and the session alive.
class DeclarativeDestination final : public sync::Destination {
 public:
  // `jobs_folder`: where records of jobs are kept (job_desk.h), a folder for each sync; empty: nowhere.
  DeclarativeDestination(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session,
                         std::filesystem::path jobs_folder = {})
      : spec_(std::move(spec)), session_(std::move(session)), jobs_folder_(std::move(jobs_folder)) {}

  std::string check() override;
  std::vector<sync::Permission> permissions() override;
  std::vector<std::string> objects() override;
  std::optional<sync::ObjectSchema> describe(const std::string& object) override;
  std::unique_ptr<sync::Writer> open(const sync::Delivery& delivery) override;
  // A former run left records of jobs.
  bool unfinished(const sync::Delivery& delivery) override;
  // Asks for the object's fields where the connector takes only keys that the service calls so.
  std::unique_ptr<sync::Reader> reader(const sync::Reading& reading) override;

 private:
  // `jobs` becomes true when rows may go as jobs.
  std::unique_ptr<sync::Writer> writer_for(const sync::Delivery& delivery, Asked& asked, bool& jobs);
  // nullptr: the connector has no jobs.
  std::shared_ptr<JobDesk> desk_of(const sync::Delivery& delivery);
  // nullopt: records of that object cannot be looked up by that key.
  std::optional<BranchLookup> lookup_of(sync::Reading reading, bool for_branch) const;
  Branch branch_of(const OperationSpec& operation, const sync::Delivery& delivery) const;

  std::shared_ptr<const Spec> spec_;
  std::shared_ptr<Session> session_;
  std::filesystem::path jobs_folder_;
  std::mutex desks_mutex_;
  std::map<std::string, std::weak_ptr<JobDesk>> desks_;  // by sync
};

// The settings every connector has besides its own: allow_http, timeout.
config::Shape settings_shape(const Spec& spec);

}  // namespace eddy::connectors
