#include "sync/acknowledge.h"

#include <algorithm>
#include <vector>

#include "sync/fold.h"
#include "sync/ledger.h"

namespace eddy::sync {

namespace {
constexpr std::uint64_t rows_at_once = 65'536;
}

void acknowledge(warehouse::Session& session, engine::Connection& connection, const Plan& plan,
                 const std::string& run_id, Clock& clock) {
  const std::uint64_t rows = plan.counts.planned();
  if (rows == 0 && !plan.definition_changed && plan.settled == 0) return;
  const auto file = ledger_file(session, plan.definition.sync, run_id);
  {
    Ledger ledger(file, {plan.definition.sync, plan.id, run_id, plan.epoch, rows, false});
    std::vector<RowVerdict> verdicts(std::min(rows, rows_at_once));
    for (std::uint64_t at = 0; at < rows; at += verdicts.size()) {
      verdicts.resize(std::min(rows - at, rows_at_once));
      for (std::size_t i = 0; i < verdicts.size(); ++i) verdicts[i].number = at + i;
      ledger.record(verdicts);
    }
    ledger.end();
    ledger.close();
  }
  fold(session, connection, file, clock);
}

}  // namespace eddy::sync
