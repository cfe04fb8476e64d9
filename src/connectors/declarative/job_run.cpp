#include "connectors/declarative/job_run.h"

#include <fmt/format.h>

#include "connectors/declarative/job_results.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;
using std::chrono::milliseconds;

namespace {

// A job that is found open is closed so often.
constexpr int closings_max = 5;
// Results that cannot be read are asked for so often.
constexpr int unreadable_max = 8;

bool succeeds(const Reply& reply, const Predicate& when) {
  return when.given() ? when.holds(reply) : reply.success_status();
}

bool any_success(const Reply& reply) { return reply.success_status(); }

std::string text_of(const Reply& reply, const std::string& pointer) {
  const json* value = reply.json ? at(*reply.json, pointer) : nullptr;
  return value == nullptr || !value->is_primitive() || value->is_null() ? std::string() : plain_text(*value);
}

// Of a step before anything was processed.
JobBegun not_begun(const Called& called, bool carried_rows) {
  JobBegun out;
  const Refusal& refusal = called.refusal;
  out.wait = refusal.wait;
  out.held_back = called.kind == Called::Kind::held;
  if (called.kind == Called::Kind::lost && carried_rows) {
    out.verdict = Verdict::in_doubt(refusal.code, refusal.message);
  } else if (called.kind == Called::Kind::refused && refusal.error_class == ErrorClass::row) {
    out.verdict = Verdict::rejected(refusal.code, refusal.message);
    out.refused_whole = true;
  } else {
    out.verdict = Verdict::retry(refusal.code, refusal.message);
  }
  return out;
}

}  // namespace

JobRun::JobRun(const OperationSpec& operation, Session& session, Lookup constant)
    : operation_(operation), spec_(*operation.job), session_(session), constant_(std::move(constant)) {}

Lookup JobRun::lookup(const JobRecord& record) const {
  return [this, &record](std::string_view name) -> std::optional<json> {
    if (name == "job.id") return json(record.id);
    return constant_(name);
  };
}

JobBegun JobRun::begin(JobRecord& record, const Content& create, const Content& upload,
                       const std::function<void()>& keep) {
  const bool carries_rows = !spec_.upload;
  record.step = JobRecord::Step::creating;
  if (carries_rows) keep();
  // An open job without rows is harmless, so that it does not matter when the answer is lost.
  const Called created = session_.call(
      operation_.request, create, lookup(record),
      [&](const Reply& reply) { return succeeds(reply, spec_.success_when); }, operation_.errors,
      !carries_rows || operation_.idempotent);
  if (created.kind != Called::Kind::answered) return not_begun(created, carries_rows);
  record.id = text_of(*created.reply, spec_.id);
  if (record.id.empty()) {
    Called unreadable;
    unreadable.refusal = {ErrorClass::unsure, "unreadable_reply", "the reply does not name the job",
                          std::nullopt};
    return not_begun(unreadable, carries_rows);
  }
  if (carries_rows) {
    record.step = JobRecord::Step::closed;
    keep();
    return {.closed = true};
  }
  record.step = JobRecord::Step::open;
  keep();
  const Called uploaded =
      session_.call(*spec_.upload, upload, lookup(record), any_success, operation_.errors, true);
  if (uploaded.kind != Called::Kind::answered) {
    abort(record);
    return not_begun(uploaded, false);
  }
  if (spec_.close) {
    record.step = JobRecord::Step::closing;
    keep();
    const json body = spec_.close->body.empty() ? json() : spec_.close->body.render(lookup(record), 0, {});
    // Whatever comes of it: the first poll tells.
    session_.call(*spec_.close, encode(*spec_.close, body), lookup(record), any_success, operation_.errors,
                  true);
  }
  return {.closed = true};
}

bool JobRun::pause(Clock::MonotonicTime deadline, Refusal& why) {
  Clock& clock = session_.clock();
  if (clock.monotonic() + interval_ > deadline) {
    why = {ErrorClass::retry, "job_running",
           why.message.empty() ? "the service has not ended the job in time" : why.message, std::nullopt};
    return false;
  }
  const auto until = clock.monotonic() + interval_;
  while (clock.monotonic() < until) {
    if (session_.cancel().requested()) {
      why = {ErrorClass::retry, "cancelled", "the job goes on at the service; the next run looks it up",
             std::nullopt};
      return false;
    }
    clock.sleep_for(std::min<std::chrono::nanoseconds>(until - clock.monotonic(), milliseconds{100}));
  }
  interval_ = std::min(interval_ + interval_ / 2, spec_.interval_max);
  return true;
}

JobEnd JobRun::wait(const JobRecord& record, bool close_again, std::vector<Verdict>& verdicts, Refusal& why) {
  interval_ = spec_.interval;
  why = {};
  const auto deadline = session_.clock().monotonic() + spec_.timeout;
  const auto missing = [&](const Reply& reply) {
    return spec_.missing_when.given() && spec_.missing_when.holds(reply);
  };
  for (int closings = 0;;) {
    if (!pause(deadline, why)) return JobEnd::not_yet;
    const Called polled = session_.call(
        spec_.poll, Content(), lookup(record),
        [&](const Reply& reply) { return missing(reply) || succeeds(reply, spec_.success_when); },
        operation_.errors, true);
    if (polled.kind != Called::Kind::answered) {
      why = polled.refusal;
      if (why.wait) interval_ = std::max(interval_, *why.wait);
      continue;
    }
    const Reply& reply = *polled.reply;
    if (missing(reply)) return JobEnd::vanished;
    const auto state = spec_.states.find(text_of(reply, spec_.state));
    if (state == spec_.states.end() || state->second == JobState::running) continue;
    if (state->second == JobState::open) {
      why = {ErrorClass::retry, "job_open", "the service did not take the end of the job's upload",
             std::nullopt};
      if (!close_again || !spec_.close || ++closings > closings_max) return JobEnd::never_closed;
      const json body = spec_.close->body.empty() ? json() : spec_.close->body.render(lookup(record), 0, {});
      session_.call(*spec_.close, encode(*spec_.close, body), lookup(record), any_success, operation_.errors,
                    true);
      continue;
    }
    interval_ = spec_.interval;
    for (int unreadable = 0; !read_results(record, reply, state->second == JobState::done, verdicts, why);) {
      if (why.code == "unreadable_results" && ++unreadable == unreadable_max) return JobEnd::not_yet;
      if (why.wait) interval_ = std::max(interval_, *why.wait);
      if (!pause(deadline, why)) return JobEnd::not_yet;
    }
    return JobEnd::answered;
  }
}

bool JobRun::read_results(const JobRecord& record, const Reply& last, bool done,
                          std::vector<Verdict>& verdicts, Refusal& why) {
  JobResults results(spec_, operation_.errors, record, lookup(record), last, done);
  for (const JobResultSpec& result : spec_.results) {
    if (result.when.given() && !result.when.holds(last)) continue;
    if (!result.request) {
      results.add(result, last);
      continue;
    }
    const Called called =
        session_.call(*result.request, Content(), lookup(record), any_success, operation_.errors, true);
    if (called.kind != Called::Kind::answered) {
      why = called.refusal;
      return false;
    }
    if (const std::string problem = results.add(result, *called.reply); !problem.empty()) {
      why = {ErrorClass::retry, "unreadable_results", problem, std::nullopt};
      return false;
    }
  }
  why = {};
  verdicts = results.verdicts(why);
  return true;
}

void JobRun::abort(const JobRecord& record) noexcept {
  if (!spec_.abort || record.id.empty()) return;
  try {
    const json body = spec_.abort->body.empty() ? json() : spec_.abort->body.render(lookup(record), 0, {});
    session_.call(*spec_.abort, encode(*spec_.abort, body), lookup(record), any_success, operation_.errors,
                  true);
  } catch (const std::exception&) {
    // Left open, it does nothing and ends by itself.
  }
}

}  // namespace eddy::connectors
