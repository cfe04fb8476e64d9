#include "connectors/declarative/fallback_writer.h"

#include <algorithm>

#include "core/error.h"

namespace eddy::connectors {

// Batches are of the first way's size; the other one divides them.
sync::Limits FallbackWriter::limits() const {
  sync::Limits out = first_->limits();
  out.workers_max = std::min(out.workers_max, other_->limits().workers_max);
  return out;
}

sync::Answer FallbackWriter::deliver(std::span<const Change> changes) {
  if (closed_) return other_->deliver(changes);
  std::string why;
  try {
    return first_->deliver(changes);
  } catch (const Error& e) {
    if (e.code() != "destination.other_way") throw;
    why = e.message();
  }
  closed_ = true;
  sync::Answer answer = other_->deliver(changes);
  answer.notes.push_back(why + "; rows go one by one instead");
  return answer;
}

void FallbackWriter::finish() {
  first_->finish();
  other_->finish();
}

}  // namespace eddy::connectors
