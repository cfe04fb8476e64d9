// How often one record may be written, where a service limits that (`limits.rows`): Zendesk takes five
// updates of one user in a minute.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "connectors/declarative/spec.h"
#include "core/clock.h"
#include "sync/destination.h"

namespace eddy::connectors {

// Thread-safe. One for all syncs of a connection in this process; records are told apart by object, key field
// and key. What other processes write is not seen: the service's own refusal says so then.
class RowPace {
 public:
  RowPace(const std::vector<RowLimitSpec>& limits, Clock& clock) : limits_(limits), clock_(clock) {}
  // nullptr: any record may be written as often as one likes.
  const RowLimitSpec* limit_of(const std::string& object) const;
  // True, and counted, when the record may be written now.
  bool take(const RowLimitSpec& limit, const std::string& record);
  // It was not written after all.
  void give_back(const std::string& record);

 private:
  void forget_old(std::chrono::nanoseconds window);

  const std::vector<RowLimitSpec>& limits_;
  Clock& clock_;
  std::mutex mutex_;  // guards what follows
  std::map<std::string, std::deque<Clock::MonotonicTime>> written_;
  std::size_t forget_at_ = 10'000;  // records
};

// Holds back the rows that would be too much for their record, so that only they are tried again later, and
// sends the others.
class PacedWriter final : public sync::Writer {
 public:
  PacedWriter(std::unique_ptr<sync::Writer> writer, std::shared_ptr<RowPace> pace, const RowLimitSpec& limit,
              const sync::Delivery& delivery);
  sync::Limits limits() const override { return writer_->limits(); }
  sync::Answer deliver(std::span<const Change> changes) override;
  std::vector<std::string> preview(std::span<const Change> changes) override {
    return writer_->preview(changes);
  }
  bool inserts_are_repeatable() const override { return writer_->inserts_are_repeatable(); }
  void finish() override { writer_->finish(); }

 private:
  std::string record_of(const Change& change) const;

  std::unique_ptr<sync::Writer> writer_;
  std::shared_ptr<RowPace> pace_;
  const RowLimitSpec limit_;
  std::string prefix_;
};

}  // namespace eddy::connectors
