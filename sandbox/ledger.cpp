#include "sandbox/ledger.h"

namespace eddy::sandbox {

void Ledger::add(LedgerEntry entry) {
  const std::lock_guard lock(mutex_);
  entry.sequence = ++sequence_;
  throttled_ += entry.throttled ? 1 : 0;
  totals_.rows += entry.effect.rows;
  totals_.created += entry.effect.created;
  totals_.updated += entry.effect.updated;
  totals_.deleted += entry.effect.deleted;
  totals_.rejected += entry.effect.rejected;
  totals_.jobs += entry.effect.jobs;
  entries_.push_back(std::move(entry));
  if (entries_.size() > entries_max) entries_.pop_front();
}

void Ledger::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
  sequence_ = throttled_ = 0;
  totals_ = {};
}

nlohmann::json Ledger::entries() const {
  const std::lock_guard lock(mutex_);
  nlohmann::json list = nlohmann::json::array();
  for (const LedgerEntry& entry : entries_) {
    nlohmann::json item = {{"sequence", entry.sequence}, {"at", format_utc(entry.at)},
                           {"method", entry.method},     {"path", entry.target},
                           {"status", entry.status},     {"rows", entry.effect.rows}};
    if (entry.effect.write) {
      item["keys"] = entry.effect.keys;
      item["applied"] = entry.effect.applied;
      item["created"] = entry.effect.created;
      item["updated"] = entry.effect.updated;
      item["deleted"] = entry.effect.deleted;
      item["rejected"] = entry.effect.rejected;
    }
    if (entry.effect.jobs > 0) item["jobs"] = entry.effect.jobs;
    if (!entry.fault.empty()) item["fault"] = entry.fault;
    list.push_back(std::move(item));
  }
  return {{"count", sequence_}, {"requests", std::move(list)}};
}

nlohmann::json Ledger::stats() const {
  const std::lock_guard lock(mutex_);
  return {{"requests", sequence_},
          {"rows_received", totals_.rows},
          {"rows_written", totals_.created + totals_.updated + totals_.deleted},
          {"created", totals_.created},
          {"updated", totals_.updated},
          {"deleted", totals_.deleted},
          {"rejected", totals_.rejected},
          {"jobs", totals_.jobs},
          {"throttled", throttled_}};
}

}  // namespace eddy::sandbox
