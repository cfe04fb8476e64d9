// The way into a service: generic faults and limits before it, damage after it, every request in the ledger.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "sandbox/service.h"

namespace eddy::sandbox {

// Thread-safe. Owns the service.
class Door {
 public:
  Door(std::unique_ptr<Service> service, Faults& faults, Clock& clock, std::chrono::milliseconds latency);

  Reply handle(const IncomingRequest& request);

  const std::string& name() const { return service_->name(); }
  Ledger& ledger() { return ledger_; }
  // Runs `work` with the service, alone.
  template <class Work>
  auto with_service(Work&& work) {
    const std::lock_guard lock(mutex_);
    return work(*service_);
  }

 private:
  // A fault or limit that keeps the request from the service.
  std::optional<Reply> turned_away(Call& call);
  void damage(Call& call, Reply& reply);
  bool fault(Call& call, std::string_view name);

  std::unique_ptr<Service> service_;
  Faults& faults_;
  Clock& clock_;
  const std::chrono::milliseconds latency_;
  std::atomic<std::size_t> in_flight_{0};
  std::mutex mutex_;
  Ledger ledger_;
};

}  // namespace eddy::sandbox
