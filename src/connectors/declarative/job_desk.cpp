#include "connectors/declarative/job_desk.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/declarative/cells.h"
#include "connectors/declarative/object_name.h"
#include "core/error.h"
#include "core/files.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

// What else a row's content depends on.
std::string scope_of(const sync::Delivery& delivery) {
  std::string out = fmt::format("{}|{}|", delivery.object, name_of(delivery.mode));
  for (const Schema* columns : {&delivery.key, &delivery.fields}) {
    for (const Column& column : *columns) out += fmt::format("{}:{}", column.name.size(), column.name);
    out += '|';
  }
  return out;
}

std::size_t number_of(const std::filesystem::path& file) {
  const std::string stem = file.stem().string();
  if (file.extension() != ".job" || stem.empty() || stem.find_first_not_of("0123456789") != std::string::npos)
    return 0;
  return std::stoul(stem.substr(0, 12));
}

std::vector<std::filesystem::path> record_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  std::error_code none;
  if (folder.empty()) return out;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none))
    if (number_of(entry.path()) > 0) out.push_back(entry.path());
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return number_of(a) < number_of(b); });
  return out;
}

}  // namespace

std::string echoed_key(const Change& change, const Schema& key, const TransformSpec& transforms) {
  std::map<std::string, std::string> texts;
  for (std::size_t i = 0; i < key.size() && i < change.key.size(); ++i) {
    const Value& value = change.key[i];
    if (value.type() == Type::text)
      texts[key[i].name] = value.as_string();
    else if (const auto cell = render_cell(value, transforms); cell && *cell)
      texts[key[i].name] = plain_text(**cell);
  }
  return texts.size() == 1 ? texts.begin()->second : text_of_keys(texts);
}

std::vector<JobRow> job_rows(std::span<const Change> changes, std::span<const std::size_t> place,
                             const sync::Delivery& delivery, const TransformSpec& transforms,
                             const JobSpec& spec) {
  const std::string scope = scope_of(delivery);
  std::vector<JobRow> out;
  out.reserve(place.size());
  for (const std::size_t i : place)
    out.push_back({digest_of(marked_text(spec, echoed_key(changes[i], delivery.key, transforms))),
                   content_of(changes[i], scope)});
  return out;
}

JobDesk::JobDesk(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session,
                 std::filesystem::path folder, Options options)
    : spec_(std::move(spec)),
      session_(std::move(session)),
      folder_(std::move(folder)),
      options_(std::move(options)) {}

bool JobDesk::has_records() const { return !record_files(folder_).empty(); }

void JobDesk::load() {
  if (std::exchange(loaded_, true)) return;
  for (const auto& file : record_files(folder_)) {
    auto job = std::make_shared<Job>();
    job->record = parse_job_record(read_file(file), file.string());
    job->file = file;
    job->former = true;
    former_.push_back(job);
    add(job);
    const std::lock_guard lock(mutex_);
    last_number_ = std::max(last_number_, number_of(file));
  }
}

void JobDesk::add(const JobPointer& job) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < job->record.rows.size(); ++i)
    if (!job->record.rows[i].dropped) index_.emplace(job->record.rows[i].key, Place{job, i});
}

void JobDesk::forget(const JobPointer& job) {
  const std::lock_guard lock(mutex_);
  std::erase_if(index_, [&](const auto& entry) { return entry.second.job == job; });
}

void JobDesk::keep(const Job& job) const {
  if (job.file.empty()) return;
  std::error_code none;
  const bool there = std::filesystem::is_directory(job.file.parent_path(), none);
  write_file_atomically(job.file, to_text(job.record));
  // A new folder is there only when the folders above it say so durably.
  if (there) return;
  sync_path(job.file.parent_path().parent_path());
  sync_path(job.file.parent_path().parent_path().parent_path());
}

void JobDesk::remove_file(const Job& job) const {
  std::error_code none;
  if (!job.file.empty()) std::filesystem::remove(job.file, none);
}

std::optional<JobRun> JobDesk::run_of(const JobRecord& record) const {
  const auto operations = spec_->operations.find(record.operation);
  if (operations == spec_->operations.end() || record.number >= operations->second.size()) return {};
  const OperationSpec& operation = operations->second[record.number];
  if (!operation.job) return {};

  return JobRun(operation, *session_,
                [this, words = object_words(*spec_, record.object), name = record.object,
                 key = record.key_field](std::string_view word) -> std::optional<json> {
                  if (word == "object") return json(name);
                  if (word == "key.field") return json(key);
                  if (word.starts_with("object."))
                    if (const auto value = words.find(std::string(word.substr(7))); value != words.end())
                      return json(value->second);
                  if (auto option = options_.get(word)) return option;
                  return session_->lookup()(word);
                });
}

std::optional<std::vector<Verdict>> JobDesk::settle(const JobPointer& job, Refusal& why) {
  const JobRecord& record = job->record;
  const auto nobody_can_tell = [&] {
    return std::vector<Verdict>(
        record.rows.size(),
        Verdict::in_doubt("job_vanished", "the service does not know the job of this row any more"));
  };
  auto run = run_of(record);
  if (!run || record.step == JobRecord::Step::creating) return nobody_can_tell();
  const auto never_closed = [&]() -> std::vector<Verdict> {
    run->abort(record);
    forget(job);
    remove_file(*job);
    return {};
  };
  if (record.step == JobRecord::Step::open) return never_closed();
  std::vector<Verdict> verdicts;
  switch (run->wait(record, !job->former, verdicts, why)) {
    case JobEnd::answered:
      return verdicts;
    case JobEnd::vanished:
      return nobody_can_tell();
    case JobEnd::never_closed:
      return never_closed();
    case JobEnd::not_yet:
      break;
  }
  return std::nullopt;
}

std::optional<Refusal> JobDesk::take_over() {
  const std::lock_guard lock(taking_over_);
  load();
  while (!former_.empty()) {
    const JobPointer job = former_.front();
    Refusal why;
    auto verdicts = settle(job, why);
    if (!verdicts) return why;
    former_.erase(former_.begin());
    const std::lock_guard guard(mutex_);
    job->ended = true;
    job->verdicts = std::move(*verdicts);
    if (!job->verdicts.empty()) ended_.push_back(job);
  }
  return std::nullopt;
}

std::vector<JobDesk::Place> JobDesk::places(const Digest& key) const {
  const std::lock_guard lock(mutex_);
  std::vector<Place> out;
  const auto [first, last] = index_.equal_range(key);
  for (auto entry = first; entry != last; ++entry) out.push_back(entry->second);
  // The latest job knows best.
  std::sort(out.begin(), out.end(),
            [](const Place& a, const Place& b) { return number_of(a.job->file) > number_of(b.job->file); });
  return out;
}

std::optional<Verdict> JobDesk::known(const Change& change, const sync::Delivery& delivery,
                                      const std::string& scope, std::vector<JobPointer>& rewritten) {
  const std::string key = echoed_key(change, delivery.key, spec_->transforms);
  std::vector<Place> found = places(digest_of(key));
  if (const std::string folded = lower(key); folded != key)
    for (Place& place : places(digest_of(folded))) found.push_back(std::move(place));
  if (found.empty()) return std::nullopt;
  const Digest content = content_of(change, scope);
  std::optional<Verdict> out;
  const bool same = std::any_of(found.begin(), found.end(), [&](const Place& place) {
    return place.job->record.rows[place.row].content == content;
  });
  bool decided = false;
  const std::lock_guard lock(mutex_);
  for (const Place& place : found) {
    Job& job = *place.job;
    JobRow& row = job.record.rows[place.row];
    if (row.dropped) continue;
    const Verdict* verdict = job.ended ? &job.verdicts[place.row] : nullptr;
    const bool may_be_there =
        verdict == nullptr || verdict->outcome == Outcome::applied || verdict->outcome == Outcome::in_doubt;
    if (row.content != content) {
      // Of two keys that differ in nothing but case, each has its own row.
      if (same && digest_of(key) != row.key) continue;
      if (!job.record.repeatable && may_be_there) {
        out = Verdict::in_doubt("made_before",
                                "a job of a former run has made this record, or may have, with other values");
        decided = true;
        continue;
      }
      row.dropped = true;
      rewritten.push_back(place.job);
    } else if (!std::exchange(decided, true)) {
      // An older job must not be asked about a row that this one was the last to have.
      if (verdict == nullptr)
        out = Verdict::in_doubt("job_running", "the service has not ended the job of this row yet");
      else if (verdict->outcome == Outcome::applied || verdict->outcome == Outcome::rejected ||
               (verdict->outcome == Outcome::in_doubt && !job.record.repeatable))
        out = *verdict;
    }
  }
  return out;
}

sync::Answer JobDesk::deliver(std::span<const Change> changes, const sync::Delivery& delivery,
                              const Send& send) {
  const std::optional<Refusal> not_yet = take_over();
  const bool nothing_known = [&] {
    const std::lock_guard lock(mutex_);
    return index_.empty();
  }();
  if (nothing_known) return send(changes);
  const std::string scope = scope_of(delivery);
  std::vector<std::optional<Verdict>> verdicts(changes.size());
  std::vector<JobPointer> rewritten;
  for (std::size_t i = 0; i < changes.size(); ++i)
    verdicts[i] = known(changes[i], delivery, scope, rewritten);
  std::sort(rewritten.begin(), rewritten.end());
  rewritten.erase(std::unique(rewritten.begin(), rewritten.end()), rewritten.end());
  {
    const std::lock_guard lock(mutex_);
    for (const JobPointer& job : rewritten) keep(*job);
  }
  sync::Answer answer;
  std::vector<Change> rest;
  for (std::size_t i = 0; i < changes.size(); ++i)
    if (!verdicts[i]) rest.push_back(changes[i]);
  if (!rest.empty()) {
    if (not_yet) {
      // An old job that still runs could overwrite what is sent now.
      answer.verdicts.assign(rest.size(), Verdict::retry(not_yet->code, not_yet->message));
      answer.retry_after = std::chrono::seconds{10};
    } else {
      answer = send(rest);
    }
    if (answer.verdicts.size() != rest.size()) return answer;
    answer.refused_whole = answer.refused_whole && rest.size() > 1;
    answer.held_back = answer.held_back && rest.size() == changes.size();
  }
  std::vector<Verdict> all;
  all.reserve(changes.size());
  for (std::size_t i = 0, next = 0; i < changes.size(); ++i)
    all.push_back(verdicts[i] ? std::move(*verdicts[i]) : std::move(answer.verdicts[next++]));
  answer.verdicts = std::move(all);
  return answer;
}

JobDesk::Done JobDesk::carry_out(JobRecord record, const Content& create, const Content& upload) {
  auto job = std::make_shared<Job>();
  job->record = std::move(record);
  job->record.time = format_utc(session_->clock().now());
  if (!folder_.empty()) {
    const std::lock_guard lock(mutex_);
    job->file = folder_ / fmt::format("{:06}.job", ++last_number_);
  }
  auto run = run_of(job->record);
  const std::size_t rows = job->record.rows.size();
  Done out;
  JobBegun begun;
  try {
    begun = run->begin(job->record, create, upload, [&] { keep(*job); });
  } catch (...) {
    if (job->record.step == JobRecord::Step::creating) remove_file(*job);
    throw;
  }
  if (!begun.closed) {
    // What may have been processed without anybody knowing must not be sent again by another run either.
    if (begun.verdict.outcome != Outcome::in_doubt || job->record.repeatable) remove_file(*job);
    out.verdicts.assign(rows, begun.verdict);
    out.refused_whole = begun.refused_whole;
    out.held_back = begun.held_back;
    out.retry_after = begun.wait;
    return out;
  }
  Refusal why;
  std::optional<std::vector<Verdict>> verdicts;
  try {
    verdicts = settle(job, why);
  } catch (const Error& e) {
    // Its rows are on their way, so that nothing may be thrown: the next request meets the cause itself.
    why = {ErrorClass::unsure, e.code(), for_people(e.message()), std::nullopt};
  }
  if (!verdicts) {
    out.verdicts.assign(rows, Verdict::in_doubt(why.code, why.message));
    add(job);
    const std::lock_guard lock(taking_over_);
    former_.push_back(job);
    return out;
  }
  if (verdicts->empty()) verdicts->assign(rows, Verdict::retry(why.code, why.message));  // never closed
  out.verdicts = std::move(*verdicts);
  job->record.rows.clear();  // a row of it comes again in this run only to be sent again
  {
    const std::lock_guard lock(mutex_);
    ended_.push_back(job);
  }
  if (why.error_class == ErrorClass::config)
    throw Error("destination.refused", fmt::format("{}: the job failed: {}", spec_->title, why.message),
                "check the object, the mapping and the permissions of the connection's user");
  return out;
}

void JobDesk::finish() {
  if (take_over()) return;  // the next run goes on with what has not ended
  const std::lock_guard lock(mutex_);
  for (const JobPointer& job : ended_) remove_file(*job);
  ended_.clear();
  index_.clear();
}

}  // namespace eddy::connectors
