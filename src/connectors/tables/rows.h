// What the database connectors (postgres, mysql, sqlite) share about rows and their verdicts. Pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/change.h"
#include "sync/destination.h"

namespace eddy::connectors {

// The rows of a batch that write the same fields, in the batch's order. A field that is kept (change.h) must
// not stand in any statement, so rows with different masks need different statements.
struct MaskGroup {
  std::vector<bool> kept;         // per field; empty: all are written
  std::vector<std::size_t> rows;  // indexes into the batch
};
// One group without a mask for the usual batch. Groups come in the order of their first rows.
std::vector<MaskGroup> group_by_mask(std::span<const Change> changes);
// The columns that are not kept.
Schema written(const Schema& fields, const std::vector<bool>& kept);

// The delivery writes a column of that name.
bool delivers(const sync::Delivery& delivery, const std::string& column);

// A row's verdict before the server has spoken: the state of a Verdict that was only made.
inline bool is_open(const Verdict& verdict) {
  return verdict.outcome == Outcome::in_doubt && verdict.code.empty();
}
// Every row that is still open gets this verdict.
void settle(std::vector<Verdict>& verdicts, const Verdict& verdict);

// Of a table that is not there yet: every key matches nothing.
class EmptyReader final : public sync::Reader {
 public:
  std::size_t keys_max() const override { return 10'000; }
  std::vector<sync::Record> read(std::span<const Row> keys) override {
    return std::vector<sync::Record>(keys.size());
  }
};

// A server's message without secrets; servers repeat the offending value, which may be a megabyte long.
std::string for_people(const std::string& message);

}  // namespace eddy::connectors
