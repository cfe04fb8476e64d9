#include "sync/worker.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/secrets.h"

namespace eddy::sync {

namespace {

// Batches that wait for a worker: one each, or as many small ones as make some thousand rows.
constexpr std::size_t rows_waiting = 8'192;
std::size_t queue_capacity(const Limits& limits) {
  return std::max(limits.workers_max, rows_waiting / limits.batch_rows_max);
}

// Waits that a person who looks on should know of.
constexpr std::chrono::seconds worth_a_note{30};

bool all_retry(const Answer& answer) {
  return std::all_of(answer.verdicts.begin(), answer.verdicts.end(),
                     [](const Verdict& v) { return v.outcome == Outcome::retry; });
}

bool anybody_answered(const Answer& answer) {
  return answer.refused_whole || answer.retry_after ||
         std::any_of(answer.verdicts.begin(), answer.verdicts.end(), [](const Verdict& v) {
           return v.outcome == Outcome::applied || v.outcome == Outcome::rejected;
         });
}

}  // namespace

Course::Course(const Plan& plan, Writer& writer_, Ledger& ledger_, const RetryPolicy& policy_, Clock& clock_,
               Progress& progress_, const Cancel& cancel)
    : limits(bounded(writer_.limits())),
      policy(policy_),
      unsafe(plan.definition.mode == Mode::insert),
      writer(writer_),
      ledger(ledger_),
      clock(clock_),
      progress(progress_),
      queue(queue_capacity(limits)),
      accounts(plan.counts.planned(), "sync." + plan.definition.sync, progress_),
      backoff(policy_, clock_, [this] { return stopping(); }),
      circuit(limits.workers_max, policy_.attempts_max,
              [this](int failed) { return clock.monotonic() + backoff.pause_after(failed + 1); }),
      plan_(plan),
      cancel_(cancel) {}

void Course::stop(const Error& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = reason;
  }
  stopped_ = true;
  queue.close(true);
}

void Course::tell(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) {
    {
      const std::lock_guard lock(mutex_);
      if (!told_.insert(note).second) continue;
    }
    progress.note(fmt::format("sync {}: {}", sync(), redact(note)));
  }
}

std::optional<Error> Course::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Worker::work() {
  while (auto batch = course_.queue.pop()) {
    pieces_.push_back(std::move(*batch));
    while (!pieces_.empty()) {
      Batch piece = std::move(pieces_.back());
      pieces_.pop_back();
      if (auto rest = attempt(piece)) pieces_.push_back(std::move(*rest));
    }
  }
}

// Sends a piece once. Halves go to pieces_; what is to be tried again is returned, after the wait.
std::optional<Batch> Worker::attempt(Batch& piece) {
  Circuit::Entry entry;
  if (!wait_for_turn(entry) || (course_.unsafe && !intend(piece))) {
    course_.circuit.leave(entry);
    abandon(piece);
    return std::nullopt;
  }
  auto answer = send(piece);
  if (!answer) return std::nullopt;
  course_.tell(answer->notes);
  const bool held_back = answer->held_back && all_retry(*answer);
  if (held_back)
    course_.circuit.leave(entry);
  else
    piece.count_attempt();
  const bool counted = !held_back && counts(entry, piece, *answer);
  if (answer->refused_whole && piece.size() > 1) {
    halve(piece);
    return std::nullopt;
  }
  if (answer->verdicts.size() != piece.size()) {
    lose(piece, Error("sync.verdict_count",
                      fmt::format("the connector gave {} verdicts for {} rows", answer->verdicts.size(),
                                  piece.size()),
                      "its rows are in doubt; please report this"));
    return std::nullopt;
  }
  return sort_out(piece, *answer, counted);
}

// False when the delivery is stopping.
bool Worker::wait_for_turn(Circuit::Entry& entry) {
  for (;;) {
    course_.backoff.wait_while_held();
    if (course_.stopping()) return false;
    entry = course_.circuit.enter(course_.clock.monotonic());
    if (entry.allowed) return true;
    course_.backoff.sleep_until(entry.until);
  }
}

std::optional<Answer> Worker::send(Batch& piece) {
  try {
    course_.accounts.request();
    return course_.writer.deliver(piece.changes);
  } catch (const Error& error) {
    course_.stop(error);
    abandon(piece);  // by contract nothing of it was applied
  } catch (const std::exception& error) {
    lose(piece, Error("sync.connector_failed", fmt::format("the connector failed: {}", redact(error.what())),
                      "its rows are in doubt; please report this"));
  }
  return std::nullopt;
}

bool Worker::counts(const Circuit::Entry& entry, const Batch& piece, const Answer& answer) {
  if (anybody_answered(answer)) {
    course_.circuit.answered();
    return true;
  }
  const auto finding = course_.circuit.unanswered(entry, piece.changes.front().number);
  if (finding == Circuit::Finding::hopeless) {
    const Verdict last = answer.verdicts.empty() ? Verdict() : answer.verdicts.back();
    course_.stop(Error(
        "sync.destination_unavailable",
        fmt::format("{} answered nobody in {} tries with growing pauses (last: {} {})", course_.destination(),
                    course_.policy.attempts_max, last.code, redact(last.message)),
        "what was not taken goes out with the next run"));
  }
  return finding == Circuit::Finding::attempt;
}

// False when the intent could not be made durable: then nothing may leave.
bool Worker::intend(const Batch& piece) {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(piece.size());
  for (const Change& change : piece.changes) numbers.push_back(change.number);
  try {
    course_.ledger.intend(numbers);
    return true;
  } catch (const Error& error) {
    course_.stop(error);
    return false;
  }
}

// False when the verdicts could not be made durable: then nobody may believe them.
bool Worker::record(const std::vector<RowVerdict>& verdicts) {
  try {
    course_.ledger.record(verdicts);
    return true;
  } catch (const Error& error) {
    course_.stop(error);
    return false;
  }
}

// The first half goes next, the second one after it: while they are in pieces_, nobody else has their keys.
void Worker::halve(Batch& piece) {
  if (course_.unsafe) {
    std::vector<RowVerdict> known;
    for (std::size_t i = 0; i < piece.size(); ++i) known.push_back(piece.verdict(i, RowFate::not_applied));
    record(known);
  }
  auto [first, second] = piece.halve();
  pieces_.push_back(std::move(second));
  pieces_.push_back(std::move(first));
}

std::optional<Batch> Worker::sort_out(Batch& piece, Answer& answer, bool counted) {
  std::vector<RowVerdict> settled;
  settled.reserve(piece.size());
  Batch again;
  bool answered = false;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    Verdict& v = answer.verdicts[i];
    if (v.outcome == Outcome::applied) {
      RowVerdict& last = settled.emplace_back(piece.verdict(i, RowFate::applied));
      last.created = v.created;
      last.destination_id = std::move(v.destination_id);
      answered = true;
      continue;
    }
    Past& past = piece.past(i);
    past.code = v.code;
    past.message = redact(v.message);
    if (v.outcome == Outcome::rejected) {
      // After a lost answer the record may differ from the snapshot, whatever this answer says.
      settled.push_back(piece.verdict(i, past.doubtful ? RowFate::in_doubt : RowFate::rejected));
      answered = true;
    } else if (v.outcome == Outcome::in_doubt && course_.unsafe) {
      settled.push_back(piece.verdict(i, RowFate::in_doubt));
    } else {
      past.doubtful = past.doubtful || v.outcome == Outcome::in_doubt;
      if (course_.unsafe) settled.push_back(piece.verdict(i, RowFate::not_applied));
      again.add(std::move(piece.changes[i]), std::move(past));
    }
  }
  settle(settled);
  if (answered) course_.given_up_in_a_row = 0;
  if (again.size() == 0) return std::nullopt;
  again.attempt = piece.attempt + (counted ? 1 : 0);
  return again_later(std::move(again), answer);
}

std::optional<Batch> Worker::again_later(Batch again, const Answer& answer) {
  if (answer.retry_after) {  // holds for everybody, also when this batch has no attempt left
    const auto held = course_.backoff.hold(*answer.retry_after);
    if (held.news && held.wait >= worth_a_note)
      course_.progress.note(fmt::format("sync {}: {} asks to wait {} s", course_.sync(),
                                        course_.destination(),
                                        std::chrono::ceil<std::chrono::seconds>(held.wait).count()));
  }
  if (again.attempt >= course_.policy.attempts_max) {
    give_up(again);
    return std::nullopt;
  }
  if (!answer.retry_after) course_.backoff.sleep_for(course_.backoff.pause_after(std::max(1, again.attempt)));
  return again;
}

void Worker::give_up(const Batch& batch) {
  std::vector<RowVerdict> settled;
  for (std::size_t i = 0; i < batch.size(); ++i)
    settled.push_back(batch.verdict(i, batch.known(i).doubtful ? RowFate::in_doubt : RowFate::gave_up));
  settle(settled);
  // A destination that takes nothing (throttles for ever) is left alone; a single row that never gets through
  // does not stop the others.
  const Past last = batch.known(batch.size() - 1);
  if (++course_.given_up_in_a_row > course_.limits.workers_max + 1)
    course_.stop(Error(
        "sync.destination_unavailable",
        fmt::format("{} took no row of {} batches in {} attempts each (last: {} {})", course_.destination(),
                    course_.given_up_in_a_row.load(), course_.policy.attempts_max, last.code, last.message),
        "what was not taken goes out with the next run"));
}

// The run is ending: rows that were tried are given up (or in doubt), the others were never sent.
void Worker::abandon(const Batch& batch) {
  std::vector<RowVerdict> settled, untouched;
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (batch.known(i).attempts > 0)
      settled.push_back(batch.verdict(i, batch.known(i).doubtful ? RowFate::in_doubt : RowFate::gave_up));
    else if (course_.unsafe)  // its intent may stand in the ledger; nothing came of it
      untouched.push_back(batch.verdict(i, RowFate::not_applied));
  settle(settled);
  if (!settled.empty()) course_.cut_short();
  record(untouched);
}

void Worker::lose(Batch& batch, const Error& reason) {
  course_.stop(reason);
  std::vector<RowVerdict> settled;
  batch.count_attempt();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch.past(i).code = reason.code();
    batch.past(i).message = reason.message();
    settled.push_back(batch.verdict(i, RowFate::in_doubt));
  }
  settle(settled);
}

}  // namespace eddy::sync
