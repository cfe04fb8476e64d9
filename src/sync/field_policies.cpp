#include "sync/field_policies.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "core/error.h"
#include "sync/drift.h"
#include "sync/lookup.h"

namespace eddy::sync {

namespace {

// Whether any field has to be compared with the record before it is written.
bool reads_records(const Definition& definition) {
  return std::any_of(definition.fields.begin(), definition.fields.end(), [](const BoundColumn& field) {
    return field.write != Write::always || field.drift == OnDrift::theirs;
  });
}

bool is_empty(const Value& value) {
  return value.is_null() || (value.type() == Type::text && value.as_string().empty());
}

Error cannot_read(const Definition& definition, const std::string& why) {
  return Error("sync.cannot_read",
               fmt::format("sync {}: records of {} at {} cannot be read back, which {} needs",
                           definition.sync, definition.object, definition.destination, why),
               "leave the policy out, or deliver to a destination that can be read");
}

// Reads the batch's records first, and marks what must not be written.
class PolicyWriter final : public Writer {
 public:
  PolicyWriter(std::unique_ptr<Writer> writer, Destination& destination, const Definition& definition,
               const config::Node& options)
      : writer_(std::move(writer)), fields_(definition.fields) {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].lookup)
        lookups_.emplace_back(i, std::make_unique<Lookup>(destination, definition, fields_[i], options));
      if (fields_[i].write == Write::if_empty || fields_[i].drift == OnDrift::theirs) read_.push_back(i);
    }
    if (!reads_records(definition)) return;
    Reading reading{definition.object, definition.key_schema(), {}, options};
    for (const std::size_t i : read_) reading.fields.push_back({fields_[i].field, fields_[i].type});
    reader_ = destination.reader(reading);
    if (!reader_) throw cannot_read(definition, "`write: if_empty`, `write: on_create` or `drift: theirs`");
  }

  Limits limits() const override {
    Limits limits = writer_->limits();
    if (reader_ && reader_->keys_max() > 0)
      limits.batch_rows_max = limits.batch_rows_max == 0
                                  ? reader_->keys_max()
                                  : std::min(limits.batch_rows_max, reader_->keys_max());
    return limits;
  }

  Answer deliver(std::span<const Change> changes) override {
    if (changes.front().operation == Operation::remove) return writer_->deliver(changes);
    std::vector<Change> ready(changes.begin(), changes.end());
    std::vector<std::optional<Verdict>> settled(changes.size());
    try {
      const std::lock_guard lock(reading_);
      keep_what_stands(ready);
      for (auto& [field, lookup] : lookups_) lookup->resolve(ready, field, settled);
    } catch (const Error& error) {
      if (error.code() != "destination.unavailable") throw;
      Answer later;
      later.verdicts.assign(changes.size(), Verdict::retry(error.code(), error.message()));
      return later;
    }
    // A change of which nothing is left to write is done.
    for (std::size_t i = 0; i < ready.size(); ++i)
      if (!settled[i] && ready[i].operation == Operation::change && !ready[i].kept.empty() &&
          std::find(ready[i].changed.begin(), ready[i].changed.end(), true) == ready[i].changed.end())
        settled[i] = Verdict::applied();
    return send(std::move(ready), settled);
  }

  // Records are read for it as well: what is shown is what would be sent.
  std::vector<std::string> preview(std::span<const Change> changes) override {
    if (changes.empty() || changes.front().operation == Operation::remove) return writer_->preview(changes);
    std::vector<Change> ready(changes.begin(), changes.end());
    std::vector<std::optional<Verdict>> settled(changes.size());
    const std::lock_guard lock(reading_);
    keep_what_stands(ready);
    for (auto& [field, lookup] : lookups_) lookup->resolve(ready, field, settled, true);
    return writer_->preview(ready);
  }
  bool inserts_are_repeatable() const override { return writer_->inserts_are_repeatable(); }
  void finish() override { writer_->finish(); }

 private:
  void keep_what_stands(std::vector<Change>& changes) {
    if (!reader_) return;
    std::vector<Row> keys;
    for (const Change& change : changes) keys.push_back(change.key);
    const std::vector<Record> records = reader_->read(keys);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      Change& change = changes[i];
      const Record& record = records.at(i);
      if (record.matches == 0) continue;
      change.kept.resize(fields_.size(), false);
      for (std::size_t f = 0; f < fields_.size(); ++f)
        if (fields_[f].write == Write::on_create) keep(change, f);
      for (std::size_t place = 0; place < read_.size(); ++place) {
        const std::size_t f = read_[place];
        const Value& there = record.fields.at(place);
        if (fields_[f].write == Write::if_empty && !is_empty(there)) keep(change, f);
        if (fields_[f].drift == OnDrift::theirs && !change.before.empty() &&
            !same_value(there, change.before[f]))
          keep(change, f);
      }
    }
  }

  static void keep(Change& change, std::size_t field) {
    change.kept[field] = true;
    change.changed[field] = false;
  }

  Answer send(std::vector<Change> ready, const std::vector<std::optional<Verdict>>& settled) {
    std::vector<Change> open;
    for (std::size_t i = 0; i < ready.size(); ++i)
      if (!settled[i]) open.push_back(std::move(ready[i]));
    Answer answer;
    if (!open.empty()) answer = writer_->deliver(open);
    if (answer.verdicts.size() != open.size()) return answer;  // delivery finds that the count is wrong
    answer.refused_whole = answer.refused_whole && open.size() > 1;
    std::vector<Verdict> all;
    std::size_t next = 0;
    for (const auto& verdict : settled)
      all.push_back(verdict ? *verdict : std::move(answer.verdicts[next++]));
    answer.verdicts = std::move(all);
    return answer;
  }

  std::unique_ptr<Writer> writer_;
  const std::vector<BoundColumn> fields_;
  std::vector<std::size_t> read_;  // places among fields_ whose values are compared
  std::unique_ptr<Reader> reader_;
  std::vector<std::pair<std::size_t, std::unique_ptr<Lookup>>> lookups_;
  std::mutex reading_;  // readers serve one thread at a time
};

// Removed rows leave as updates that set some fields; all else goes to the destination's own writer.
class RemovalByUpdate final : public Writer {
 public:
  RemovalByUpdate(std::unique_ptr<Writer> writer, std::unique_ptr<Writer> removal, Row values)
      : writer_(std::move(writer)), removal_(std::move(removal)), values_(std::move(values)) {}

  Limits limits() const override {
    Limits one = writer_->limits();
    const Limits other = removal_->limits();
    const auto smaller = [](std::size_t a, std::size_t b) {
      return a == 0 ? b : b == 0 ? a : std::min(a, b);
    };
    one.removes_max = other.batch_rows_max;
    one.batch_bytes_max = smaller(one.batch_bytes_max, other.batch_bytes_max);
    one.workers_max = smaller(one.workers_max, other.workers_max);
    return one;
  }
  Answer deliver(std::span<const Change> changes) override {
    return removes(changes) ? removal_->deliver(as_updates(changes)) : writer_->deliver(changes);
  }
  std::vector<std::string> preview(std::span<const Change> changes) override {
    return removes(changes) ? removal_->preview(as_updates(changes)) : writer_->preview(changes);
  }
  bool inserts_are_repeatable() const override { return writer_->inserts_are_repeatable(); }
  void finish() override {
    writer_->finish();
    removal_->finish();
  }

 private:
  static bool removes(std::span<const Change> changes) {
    return !changes.empty() && changes.front().operation == Operation::remove;
  }
  std::vector<Change> as_updates(std::span<const Change> changes) const {
    std::vector<Change> out;
    for (const Change& change : changes)
      out.push_back({change.number,
                     Operation::change,
                     change.key,
                     values_,
                     std::vector<bool>(values_.size(), true),
                     {}});
    return out;
  }

  std::unique_ptr<Writer> writer_, removal_;
  const Row values_;
};

std::unique_ptr<Writer> open_removal(Destination& destination, const Definition& definition,
                                     const config::Node& options, const Sending& sending) {
  Delivery delivery = delivery_of(definition, options, sending);
  delivery.mode = Mode::update;
  if (definition.removed == Removed::set) {
    delivery.fields.clear();
    for (const BoundColumn& column : definition.removed_values)
      delivery.fields.push_back({column.field, column.type});
  }
  try {
    return destination.open(delivery);
  } catch (const Error& error) {
    if (error.code() != "destination.unsupported") throw;
  }
  // Where nothing can be updated by this key, the upsert of a row that was delivered is as good.
  delivery.mode = Mode::upsert;
  return destination.open(delivery);
}

// Lets removed rows go the way that `removed:` says.
std::unique_ptr<Writer> with_removal(std::unique_ptr<Writer> writer, Destination& destination,
                                     const Definition& definition, const config::Node& options,
                                     const Sending& sending) {
  if (definition.removed != Removed::clear && definition.removed != Removed::set) return writer;
  Row values(definition.fields.size());
  if (definition.removed == Removed::set) values = definition.removed_row;
  return std::make_unique<RemovalByUpdate>(
      std::move(writer), open_removal(destination, definition, options, sending), std::move(values));
}

}  // namespace

Delivery delivery_of(const Definition& definition, const config::Node& options, const Sending& sending) {
  Schema fields = definition.field_schema();
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (definition.fields[i].lookup) fields[i].type = Type::text;
  const Removal removed = definition.removed == Removed::erase     ? Removal::erase
                          : definition.removed == Removed::archive ? Removal::archive
                                                                   : Removal::ignore;
  return {definition.object, definition.mode, removed,         definition.key_schema(),
          std::move(fields), options,         definition.sync, sending.rows,
          sending.plan,      sending.before,  sending.first};
}

std::unique_ptr<Writer> open_writer(Destination& destination, const Definition& definition,
                                    const config::Node& options) {
  return open_writer_for(Sending{}, destination, definition, options);
}

std::unique_ptr<Writer> open_writer_for(const Sending& sending, Destination& destination,
                                        const Definition& definition, const config::Node& options) {
  std::unique_ptr<Writer> writer = destination.open(delivery_of(definition, options, sending));
  const bool looks_up = std::any_of(definition.fields.begin(), definition.fields.end(),
                                    [](const BoundColumn& field) { return field.lookup.has_value(); });
  if (looks_up || reads_records(definition))
    writer = std::make_unique<PolicyWriter>(std::move(writer), destination, definition, options);
  return with_removal(std::move(writer), destination, definition, options, sending);
}

std::unique_ptr<Writer> open_writer_of_the_past(const Sending& sending, Destination& destination,
                                                const Definition& definition, const config::Node& options) {
  return with_removal(destination.open(delivery_of(definition, options, sending)), destination, definition,
                      options, sending);
}

}  // namespace eddy::sync
