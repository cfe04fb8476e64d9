#include "connectors/declarative/row_pace.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace eddy::connectors {

const RowLimitSpec* RowPace::limit_of(const std::string& object) const {
  const auto fits = std::find_if(limits_.begin(), limits_.end(), [&](const RowLimitSpec& limit) {
    return limit.objects.empty() ||
           std::find(limit.objects.begin(), limit.objects.end(), object) != limit.objects.end();
  });
  return fits == limits_.end() ? nullptr : &*fits;
}

bool RowPace::take(const RowLimitSpec& limit, const std::string& record) {
  const std::lock_guard lock(mutex_);
  const Clock::MonotonicTime now = clock_.monotonic();
  auto& times = written_[record];
  while (!times.empty() && now - times.front() >= limit.window) times.pop_front();
  if (times.size() >= limit.max) return false;
  times.push_back(now);
  if (written_.size() > forget_at_) forget_old(limit.window);
  return true;
}

void RowPace::give_back(const std::string& record) {
  const std::lock_guard lock(mutex_);
  const auto times = written_.find(record);
  if (times != written_.end() && !times->second.empty()) times->second.pop_back();
}

void RowPace::forget_old(std::chrono::nanoseconds window) {
  const Clock::MonotonicTime now = clock_.monotonic();
  std::erase_if(written_, [&](const auto& entry) {
    return entry.second.empty() || now - entry.second.back() >= window;
  });
  forget_at_ = std::max<std::size_t>(10'000, 2 * written_.size());
}

PacedWriter::PacedWriter(std::unique_ptr<sync::Writer> writer, std::shared_ptr<RowPace> pace,
                         const RowLimitSpec& limit, const sync::Delivery& delivery)
    : writer_(std::move(writer)), pace_(std::move(pace)), limit_(limit), prefix_(delivery.object) {
  for (const Column& column : delivery.key) prefix_ += "\n" + column.name;
}

std::string PacedWriter::record_of(const Change& change) const {
  std::string out = prefix_;
  for (const Value& value : change.key) out += "\n" + lower(value.to_text());
  return out;
}

sync::Answer PacedWriter::deliver(std::span<const Change> changes) {
  std::vector<Change> now;
  std::vector<std::size_t> places;
  std::vector<std::string> records;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    std::string record = record_of(changes[i]);
    if (!pace_->take(limit_, record)) continue;
    now.push_back(changes[i]);
    places.push_back(i);
    records.push_back(std::move(record));
  }
  sync::Answer answer;
  const auto give_back = [&] {
    for (const std::string& record : records) pace_->give_back(record);
  };
  if (now.size() == changes.size()) {
    try {
      answer = writer_->deliver(changes);
    } catch (...) {
      give_back();
      throw;
    }
    if (answer.held_back) give_back();
    return answer;
  }
  answer.verdicts.assign(
      changes.size(),
      Verdict::retry("row_paced", fmt::format("held back: the service takes {} writes of one record in {} s",
                                              limit_.max, limit_.window.count() / 1000)));
  answer.held_back = now.empty();
  if (now.empty()) return answer;
  sync::Answer part;
  try {
    part = writer_->deliver(now);
  } catch (...) {
    give_back();
    throw;
  }
  if (part.held_back) give_back();
  // A part that was refused as a whole is sent again in halves, with those that were held back here.
  if (part.refused_whole && now.size() > 1)
    part.verdicts.assign(now.size(), Verdict::retry("held_back", "refused together with others"));
  for (std::size_t i = 0; i < part.verdicts.size(); ++i)
    answer.verdicts[places[i]] = std::move(part.verdicts[i]);
  answer.refused_whole = part.refused_whole && now.size() > 1;
  answer.retry_after = part.retry_after;
  answer.notes = std::move(part.notes);
  answer.held_back = part.held_back;
  return answer;
}

}  // namespace eddy::connectors
