#include "sync/lookup.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace eddy::sync {

namespace {

// Found records are few beside the rows that name them; a run that names more starts anew.
constexpr std::size_t known_max = 200'000;

}  // namespace

Lookup::Lookup(Destination& destination, const Definition& definition, const BoundColumn& field,
               const config::Node& options)
    : spec_(*field.lookup) {
  const Schema key = {{spec_.by, field.type}};
  reader_ = destination.reader({spec_.object, key, {}, options});
  if (!reader_)
    throw Error("sync.cannot_read",
                fmt::format("sync {}: {} at {} cannot be looked up by {}, which `{}` needs", definition.sync,
                            spec_.object, definition.destination, spec_.by, field.field),
                "map the id itself, or leave the field out");
  if (spec_.on_miss == OnMiss::create)
    writer_ = destination.open({.object = spec_.object,
                                .mode = Mode::upsert,
                                .removed = Removal::ignore,
                                .key = key,
                                .fields = {},
                                .options = options,
                                .sync = definition.sync + " " + field.field});
}

void Lookup::find(const std::vector<Value>& keys) {
  const std::size_t at_once = reader_->keys_max() == 0 ? keys.size() : reader_->keys_max();
  for (std::size_t start = 0; start < keys.size(); start += at_once) {
    std::vector<Row> asked;
    for (std::size_t i = start; i < std::min(keys.size(), start + at_once); ++i) asked.push_back({keys[i]});
    std::vector<Record> records = reader_->read(asked);
    for (std::size_t i = 0; i < asked.size(); ++i)
      known_[asked[i].front().to_text()] = std::move(records.at(i));
  }
}

void Lookup::make(const std::vector<Value>& keys) {
  std::vector<Change> changes;
  const std::size_t at_once =
      writer_->limits().batch_rows_max == 0 ? keys.size() : writer_->limits().batch_rows_max;
  for (std::size_t start = 0; start < keys.size(); start += at_once) {
    changes.clear();
    for (std::size_t i = start; i < std::min(keys.size(), start + at_once); ++i)
      changes.push_back({i, Operation::add, {keys[i]}, {}, {}, {}});
    const Answer answer = writer_->deliver(changes);
    for (std::size_t i = 0; i < changes.size() && i < answer.verdicts.size(); ++i) {
      const Verdict& verdict = answer.verdicts[i];
      const std::string text = changes[i].key.front().to_text();
      if (verdict.outcome == Outcome::applied)
        known_[text] = {verdict.destination_id.empty() ? 0u : 1u, verdict.destination_id, {}};
      else
        not_made_[text] = verdict;
    }
  }
}

void Lookup::resolve(std::vector<Change>& changes, std::size_t field,
                     std::vector<std::optional<Verdict>>& settled, bool only_look) {
  const auto wanted = [&](std::size_t i) {
    return !settled[i] && changes[i].changed.at(field) && !changes[i].fields.at(field).is_null();
  };
  if (known_.size() > known_max) known_.clear();
  not_made_.clear();
  const auto collect = [&](auto condition) {
    std::map<std::string, Value> keys;
    for (std::size_t i = 0; i < changes.size(); ++i)
      if (wanted(i)) {
        const Value& key = changes[i].fields[field];
        if (condition(key.to_text())) keys.emplace(key.to_text(), key);
      }
    std::vector<Value> out;
    for (auto& [text, key] : keys) out.push_back(std::move(key));
    return out;
  };
  if (const auto unknown = collect([&](const std::string& key) { return !known_.contains(key); });
      !unknown.empty())
    find(unknown);
  if (writer_ && !only_look) {
    const auto missing = [&](const std::string& key) { return known_[key].matches == 0; };
    if (const auto keys = collect(missing); !keys.empty()) make(keys);
    // Where the answer did not tell the new record's id, it is read.
    const auto untold = [&](const std::string& key) { return missing(key) && !not_made_.contains(key); };
    if (const auto keys = collect(untold); !keys.empty()) find(keys);
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (!wanted(i)) continue;
    const std::string key = changes[i].fields[field].to_text();
    const Record& record = known_[key];
    if (const auto failed = not_made_.find(key); failed != not_made_.end()) {
      settled[i] = failed->second;
    } else if (record.matches > 1) {
      settled[i] = Verdict::rejected(
          "lookup.ambiguous", fmt::format("{} {} have {} = {}", record.matches, spec_.object, spec_.by, key));
    } else if (record.matches == 1) {
      changes[i].fields[field] = Value::text(record.id);
    } else if (spec_.on_miss == OnMiss::null || only_look) {
      changes[i].fields[field] = Value();
    } else {
      settled[i] = Verdict::rejected("lookup.not_found",
                                     fmt::format("no {} has {} = {}", spec_.object, spec_.by, key));
    }
  }
  // What is missing now may be there when it is asked for again.
  std::erase_if(known_, [](const auto& entry) { return entry.second.matches == 0; });
}

}  // namespace eddy::sync
