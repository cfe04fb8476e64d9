#include "support/delivery.h"

#include <algorithm>
#include <stdexcept>

namespace eddy::testing {
namespace {

void deliver_batch(sync::Writer& writer, std::span<const Change> batch, Delivered& delivered) {
  const sync::Answer answer = writer.deliver(batch);
  ++delivered.requests;
  if (answer.verdicts.size() != batch.size())
    throw std::runtime_error("the answer has " + std::to_string(answer.verdicts.size()) + " verdicts for " +
                             std::to_string(batch.size()) + " changes");
  if (answer.refused_whole && batch.size() > 1) {
    const std::size_t half = batch.size() / 2;
    deliver_batch(writer, batch.first(half), delivered);
    deliver_batch(writer, batch.subspan(half), delivered);
    return;
  }
  if (answer.refused_whole && answer.verdicts.front().outcome == Outcome::applied)
    throw std::runtime_error("a row was refused and called applied");
  delivered.verdicts.insert(delivered.verdicts.end(), answer.verdicts.begin(), answer.verdicts.end());
}

std::size_t text_bytes(const Change& change) {
  std::size_t bytes = 0;
  for (const Row* row : {&change.key, &change.fields})
    for (const Value& value : *row) bytes += value.to_text().size();
  return bytes;
}

}  // namespace

Delivered deliver(sync::Writer& writer, std::span<const Change> changes) {
  const sync::Limits limits = writer.limits();
  Delivered delivered;
  while (!changes.empty()) {
    const bool removing = changes.front().operation == Operation::remove;
    std::size_t rows = 0, bytes = 0;
    for (; rows < changes.size(); ++rows) {
      const Change& change = changes[rows];
      bytes += text_bytes(change);
      const bool full = (limits.batch_rows_max != 0 && rows >= limits.batch_rows_max) ||
                        (limits.batch_bytes_max != 0 && bytes > limits.batch_bytes_max && rows > 0);
      if (full || (change.operation == Operation::remove) != removing) break;
    }
    deliver_batch(writer, changes.first(rows), delivered);
    changes = changes.subspan(rows);
  }
  return delivered;
}

std::size_t count(const std::vector<Verdict>& verdicts, Outcome outcome) {
  return static_cast<std::size_t>(std::count_if(verdicts.begin(), verdicts.end(),
                                                [&](const Verdict& v) { return v.outcome == outcome; }));
}

}  // namespace eddy::testing
