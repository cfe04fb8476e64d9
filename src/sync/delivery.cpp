#include "sync/delivery.h"

#include <fmt/format.h>

#include <thread>

#include "sync/change_reader.h"
#include "sync/worker.h"

namespace eddy::sync {

namespace {

constexpr std::uint64_t intent_rows = 8'192;

// Into the queue, until all is in or the delivery is stopping.
void read_plan(engine::Connection& connection, const Plan& plan, Course& course) {
  const std::uint64_t rows = plan.counts.planned();
  ChangeReader reader(connection, plan, 0, rows);
  BatchCutter cutter(course.limits);
  std::uint64_t intended = 0;
  while (!course.stopping()) {
    std::vector<Change> window = reader.next();
    if (window.empty()) {
      if (auto batch = cutter.rest()) course.queue.push(std::move(*batch));
      return;
    }
    // For rows that may be repeated it is enough to know, some thousands at a time, which may have left.
    while (!course.unsafe && intended <= window.back().number) {
      course.ledger.intend(intended, std::min(intent_rows, rows - intended));
      intended += intent_rows;
    }
    for (Change& change : window)
      if (auto batch = cutter.take(std::move(change)))
        if (!course.queue.push(std::move(*batch))) return;
  }
}

DeliveryEnd end(const Course& course, Writer& writer) {
  DeliveryEnd out{course.accounts.close(course.sync()), false, course.failure()};
  if (out.failure) return out;
  out.interrupted = course.cancelled() && (out.tally.not_sent > 0 || course.was_cut_short());
  if (out.interrupted) return out;
  if (out.tally.not_sent > 0)
    throw Error(
        "sync.unreconciled",
        fmt::format("sync {}: {} planned rows were never taken up", course.sync(), out.tally.not_sent),
        "please report this");
  try {
    writer.finish();
  } catch (const Error& error) {
    out.failure = error;
  }
  return out;
}

}  // namespace

DeliveryEnd deliver(engine::Connection& connection, const Plan& plan, Writer& writer, Ledger& ledger,
                    const RetryPolicy& policy, Clock& clock, Progress& progress, const Cancel& cancel) {
  Course course(plan, writer, ledger, policy, clock, progress, cancel);
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < course.limits.workers_max; ++i)
      workers.emplace_back([&course] { Worker(course).work(); });
    try {
      read_plan(connection, plan, course);
    } catch (const Error& error) {
      course.stop(error);
    } catch (const std::exception& error) {
      course.stop(Error("sync.plan_unreadable", fmt::format("the plan cannot be read: {}", error.what()),
                        "run again; what was delivered is recorded"));
    }
    course.queue.close(course.stopping());
  }
  DeliveryEnd out = end(course, writer);
  if (!out.failure || out.failure->code() != "sync.ledger_unwritable") ledger.end();
  ledger.close();
  out.tally.groups = ledger.groups();
  return out;
}

}  // namespace eddy::sync
