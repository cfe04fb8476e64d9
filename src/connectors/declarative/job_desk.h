// The jobs of one sync: those of this run, and those that a former run left behind when it was killed.
//
// A record of every job is on disk (jobs/<connection>/<sync>/<n>.job) before its next step. The first
// delivery of a run takes over what is there: a job that was not closed is aborted and forgotten, a closed
// one is polled to its end before anything is sent. A row that comes again with the same content is answered
// from its job; a row that comes with other content is struck out of the record, durably, before that content
// is sent: otherwise a third run, with the first content again, would believe an answer that is no longer
// true.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "connectors/declarative/job_record.h"
#include "connectors/declarative/job_run.h"
#include "sync/destination.h"

namespace eddy::connectors {

// Shared by the writers of a sync. Thread-safe.
class JobDesk {
 public:
  // `folder`: where the records of this sync are; empty: they are kept in memory only. `options`: the sync's.
  JobDesk(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session, std::filesystem::path folder,
          Options options = {});

  // A former run left records.
  bool has_records() const;

  // Answers from former jobs what they know, and gives the rest to `send`, which is called at most once.
  // Throws what the session throws, as long as nothing was sent.
  using Send = std::function<sync::Answer(std::span<const Change>)>;
  sync::Answer deliver(std::span<const Change> changes, const sync::Delivery& delivery, const Send& send);

  // Carries out a new job. `record` has the operation and the rows; `rows` verdicts come back, in their
  // order.
  struct Done {
    std::vector<Verdict> verdicts;
    bool refused_whole = false;
    bool held_back = false;
    std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
  };
  Done carry_out(JobRecord record, const Content& create, const Content& upload);

  // Sees former jobs to their end and removes the records of all that have ended.
  void finish();

 private:
  struct Job {
    JobRecord record;
    std::filesystem::path file;
    bool former = false;
    bool ended = false;             // there are verdicts
    std::vector<Verdict> verdicts;  // in_doubt: nobody can tell
  };
  using JobPointer = std::shared_ptr<Job>;
  struct Place {
    JobPointer job;
    std::size_t row = 0;
  };
  struct DigestHash {
    std::size_t operator()(const Digest& digest) const { return digest.bits[0]; }
  };

  void load();
  void add(const JobPointer& job);  // to the index
  void forget(const JobPointer& job);
  void keep(const Job& job) const;
  void remove_file(const Job& job) const;
  // nullopt: all former jobs have ended. Otherwise why not.
  std::optional<Refusal> take_over();
  // Sees a job to its end; nullopt: it has not ended yet. Empty: nothing was processed, and it is forgotten.
  std::optional<std::vector<Verdict>> settle(const JobPointer& job, Refusal& why);
  std::optional<JobRun> run_of(const JobRecord& record) const;
  std::vector<Place> places(const Digest& key) const;
  // What the jobs know of a change; nullopt: it is to be sent. Rows of other content are struck out; their
  // jobs go to `rewritten`.
  std::optional<Verdict> known(const Change& change, const sync::Delivery& delivery,
                               const std::string& content_scope, std::vector<JobPointer>& rewritten);

  std::shared_ptr<const Spec> spec_;
  std::shared_ptr<Session> session_;
  std::filesystem::path folder_;
  Options options_;
  std::mutex taking_over_;
  bool loaded_ = false;             // guarded by taking_over_
  std::vector<JobPointer> former_;  // not ended; guarded by taking_over_
  mutable std::mutex mutex_;        // guards what follows
  std::size_t last_number_ = 0;
  std::vector<JobPointer> ended_;  // whose files go at the end
  std::unordered_multimap<Digest, Place, DigestHash> index_;
};

// The text by which a service echoes the key of a change.
std::string echoed_key(const Change& change, const Schema& key, const TransformSpec& transforms);
// The rows of a record. `place`: which of the changes they are.
std::vector<JobRow> job_rows(std::span<const Change> changes, std::span<const std::size_t> place,
                             const sync::Delivery& delivery, const TransformSpec& transforms,
                             const JobSpec& spec);

}  // namespace eddy::connectors
