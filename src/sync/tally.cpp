#include "sync/tally.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace eddy::sync {

void Accounts::settle(std::span<const RowVerdict> verdicts, bool durable) {
  if (verdicts.empty()) return;
  std::uint64_t done = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const RowVerdict& v : verdicts) {
      if (v.fate == RowFate::not_applied) continue;
      const RowFate fate = durable ? v.fate : RowFate::in_doubt;
      ++tally_.sent;
      tally_.applied += fate == RowFate::applied;
      tally_.created += fate == RowFate::applied && v.created;
      tally_.rejected += fate == RowFate::rejected;
      tally_.in_doubt += fate == RowFate::in_doubt;
      tally_.gave_up += fate == RowFate::gave_up;
    }
    done = tally_.sent;
  }
  progress_.advanced(node_, done);
}

Tally Accounts::close(const std::string& sync) const {
  const std::lock_guard lock(mutex_);
  Tally out = tally_;
  out.requests = requests_.load(std::memory_order_relaxed);
  out.not_sent = out.planned - std::min(out.planned, out.sent);
  if (out.applied + out.rejected + out.in_doubt + out.gave_up + out.not_sent != out.planned)
    throw Error("sync.unreconciled",
                fmt::format("sync {}: {} rows were planned, but {} are accounted for", sync, out.planned,
                            out.sent + out.not_sent),
                "please report this; the ledger keeps what is known");
  return out;
}

}  // namespace eddy::sync
