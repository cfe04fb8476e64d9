#include "sync/batch.h"

namespace eddy::sync {

namespace {

constexpr std::size_t batch_rows_unlimited = 20'000;
constexpr std::size_t batch_bytes_unlimited = 16u << 20;
constexpr std::size_t workers_unlimited = 8;

std::size_t text_size(const Value& value) {
  switch (value.type()) {
    case Type::null:
      return 4;
    case Type::boolean:
      return 5;
    case Type::integer:
    case Type::real:
      return 20;
    default:
      return value.as_string().size();
  }
}

std::size_t text_size(const Change& change) {
  std::size_t size = 0;
  for (const Value& value : change.key) size += text_size(value);
  for (const Value& value : change.fields) size += text_size(value);
  return size;
}

}  // namespace

void Batch::add(Change&& change, Past&& known) {
  changes.push_back(std::move(change));
  past(changes.size() - 1) = std::move(known);
}

Past& Batch::past(std::size_t row) {
  while (past_.size() < changes.size()) past_.push_back({attempts_, false, {}, {}});
  return past_[row];
}

Past Batch::known(std::size_t row) const {
  return row < past_.size() ? past_[row] : Past{attempts_, false, {}, {}};
}

void Batch::count_attempt() {
  ++attempts_;
  for (Past& past : past_) ++past.attempts;
}

std::pair<Batch, Batch> Batch::halve() {
  std::pair<Batch, Batch> halves;
  halves.first.attempt = halves.second.attempt = attempt;
  const std::size_t middle = size() / 2;
  for (std::size_t i = 0; i < size(); ++i)
    (i < middle ? halves.first : halves.second).add(std::move(changes[i]), std::move(past(i)));
  changes.clear();
  past_.clear();
  return halves;
}

RowVerdict Batch::verdict(std::size_t row, RowFate fate) const {
  if (fate == RowFate::applied)
    return {
        changes[row].number, fate, false, row < past_.size() ? past_[row].attempts : attempts_, {}, {}, {}};
  const Past past = known(row);
  return {changes[row].number, fate, false, past.attempts, past.code, past.message, {}};
}

bool BatchCutter::fits(const Change& change, std::size_t size) const {
  if (open_.size() == 0) return true;
  const bool removes = change.operation == Operation::remove;
  const bool same_kind = removes == (open_.changes.back().operation == Operation::remove);
  const std::size_t rows_max =
      removes && limits_.removes_max > 0 ? limits_.removes_max : limits_.batch_rows_max;
  return same_kind && open_.size() < rows_max && bytes_ + size <= limits_.batch_bytes_max;
}

std::optional<Batch> BatchCutter::take(Change&& change) {
  const std::size_t size = text_size(change);
  std::optional<Batch> full;
  if (!fits(change, size)) full = rest();
  if (open_.size() == 0) open_.changes.reserve(std::min<std::size_t>(limits_.batch_rows_max, 1'000));
  bytes_ += size;
  open_.add(std::move(change));
  return full;
}

std::optional<Batch> BatchCutter::rest() {
  bytes_ = 0;
  if (open_.size() == 0) return std::nullopt;
  return std::exchange(open_, Batch());
}

Limits bounded(Limits limits) {
  if (limits.batch_rows_max == 0) limits.batch_rows_max = batch_rows_unlimited;
  if (limits.batch_bytes_max == 0) limits.batch_bytes_max = batch_bytes_unlimited;
  if (limits.workers_max == 0) limits.workers_max = workers_unlimited;
  return limits;
}

}  // namespace eddy::sync
