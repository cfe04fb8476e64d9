#include "sync/change_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "sync/plan_sql.h"

namespace eddy::sync {

namespace {

constexpr std::uint64_t window_rows = 65'536;
constexpr std::size_t first_cell = 3;  // behind number, op and changed

// '1' to be written, '0' the same, 'k' not to be written whatever the value.
void read_flags(std::string_view flags, Change& change) {
  change.changed.resize(flags.size());
  for (std::size_t i = 0; i < flags.size(); ++i) change.changed[i] = flags[i] == '1';
  if (flags.find('k') == std::string_view::npos) return;
  change.kept.resize(flags.size());
  for (std::size_t i = 0; i < flags.size(); ++i) change.kept[i] = flags[i] == 'k';
}

}  // namespace

ChangeReader::ChangeReader(engine::Connection& connection, const Plan& plan, std::uint64_t first,
                           std::uint64_t end)
    : connection_(connection),
      plan_(plan),
      at_(first),
      end_(std::min(end, plan.counts.planned())),
      with_before_(std::any_of(plan.definition.fields.begin(), plan.definition.fields.end(),
                               [](const BoundColumn& field) { return field.drift == OnDrift::theirs; })) {}

bool ChangeReader::open_window() {
  if (at_ >= end_) return false;
  const std::size_t keys = plan_.definition.key.size(), values = plan_.definition.fields.size();
  // Without ORDER BY, which would sort every window: the table was filled in the order of `number`, and the
  // engine gives rows back in the order in which they were put in. next() checks it.
  window_end_ = std::min(end_, at_ + window_rows);
  window_.emplace(connection_.stream(
      fmt::format("select number, op::bigint, changed, {}{}{} from {} where number >= {} and number < {}",
                  numbered("k", keys), values == 0 ? "" : ", " + numbered("v", values),
                  with_before_ ? ", " + numbered("o", values) : "", plan_table(plan_.id), at_, window_end_)));
  const auto& columns = window_->columns();
  plain_text_.assign(columns.size(), false);
  decimal_text_.assign(columns.size(), false);
  for (std::size_t i = first_cell; i < columns.size(); ++i) {
    if (columns[i].engine_type != "VARCHAR") continue;
    const std::size_t cell = i - first_cell;
    const BoundColumn& bound =
        cell < keys ? plan_.definition.key[cell] : plan_.definition.fields[(cell - keys) % values];
    // Decimals of a warehouse of the user's own are kept as text: the engine's have 38 digits.
    (bound.type == Type::decimal ? decimal_text_ : plain_text_)[i] = true;
  }
  return true;
}

Value ChangeReader::value_at(const engine::Chunk& chunk, std::size_t column, std::size_t row) const {
  if (plain_text_[column] || decimal_text_[column]) {
    if (chunk.is_null(column, row)) return {};
    std::string text(chunk.varchar(column, row));
    return plain_text_[column] ? Value::text(std::move(text)) : Value::decimal(std::move(text));
  }
  return chunk.value(column, row);
}

Change ChangeReader::change_at(const engine::Chunk& chunk, std::size_t row) const {
  const std::size_t keys = plan_.definition.key.size(), values = plan_.definition.fields.size();
  Change change;
  change.number = static_cast<std::uint64_t>(chunk.bigint(0, row));
  change.operation = static_cast<Operation>(chunk.bigint(1, row));
  const auto read = [&](Row& cells, std::size_t first, std::size_t count) {
    cells.reserve(count);
    for (std::size_t i = first; i < first + count; ++i) cells.push_back(value_at(chunk, i, row));
  };
  read(change.key, first_cell, keys);
  if (change.operation == Operation::remove) return change;
  read_flags(chunk.varchar(2, row), change);
  if (plan_.definition.send_all && change.operation == Operation::change)
    for (std::size_t i = 0; i < change.changed.size(); ++i) change.changed[i] = !change.keeps(i);
  read(change.fields, first_cell + keys, values);
  if (with_before_ && change.operation == Operation::change)
    read(change.before, first_cell + keys + values, values);
  return change;
}

std::vector<Change> ChangeReader::next() {
  std::vector<Change> out;
  while (out.empty()) {
    if (!window_ && !open_window()) return out;
    const auto chunk = window_->next();
    if (!chunk) {
      window_.reset();
      if (at_ < window_end_) out_of_order();
      continue;
    }
    out.reserve(chunk->rows());
    for (std::size_t row = 0; row < chunk->rows(); ++row, ++at_) {
      out.push_back(change_at(*chunk, row));
      if (out.back().number != at_) out_of_order();
    }
  }
  return out;
}

void ChangeReader::out_of_order() const {
  throw Error("sync.plan_unreadable",
              fmt::format("row {} of plan {} is missing or out of its place", at_, plan_.id),
              "make a new plan; what was delivered is recorded");
}

std::vector<Change> changes(engine::Connection& connection, const Plan& plan, std::uint64_t offset,
                            std::uint64_t limit) {
  std::vector<Change> out;
  ChangeReader reader(connection, plan, offset, offset + limit);
  for (auto some = reader.next(); !some.empty(); some = reader.next())
    std::move(some.begin(), some.end(), std::back_inserter(out));
  return out;
}

}  // namespace eddy::sync
