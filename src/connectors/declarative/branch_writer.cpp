#include "connectors/declarative/branch_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

namespace {

constexpr std::size_t candidates_named = 5;

std::string key_of(const Change& change) { return change.key.empty() ? "" : change.key.front().to_text(); }

const OperationSpec& when_found(const OperationSpec& operation) {
  return operation.found.empty() ? operation : operation.found.front();
}

const OperationSpec* when_missing(const OperationSpec& operation) {
  return operation.missing.empty() ? nullptr : &operation.missing.front();
}

// One bad key must not keep the others from being looked up.
void find(LookupReader& reader, std::span<const Row> keys, std::span<LookupReader::Found> found,
          std::span<std::optional<Verdict>> refused) {
  if (keys.empty()) return;
  try {
    auto all = reader.find(keys);
    std::move(all.begin(), all.end(), found.begin());
  } catch (const KeyRefused& e) {
    if (keys.size() == 1) {
      refused.front() = Verdict::rejected("key_refused", for_people(e.message()));
      return;
    }
    const std::size_t half = keys.size() / 2;
    find(reader, keys.first(half), found.first(half), refused.first(half));
    find(reader, keys.subspan(half), found.subspan(half), refused.subspan(half));
  }
}

}  // namespace

BranchWriter::BranchWriter(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session,
                           sync::Delivery delivery, Branch write, Branch remove,
                           const std::filesystem::path& folder)
    : spec_(std::move(spec)),
      session_(std::move(session)),
      delivery_(std::move(delivery)),
      write_(std::move(write)),
      remove_(std::move(remove)),
      known_(std::make_unique<DeclarativeWriter>(
          spec_, session_, delivery_, when_found(*write_.operation),
          remove_.operation == nullptr ? nullptr : &when_found(*remove_.operation))) {
  if (const OperationSpec* make = when_missing(*write_.operation))
    new_ = std::make_unique<DeclarativeWriter>(spec_, session_, delivery_, *make, nullptr);
  if (new_ && write_.by_key && write_.by_key->lookup->lags.count() > 0 &&
      !when_missing(*write_.operation)->idempotent)
    recent_.emplace(folder, write_.by_key->reading.object, write_.by_key->lookup->lags, session_->clock());
}

sync::Limits BranchWriter::limits() const {
  sync::Limits out = known_->limits();
  const auto at_least = [&](std::size_t rows) { out.batch_rows_max = std::max(out.batch_rows_max, rows); };
  for (const Branch* branch : {&write_, &remove_})
    if (branch->by_key) {
      at_least(branch->by_key->lookup->rows_max);
      at_least(when_found(*branch->operation).rows_max);
    }
  if (new_) at_least(new_->limits().batch_rows_max);
  return out;
}

const Branch& BranchWriter::branch_for(std::span<const Change> changes) const {
  return changes.front().operation == Operation::remove && remove_.operation != nullptr ? remove_ : write_;
}

std::unique_ptr<LookupReader> BranchWriter::reader(const BranchLookup& lookup) const {
  return std::make_unique<LookupReader>(spec_, session_, lookup.reading, *lookup.lookup);
}

bool BranchWriter::claim(const std::string& id, const Change& change, std::string& other) {
  const std::lock_guard lock(mutex_);
  other = owners_.try_emplace(id, key_of(change)).first->second;
  return other == key_of(change);
}

void BranchWriter::look(Round& round) {
  std::vector<Row> keys;
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < round.changes.size(); ++i) {
    const std::lock_guard lock(mutex_);
    const auto made = made_.find(key_of(round.changes[i]));
    if (made == made_.end()) {
      keys.push_back(round.changes[i].key);
      asked.push_back(i);
      continue;
    }
    round.ids[round.changes[i].number] = made->second;
    round.found.push_back(i);
  }
  std::vector<LookupReader::Found> found(keys.size());
  std::vector<std::optional<Verdict>> refused(keys.size());
  try {
    find(*reader(*round.branch.by_key), keys, found, refused);
  } catch (const Error& e) {
    if (e.code() != "destination.unavailable") throw;
    for (const std::size_t place : asked)
      round.answer.verdicts[place] = Verdict::retry("lookup_unavailable", for_people(e.message()));
    return;
  }
  for (std::size_t i = 0; i < asked.size(); ++i)
    if (refused[i])
      round.answer.verdicts[asked[i]] = *refused[i];
    else
      sort(round, asked[i], found[i]);
}

void BranchWriter::sort(Round& round, std::size_t place, const LookupReader::Found& found) {
  const Change& change = round.changes[place];
  const std::string& field = delivery_.key.front().name;
  if (found.record.matches == 0) return sort_missing(round, place);
  if (found.record.matches > 1) {
    const std::size_t named = std::min(found.ids.size(), candidates_named);
    round.answer.verdicts[place] = Verdict::rejected(
        "ambiguous_key",
        for_people(fmt::format("{} records have {} `{}`: {}{}", found.record.matches, field, key_of(change),
                               join(std::vector(found.ids.begin(), found.ids.begin() + named), ", "),
                               found.record.matches > named ? ", …" : "")));
    return;
  }
  if (found.ids.empty()) {
    round.answer.verdicts[place] = Verdict::rejected("no_id", "the record that has this key shows no id");
    return;
  }
  std::string other;
  if (!round.removal && !claim(found.ids.front(), change, other)) {
    round.answer.verdicts[place] = Verdict::rejected(
        "same_record", for_people(fmt::format("record {} is meant by the key `{}` of this sync too",
                                              found.ids.front(), other)));
    return;
  }
  round.ids[change.number] = found.ids.front();
  round.found.push_back(place);
}

void BranchWriter::sort_missing(Round& round, std::size_t place) {
  const Change& change = round.changes[place];
  const bool lags = round.branch.by_key->lookup->lags.count() > 0;
  const std::string nobody =
      for_people(fmt::format("no record has {} `{}`", delivery_.key.front().name, key_of(change)));
  Verdict& verdict = round.answer.verdicts[place];
  if (round.removal) {
    verdict =
        lags ? Verdict::rejected("not_found", nobody + ", as far as the search shows") : Verdict::applied();
    return;
  }
  const OperationSpec* make = when_missing(*round.branch.operation);
  if (make == nullptr) {
    verdict = Verdict::rejected("not_found", nobody);
    return;
  }
  if (const auto wait = hidden_for(change)) {
    verdict = Verdict::retry(
        "made_perhaps", "it may have been made already, and the search does not show at once what is new");
    round.wait = std::max(round.wait.value_or(*wait), *wait);
    return;
  }
  round.missing.push_back(place);
}

std::optional<std::chrono::milliseconds> BranchWriter::hidden_for(const Change& change) const {
  if (!recent_) return std::nullopt;
  const std::lock_guard lock(mutex_);
  auto shown_from = Clock::MonotonicTime::min();
  if (const auto lost = lost_.find(key_of(change)); lost != lost_.end()) shown_from = lost->second;
  if (delivery_.first || change.operation != Operation::add ||
      (delivery_.sent_before && delivery_.sent_before->contains(change.number)))
    shown_from = std::max(shown_from, recent_->shown_from());
  const auto now = session_->clock().monotonic();
  if (shown_from <= now) return std::nullopt;
  return std::chrono::ceil<std::chrono::milliseconds>(shown_from - now);
}

void BranchWriter::send(DeclarativeWriter& writer, Round& round, const std::vector<std::size_t>& places) {
  if (places.empty()) return;
  const auto give_all = [&](const Verdict& verdict) {
    for (const std::size_t place : places) round.answer.verdicts[place] = verdict;
  };
  if (round.answer.retry_after) return give_all(Verdict::retry("held_back", "the service asked to wait"));
  std::vector<Change> part;
  for (const std::size_t place : places) part.push_back(round.changes[place]);
  sync::Answer answer;
  try {
    answer = writer.deliver_found(part, round.ids);
  } catch (const Error& e) {
    // What has been applied must not be lost; the next call meets the cause at its start.
    if (!round.sent) throw;
    return give_all(Verdict::retry(e.code(), for_people(e.message())));
  }
  round.sent = true;
  for (std::size_t i = 0; i < places.size(); ++i)
    round.answer.verdicts[places[i]] = std::move(answer.verdicts[i]);
  round.answer.retry_after = answer.retry_after;
  round.answer.notes.insert(round.answer.notes.end(), answer.notes.begin(), answer.notes.end());
}

void BranchWriter::make(Round& round) {
  if (round.missing.empty()) return;
  auto shown_from = Clock::MonotonicTime::min();
  try {
    if (recent_) shown_from = recent_->about_to_make();
  } catch (const Error& e) {
    if (!round.sent) throw;
    for (const std::size_t place : round.missing)
      round.answer.verdicts[place] = Verdict::retry(e.code(), for_people(e.message()));
    return;
  }
  send(*new_, round, round.missing);
  remember(round, shown_from);
  resolve_conflicts(round);
}

void BranchWriter::remember(const Round& round, Clock::MonotonicTime shown_from) {
  const std::lock_guard lock(mutex_);
  for (const std::size_t place : round.missing) {
    const Verdict& verdict = round.answer.verdicts[place];
    const std::string key = key_of(round.changes[place]);
    if (verdict.outcome == Outcome::in_doubt) lost_[key] = shown_from;
    if (verdict.outcome != Outcome::applied || verdict.destination_id.empty()) continue;
    made_[key] = verdict.destination_id;
    owners_[verdict.destination_id] = key;
  }
}

bool BranchWriter::has_the_key(const Branch& branch, const Change& change, const std::string& id,
                               Verdict& refusal) const {
  if (!branch.by_id) return false;
  const bool fold = branch.by_key->lookup->match.ignore_case;
  const auto folded = [&](const std::string& text) { return fold ? lower(text) : text; };
  try {
    const Row key = {Value::text(id)};
    const auto records = reader(*branch.by_id)->read(std::span(&key, 1));
    const sync::Record& record = records.front();
    if (record.matches != 1 || record.fields.empty()) return false;
    const std::string there = record.fields.front().to_text();
    if (!there.empty() && folded(there) == folded(key_of(change))) return true;
    refusal.message = for_people(
        fmt::format("{} (record {} has {} `{}`)", refusal.message, id, delivery_.key.front().name, there));
  } catch (const KeyRefused&) {
    return false;
  } catch (const Error& e) {
    // The create was refused, so nothing has been applied.
    refusal = Verdict::retry(e.code(), for_people(e.message()));
  }
  return false;
}

void BranchWriter::resolve_conflicts(Round& round) {
  std::vector<std::size_t> again;
  for (const std::size_t place : round.missing) {
    Verdict& verdict = round.answer.verdicts[place];
    if (verdict.outcome != Outcome::rejected || verdict.destination_id.empty()) continue;
    const std::string id = std::exchange(verdict.destination_id, {});
    const Change& change = round.changes[place];
    std::string other;
    if (!has_the_key(round.branch, change, id, verdict) || !claim(id, change, other)) continue;
    round.ids[change.number] = id;
    again.push_back(place);
  }
  send(*known_, round, again);
}

sync::Answer BranchWriter::deliver(std::span<const Change> changes) {
  if (changes.empty()) return {};
  const Branch& branch = branch_for(changes);
  if (!branch.by_key) return known_->deliver(changes);
  Round round{.changes = changes,
              .removal = changes.front().operation == Operation::remove,
              .branch = branch,
              .ids = {},
              .found = {},
              .missing = {},
              .answer = {}};
  round.answer.verdicts.resize(changes.size());
  look(round);
  send(*known_, round, round.found);
  make(round);
  if (round.wait && !round.answer.retry_after) {
    round.answer.retry_after = round.wait;
    round.answer.held_back = !round.sent;
    round.answer.notes.push_back(fmt::format(
        "{} does not show at once what was made: rows that may have been made lately wait up to {} s",
        spec_->title, std::chrono::ceil<std::chrono::seconds>(round.branch.by_key->lookup->lags).count()));
  }
  return std::move(round.answer);
}

std::vector<std::string> BranchWriter::preview(std::span<const Change> changes) {
  if (changes.empty()) return {};
  const Branch& branch = branch_for(changes);
  if (!branch.by_key) return known_->preview(changes);
  std::vector<std::string> out;
  RowIds ids;
  for (const Change& change : changes) ids[change.number] = "ID";
  const auto add = [&](const std::string& when, DeclarativeWriter& writer) {
    for (const std::string& request : writer.preview_found(changes, ids))
      out.push_back(when + ":\n" + request);
  };
  const std::string& field = delivery_.key.front().name;
  add(fmt::format("where a record is found by {}", field), *known_);
  if (new_ && changes.front().operation != Operation::remove) add("otherwise", *new_);
  return out;
}

}  // namespace eddy::connectors
