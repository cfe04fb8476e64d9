// A project whose one sync is planned already, to be delivered as often as a measurement wants.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "connectors/declarative/spec.h"
#include "sync/apply.h"
#include "sync/delivery.h"

namespace eddy::bench {

config::Node yaml(const std::string& text);
std::string customers_sql(std::uint64_t rows);             // key email, seven fields
std::shared_ptr<const connectors::Spec> null_connector();  // bench/connectors/null
std::shared_ptr<const connectors::Spec> shipped_connector(const std::string& name);

class Planned {
 public:
  Planned(const std::filesystem::path& folder, std::uint64_t rows);

  // From the plan's table to a durable verdict for every row. Throws when a row is not applied, unless cancel
  // was requested.
  sync::Tally deliver(sync::Destination& destination, const Cancel& cancel = never());

 private:
  static const Cancel& never();
  sync::Delivery delivery() const;

  warehouse::Places places_;
  std::unique_ptr<state::Store> store_;
  std::optional<warehouse::Session> session_;
  std::optional<engine::Connection> connection_;
  sync::SyncSpec spec_;
  sync::RetryPolicy policy_;
  sync::Plan plan_;
};

}  // namespace eddy::bench
