#include "sync/delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>

#include "core/secrets.h"

namespace eddy::sync {

namespace {

constexpr std::size_t batch_rows_unlimited =
    20'000;  // what "no limit" means here: memory is bounded all the same
constexpr std::size_t batch_bytes_unlimited = 16u << 20;
constexpr std::size_t workers_unlimited = 8;
constexpr std::size_t window_rows = 8'192;  // read at a time; one intent is made durable for each
constexpr std::chrono::milliseconds look_up_every{100};  // at Ctrl-C, while waiting

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

// What is known of a row that has left before.
struct Past {
  std::uint32_t attempts = 0;
  bool doubtful = false;  // an earlier answer was lost: it may have been applied
  std::string code, message;
};

// Rows that go out together.
struct Batch {
  std::vector<Change> changes;
  std::vector<Past> past;  // one per change
  int attempt = 0;

  void add(Change change, Past known = {}) {
    changes.push_back(std::move(change));
    past.push_back(std::move(known));
  }
};

// Bounded; closed by the reader when all is in, or by stop().
class Queue {
 public:
  explicit Queue(std::size_t capacity) : capacity_(capacity) {}
  bool push(Batch batch) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || waiting_.size() < capacity_; });
    if (closed_) return false;
    waiting_.push_back(std::move(batch));
    filled_.notify_one();
    return true;
  }
  std::optional<Batch> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return std::nullopt;
    Batch batch = std::move(waiting_.front());
    waiting_.pop_front();
    room_.notify_one();
    return batch;
  }
  void close(bool drop_waiting) {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    if (drop_waiting) waiting_.clear();
    filled_.notify_all();
    room_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable room_, filled_;
  std::deque<Batch> waiting_;
  std::size_t capacity_;
  bool closed_ = false;
};

class Delivering {
 public:
  Delivering(const Plan& plan, Writer& writer, Ledger& ledger, const RetryPolicy& policy, Clock& clock,
             Progress& progress, const Cancel& cancel)
      : plan_(plan),
        writer_(writer),
        ledger_(ledger),
        policy_(policy),
        clock_(clock),
        progress_(progress),
        cancel_(cancel),
        node_("sync." + plan.definition.sync),
        unsafe_(plan.definition.mode == Mode::insert),
        limits_(bounded(writer.limits())),
        queue_(limits_.workers_max),
        random_(policy.seed) {
    tally_.planned = plan.counts.planned();
  }

  DeliveryEnd run(engine::Connection& connection) {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < limits_.workers_max; ++i) workers.emplace_back([this] { work(); });
    std::optional<Error> unreadable;
    try {
      read_plan(connection);
    } catch (const Error& error) {
      unreadable = error;
      stop(error);
    } catch (const std::exception& error) {
      unreadable = Error("sync.plan_unreadable", fmt::format("the plan cannot be read: {}", error.what()),
                         "run again; what was delivered is recorded");
      stop(*unreadable);
    }
    queue_.close(stopping());
    workers.clear();
    return end(unreadable);
  }

 private:
  static Limits bounded(Limits limits) {
    if (limits.batch_rows_max == 0) limits.batch_rows_max = batch_rows_unlimited;
    if (limits.batch_bytes_max == 0) limits.batch_bytes_max = batch_bytes_unlimited;
    if (limits.workers_max == 0) limits.workers_max = workers_unlimited;
    return limits;
  }

  bool stopping() const { return stopped_.load() || cancel_.requested(); }

  void stop(const Error& reason) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = reason;
    stopped_ = true;
    queue_.close(true);
  }

  void read_plan(engine::Connection& connection) {
    Batch batch;
    std::size_t bytes = 0;
    for (std::uint64_t at = 0; at < tally_.planned && !stopping(); at += window_rows) {
      std::vector<Change> window = changes(connection, plan_, at, window_rows);
      // For rows that may be repeated it is enough to know, window by window, which may have left.
      if (!unsafe_ && !window.empty()) ledger_.intend(window.front().number, window.size());
      for (Change& change : window) {
        const std::size_t size = text_size(change);
        const bool other_kind =
            !batch.changes.empty() &&
            (change.operation == Operation::remove) != (batch.changes.back().operation == Operation::remove);
        if (!batch.changes.empty() && (other_kind || batch.changes.size() == limits_.batch_rows_max ||
                                       bytes + size > limits_.batch_bytes_max)) {
          if (!queue_.push(std::exchange(batch, {}))) return;
          bytes = 0;
        }
        bytes += size;
        batch.add(std::move(change));
      }
    }
    if (!batch.changes.empty() && !stopping()) queue_.push(std::move(batch));
  }

  void work() {
    while (auto batch = queue_.pop()) {
      std::vector<Batch> pieces;  // the last one is next
      pieces.push_back(std::move(*batch));
      while (!pieces.empty()) {
        Batch piece = std::move(pieces.back());
        pieces.pop_back();
        if (auto rest = attempt(piece, pieces)) pieces.push_back(std::move(*rest));
      }
    }
  }

  // Sends a piece once. Halves go to `pieces`; what is to be tried again is returned, after the wait.
  std::optional<Batch> attempt(Batch& piece, std::vector<Batch>& pieces) {
    wait_until_allowed();
    if (stopping() || (unsafe_ && !intend(piece))) {
      abandon(piece);
      return std::nullopt;
    }
    Answer answer;
    try {
      ++requests_;
      answer = writer_.deliver(piece.changes);
    } catch (const Error& error) {
      stop(error);
      abandon(piece);  // by contract nothing of it was applied
      return std::nullopt;
    } catch (const std::exception& error) {
      lose(piece,
           Error("sync.connector_failed", fmt::format("the connector failed: {}", redact(error.what())),
                 "its rows are in doubt; please report this"));
      return std::nullopt;
    }
    for (Past& past : piece.past) ++past.attempts;
    if (answer.refused_whole && piece.changes.size() > 1) {
      halve(piece, pieces);
      return std::nullopt;
    }
    if (answer.verdicts.size() != piece.changes.size()) {
      lose(piece, Error("sync.verdict_count",
                        fmt::format("the connector gave {} verdicts for {} rows", answer.verdicts.size(),
                                    piece.changes.size()),
                        "its rows are in doubt; please report this"));
      return std::nullopt;
    }
    return sort_out(piece, answer);
  }

  // False when the intent could not be made durable: then nothing may leave.
  bool intend(const Batch& piece) {
    std::vector<std::uint64_t> numbers;
    for (const Change& change : piece.changes) numbers.push_back(change.number);
    try {
      ledger_.intend(numbers);
      return true;
    } catch (const Error& error) {
      stop(error);
      return false;
    }
  }

  // False when the verdicts could not be made durable: then nobody may believe them.
  bool record(const std::vector<RowVerdict>& verdicts) {
    try {
      ledger_.record(verdicts);
      return true;
    } catch (const Error& error) {
      stop(error);
      return false;
    }
  }

  void halve(Batch& piece, std::vector<Batch>& pieces) {
    std::vector<RowVerdict> known;
    if (unsafe_)
      for (std::size_t i = 0; i < piece.changes.size(); ++i)
        known.push_back(verdict(piece, i, RowFate::not_applied));
    record(known);
    Batch first, second;
    const std::size_t middle = piece.changes.size() / 2;
    for (std::size_t i = 0; i < piece.changes.size(); ++i)
      (i < middle ? first : second).add(std::move(piece.changes[i]), std::move(piece.past[i]));
    first.attempt = second.attempt = piece.attempt;
    pieces.push_back(std::move(second));
    pieces.push_back(std::move(first));
  }

  std::optional<Batch> sort_out(Batch& piece, Answer& answer) {
    std::vector<RowVerdict> settled;
    Batch again;
    for (std::size_t i = 0; i < piece.changes.size(); ++i) {
      Verdict& v = answer.verdicts[i];
      Past& past = piece.past[i];
      past.code = v.code;
      past.message = redact(v.message);
      if (v.outcome == Outcome::applied || v.outcome == Outcome::rejected) {
        RowVerdict final =
            verdict(piece, i, v.outcome == Outcome::applied ? RowFate::applied : RowFate::rejected);
        final.created = v.created;
        final.destination_id = std::move(v.destination_id);
        settled.push_back(std::move(final));
      } else if (v.outcome == Outcome::in_doubt && unsafe_) {
        settled.push_back(verdict(piece, i, RowFate::in_doubt));
      } else {
        past.doubtful = past.doubtful || v.outcome == Outcome::in_doubt;
        if (unsafe_) settled.push_back(verdict(piece, i, RowFate::not_applied));
        again.add(std::move(piece.changes[i]), std::move(past));
      }
    }
    const bool answered = std::any_of(settled.begin(), settled.end(),
                                      [](const RowVerdict& v) { return v.fate <= RowFate::rejected; });
    settle(settled);
    if (answered) fruitless_ = 0;
    if (again.changes.empty()) return std::nullopt;
    again.attempt = piece.attempt + 1;
    if (again.attempt >= policy_.attempts_max) {
      give_up(again);
      return std::nullopt;
    }
    back_off(again.attempt, answer.retry_after);
    return again;
  }

  static RowVerdict verdict(const Batch& piece, std::size_t i, RowFate fate) {
    const Past& past = piece.past[i];
    const bool quiet = fate == RowFate::applied;
    return {piece.changes[i].number,   fate, false, past.attempts, quiet ? "" : past.code,
            quiet ? "" : past.message, {}};
  }

  void give_up(const Batch& batch) {
    std::vector<RowVerdict> settled;
    for (std::size_t i = 0; i < batch.changes.size(); ++i)
      settled.push_back(verdict(batch, i, batch.past[i].doubtful ? RowFate::in_doubt : RowFate::gave_up));
    settle(settled);
    // A destination that answers nobody is left alone; a single row that never gets through does not stop the
    // others.
    if (++fruitless_ > limits_.workers_max + 1)
      stop(Error("sync.destination_unavailable",
                 fmt::format("{} took no row of {} batches in {} attempts each (last: {} {})",
                             plan_.definition.destination, fruitless_.load(), policy_.attempts_max,
                             batch.past.back().code, batch.past.back().message),
                 "what was not taken goes out with the next run"));
  }

  // The run is ending: rows that were tried are given up (or in doubt), the others were never sent.
  void abandon(const Batch& batch) {
    std::vector<RowVerdict> settled;
    for (std::size_t i = 0; i < batch.changes.size(); ++i)
      if (batch.past[i].attempts > 0)
        settled.push_back(verdict(batch, i, batch.past[i].doubtful ? RowFate::in_doubt : RowFate::gave_up));
    settle(settled);
    cut_short_ = cut_short_ || !settled.empty();
    if (!unsafe_) return;
    std::vector<RowVerdict> untouched;  // their intent may stand in the ledger; nothing came of it
    for (std::size_t i = 0; i < batch.changes.size(); ++i)
      if (batch.past[i].attempts == 0) untouched.push_back(verdict(batch, i, RowFate::not_applied));
    record(untouched);
  }

  void lose(Batch& batch, const Error& reason) {
    stop(reason);
    std::vector<RowVerdict> settled;
    for (std::size_t i = 0; i < batch.changes.size(); ++i) {
      ++batch.past[i].attempts;
      batch.past[i].code = reason.code();
      batch.past[i].message = reason.message();
      settled.push_back(verdict(batch, i, RowFate::in_doubt));
    }
    settle(settled);
  }

  void settle(const std::vector<RowVerdict>& verdicts) {
    const bool durable = record(verdicts);
    std::uint64_t done = 0;
    {
      const std::lock_guard lock(mutex_);
      for (const RowVerdict& v : verdicts) {
        if (v.fate == RowFate::not_applied) continue;
        const RowFate fate = durable ? v.fate : RowFate::in_doubt;
        ++tally_.sent;
        tally_.applied += fate == RowFate::applied;
        tally_.created += fate == RowFate::applied && v.created;
        tally_.rejected += fate == RowFate::rejected;
        tally_.in_doubt += fate == RowFate::in_doubt;
        tally_.gave_up += fate == RowFate::gave_up;
      }
      done = tally_.sent;
    }
    if (!verdicts.empty()) progress_.advanced(node_, done);
  }

  void back_off(int attempt, std::optional<std::chrono::milliseconds> asked) {
    using std::chrono::milliseconds;
    milliseconds wait = policy_.backoff_max;
    if (attempt < 20) wait = std::min<milliseconds>(wait, policy_.backoff_first * (1LL << (attempt - 1)));
    if (asked) {
      // What the destination asks for holds for all workers.
      wait = std::clamp(*asked, milliseconds{0}, policy_.retry_after_max);
      const std::lock_guard lock(mutex_);
      not_before_ = std::max(not_before_, clock_.monotonic() + wait);
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      wait = wait / 2 + milliseconds(std::uniform_int_distribution<long long>(0, wait.count() / 2)(random_));
    }
    sleep_until(clock_.monotonic() + wait);
  }

  void wait_until_allowed() {
    for (;;) {
      Clock::MonotonicTime until;
      {
        const std::lock_guard lock(mutex_);
        until = not_before_;
      }
      if (clock_.monotonic() >= until || stopping()) return;
      sleep_until(until);
    }
  }

  void sleep_until(Clock::MonotonicTime until) {
    for (auto now = clock_.monotonic(); now < until && !stopping(); now = clock_.monotonic())
      clock_.sleep_for(std::min<std::chrono::nanoseconds>(until - now, look_up_every));
  }

  DeliveryEnd end(const std::optional<Error>& unreadable) {
    tally_.requests = requests_;
    DeliveryEnd out{tally_, false, failure_};
    out.tally.not_sent = out.tally.planned - std::min(out.tally.planned, out.tally.sent);
    if (unreadable) out.failure = unreadable;
    if (out.tally.applied + out.tally.rejected + out.tally.in_doubt + out.tally.gave_up +
            out.tally.not_sent !=
        out.tally.planned)
      throw Error("sync.unreconciled",
                  fmt::format("sync {}: {} rows were planned, but {} are accounted for",
                              plan_.definition.sync, out.tally.planned, out.tally.sent + out.tally.not_sent),
                  "please report this; the ledger keeps what is known");
    out.interrupted = !out.failure && cancel_.requested() && (out.tally.not_sent > 0 || cut_short_);
    if (!out.failure && !out.interrupted && out.tally.not_sent > 0)
      throw Error("sync.unreconciled",
                  fmt::format("sync {}: {} planned rows were never taken up", plan_.definition.sync,
                              out.tally.not_sent),
                  "please report this");
    if (out.failure) return out;
    if (!out.interrupted) try {
        writer_.finish();
      } catch (const Error& error) {
        out.failure = error;
      }
    return out;
  }

  const Plan& plan_;
  Writer& writer_;
  Ledger& ledger_;
  const RetryPolicy& policy_;
  Clock& clock_;
  Progress& progress_;
  const Cancel& cancel_;
  const std::string node_;
  const bool unsafe_;
  const Limits limits_;
  Queue queue_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> cut_short_{false};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::size_t> fruitless_{0};
  std::mutex mutex_;  // guards what follows
  Tally tally_;
  std::optional<Error> failure_;
  Clock::MonotonicTime not_before_{};
  std::mt19937_64 random_;
};

}  // namespace

DeliveryEnd deliver(engine::Connection& connection, const Plan& plan, Writer& writer, Ledger& ledger,
                    const RetryPolicy& policy, Clock& clock, Progress& progress, const Cancel& cancel) {
  DeliveryEnd end = Delivering(plan, writer, ledger, policy, clock, progress, cancel).run(connection);
  if (!end.failure || end.failure->code() != "sync.ledger_unwritable") ledger.end();
  ledger.close();
  end.tally.groups = ledger.groups();
  return end;
}

}  // namespace eddy::sync
