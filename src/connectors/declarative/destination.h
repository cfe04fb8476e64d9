// A destination that is nothing but a connector.yml: requests, replies and limits as data, run by one engine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/declarative/branch_writer.h"
#include "connectors/declarative/session.h"
#include "connectors/declarative/spec.h"
#include "sync/destination.h"

namespace eddy::connectors {

// Thread-safe: every request goes through the session. Keeps the spec and the session alive.
class DeclarativeDestination final : public sync::Destination {
 public:
  DeclarativeDestination(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session)
      : spec_(std::move(spec)), session_(std::move(session)) {}

  std::string check() override;
  std::vector<std::string> objects() override;
  std::optional<sync::ObjectSchema> describe(const std::string& object) override;
  std::unique_ptr<sync::Writer> open(const sync::Delivery& delivery) override;
  // Asks for the object's fields where the connector takes only keys that the service calls so.
  std::unique_ptr<sync::Reader> reader(const sync::Reading& reading) override;

 private:
  // nullopt: records of that object cannot be looked up by that key.
  std::optional<BranchLookup> lookup_of(sync::Reading reading, bool for_branch) const;
  Branch branch_of(const OperationSpec& operation, const sync::Delivery& delivery) const;

  std::shared_ptr<const Spec> spec_;
  std::shared_ptr<Session> session_;
};

// The settings every connector has besides its own: allow_http, timeout.
config::Shape settings_shape(const Spec& spec);

}  // namespace eddy::connectors
