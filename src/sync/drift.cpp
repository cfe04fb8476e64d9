#include "sync/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "sync/plan_sql.h"

namespace eddy::sync {

namespace {

constexpr std::size_t examples_max = 10;
constexpr std::size_t page_rows = 1'000;  // of a destination that sets no limit

bool empty(const Value& value) {
  return value.is_null() || (value.type() == Type::text && value.as_string().empty());
}

std::optional<double> as_number(const Value& value) {
  if (value.type() == Type::boolean) return std::nullopt;
  const std::string text = value.to_text();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// "…:05.120Z" and "…:05.12Z" are one moment.
std::string without_zeros(std::string timestamp) {
  const auto point = timestamp.find('.');
  if (point == std::string::npos || !timestamp.ends_with('Z')) return timestamp;
  timestamp.pop_back();
  while (timestamp.ends_with('0')) timestamp.pop_back();
  if (timestamp.ends_with('.')) timestamp.pop_back();
  return timestamp + "Z";
}

std::string json_of(const Value& value) {
  return value.to_json().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Reads page after page of the snapshot and asks the destination for each.
class DriftReading {
 public:
  DriftReading(engine::Connection& connection, const Definition& now, Reader& reader,
               std::vector<std::size_t> compared)
      : c_(connection),
        now_(now),
        reader_(reader),
        compared_(std::move(compared)),
        differing_(now.fields.size(), 0),
        rows_(c_.appender("temp", "main", "eddy_drift")) {}

  void take(std::vector<Row> keys, const std::vector<Row>& acknowledged) {
    const std::vector<Record> records = reader_.read(keys);
    drift_.read += keys.size();
    for (std::size_t i = 0; i < keys.size(); ++i) compare(keys[i], acknowledged[i], records.at(i));
  }

  Drift end() {
    rows_.close();
    for (std::size_t i = 0; i < differing_.size(); ++i)
      if (differing_[i] > 0) drift_.fields.emplace_back(now_.fields[i].field, differing_[i]);
    return std::move(drift_);
  }

 private:
  void compare(const Row& key, const Row& acknowledged, const Record& record) {
    std::string flags(now_.fields.size(), '0');
    if (record.matches == 0) {
      ++drift_.missing;
      example(key, "", Value(), Value());
    } else {
      for (std::size_t place = 0; place < compared_.size(); ++place) {
        const std::size_t field = compared_[place];
        if (same_value(acknowledged[field], record.fields.at(place))) continue;
        flags[field] = '1';
        ++differing_[field];
        example(key, now_.fields[field].field, acknowledged[field], record.fields[place]);
      }
      if (flags.find('1') == std::string::npos) return;
      ++drift_.changed;
    }
    for (const Value& cell : key) rows_.append(cell);
    rows_.append(Value::boolean(record.matches == 0));
    rows_.append_text(flags);
    Row theirs(now_.fields.size());
    for (std::size_t place = 0; place < compared_.size() && record.matches > 0; ++place)
      theirs[compared_[place]] = record.fields[place];
    for (const Value& cell : theirs) rows_.append(cell);
    rows_.end_row();
  }

  void example(const Row& key, const std::string& field, const Value& acknowledged, const Value& theirs) {
    if (drift_.examples.size() >= examples_max) return;
    nlohmann::json list = nlohmann::json::array();
    for (const Value& cell : key) list.push_back(cell.to_json());
    drift_.examples.push_back({list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), field,
                               json_of(acknowledged), json_of(theirs)});
  }

  engine::Connection& c_;
  const Definition& now_;
  Reader& reader_;
  const std::vector<std::size_t> compared_;  // places among the fields, in the order of the reading
  std::vector<std::uint64_t> differing_;
  engine::Appender rows_;
  Drift drift_;
};

void make_table(engine::Connection& c, const Definition& now) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < now.key.size(); ++i)
    columns.push_back(fmt::format("k{} {}", i + 1, now.key[i].engine_type));
  columns.emplace_back("missing boolean");
  columns.emplace_back("drifted varchar");
  for (std::size_t i = 0; i < now.fields.size(); ++i)
    columns.push_back(fmt::format("t{} {}", i + 1, now.fields[i].engine_type));
  c.execute(fmt::format("create or replace temp table eddy_drift({})", join(columns, ", ")));
}

}  // namespace

bool same_value(const Value& a, const Value& b) {
  if (empty(a) || empty(b)) return empty(a) && empty(b);
  if (a == b || a.to_text() == b.to_text()) return true;
  if (a.type() == Type::timestamp || b.type() == Type::timestamp)
    return without_zeros(a.to_text()) == without_zeros(b.to_text());
  const auto x = as_number(a), y = as_number(b);
  return x && y && (*x == *y || std::abs(*x - *y) <= 1e-12 * std::max(std::abs(*x), std::abs(*y)));
}

Drift read_drift(engine::Connection& c, const Standing& standing, const Definition& now,
                 Destination& destination, const config::Node& options, const Cancel& cancel) {
  make_table(c, now);
  if (!standing.definition) return {};
  const std::vector<bool> fresh = new_fields(standing, now);
  std::vector<std::size_t> compared;
  Reading reading{now.object, now.key_schema(), {}, options};
  for (std::size_t i = 0; i < now.fields.size(); ++i) {
    // What is written once, or only where there was nothing, is theirs afterwards.
    if (fresh[i] || now.fields[i].lookup || now.fields[i].write != Write::always) continue;
    compared.push_back(i);
    reading.fields.push_back({now.fields[i].field, now.fields[i].type});
  }
  const std::unique_ptr<Reader> reader = destination.reader(reading);
  if (!reader)
    throw Error("sync.cannot_read",
                fmt::format("sync {}: records of {} at {} cannot be read back", now.sync, now.object,
                            now.destination),
                "plan without --refresh");
  DriftReading drift(c, now, *reader, compared);
  const std::size_t keys = now.key.size(), values = now.fields.size();
  const std::size_t at_once = reader->keys_max() == 0 ? page_rows : std::min(page_rows, reader->keys_max());
  auto result =
      c.stream(fmt::format("select {}{}{} from {}", numbered("k", keys), values == 0 ? "" : ", ",
                           numbered("v", values), aligned_snapshot(standing, now, hash_algorithm(c))));
  std::vector<Row> key_rows, value_rows;
  const auto flush = [&] {
    if (!key_rows.empty()) drift.take(std::move(key_rows), value_rows);
    key_rows.clear();
    value_rows.clear();
  };
  while (auto chunk = result.next())
    for (std::size_t r = 0; r < chunk->rows(); ++r) {
      if (cancel.requested()) throw Error("engine.interrupted", "interrupted", "");
      Row& key = key_rows.emplace_back();
      Row& cells = value_rows.emplace_back();
      for (std::size_t i = 0; i < keys; ++i) key.push_back(chunk->value(i, r));
      for (std::size_t i = 0; i < values; ++i) cells.push_back(chunk->value(keys + i, r));
      if (key_rows.size() == at_once) flush();
    }
  flush();
  return drift.end();
}

}  // namespace eddy::sync
