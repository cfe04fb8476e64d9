// What readers of tables by their keys share.
#pragma once

#include <vector>

#include "connectors/tables/wanted.h"
#include "sync/destination.h"

namespace eddy::connectors {

// One more row was found for a key: of the first, the record has the fields. `cell(i)` is what the table
// holds in the i-th of them.
template <class Cell>
void add_match(sync::Record& record, const Schema& fields, Cell&& cell) {
  if (++record.matches > 1) return;
  for (std::size_t i = 0; i < fields.size(); ++i) record.fields.push_back(as_wanted(cell(i), fields[i].type));
}

// Of a table that is not there yet: every key matches nothing.
class EmptyReader final : public sync::Reader {
 public:
  std::size_t keys_max() const override { return 10'000; }
  std::vector<sync::Record> read(std::span<const Row> keys) override {
    return std::vector<sync::Record>(keys.size());
  }
};

}  // namespace eddy::connectors
