// Takes one job through its steps at the service: create, upload, close, poll, results.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "connectors/declarative/job_record.h"
#include "connectors/declarative/job_spec.h"
#include "connectors/declarative/session.h"

namespace eddy::connectors {

// What came of beginning a job.
struct JobBegun {
  bool closed = false;  // the service has all of it; everything else is about jobs of which this is false
  // Of every row. in_doubt: the request that carried them got no answer.
  Verdict verdict = {};
  bool refused_whole = false;  // because of some row
  bool held_back = false;      // nothing left this machine
  std::optional<std::chrono::milliseconds> wait = std::nullopt;
};

enum class JobEnd {
  answered,      // there is a verdict for every row
  vanished,      // the service does not know the job any more: nobody can tell
  never_closed,  // the service still waits for it to be closed: nothing was processed
  not_yet,       // out of time, cancelled, or the service does not answer
};

// For one job, one thread at a time. Every call may throw what Session::call throws.
class JobRun {
 public:
  // `constant`: the values of placeholders that are the same for all rows.
  JobRun(const OperationSpec& operation, Session& session, Lookup constant);

  // `create` and `upload` (nothing, where create carries the rows) are the bodies. `keep` is called with the
  // record as it must be on disk, before each step that could otherwise be lost.
  JobBegun begin(JobRecord& record, const Content& create, const Content& upload,
                 const std::function<void()>& keep);
  // Polls a job that was closed, or may have been, and reads its results. `close_again`: one that turns out
  // to be open is closed; otherwise that is how it ends. `why` is filled for not_yet and never_closed, and
  // for a job that did nothing for a reason that is no row's fault (class `config`).
  JobEnd wait(const JobRecord& record, bool close_again, std::vector<Verdict>& verdicts, Refusal& why);
  // Tells the service to forget an open job. What it answers does not matter: an open job does nothing.
  void abort(const JobRecord& record) noexcept;

 private:
  Lookup lookup(const JobRecord& record) const;
  // True when there is a result; false when it is time to give up (`why`).
  bool read_results(const JobRecord& record, const Reply& last, bool done, std::vector<Verdict>& verdicts,
                    Refusal& why);
  bool pause(Clock::MonotonicTime deadline, Refusal& why);  // false: cancelled, or the deadline comes first

  const OperationSpec& operation_;
  const JobSpec& spec_;
  Session& session_;
  Lookup constant_;
  std::chrono::milliseconds interval_{0};
};

// The keys of such a job are known by digests of this text.
std::string marked_text(const JobSpec& spec, std::string key);

}  // namespace eddy::connectors
