// A writer whose rows may go as a job: it makes the files, and the desk (job_desk.h) carries the jobs out.
// What is no job, for instance removals where only writing is one, goes to another writer; but first the desk
// is asked whether a job of a former run has answered already.
#pragma once

#include <memory>

#include "connectors/declarative/job_desk.h"
#include "connectors/declarative/writer.h"

namespace eddy::connectors {

class JobWriter final : public sync::Writer {
 public:
  // `write` and `remove` (nullptr: removals are not sent) belong to `spec`; `other` takes what is no job.
  JobWriter(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session, std::shared_ptr<JobDesk> desk,
            sync::Delivery delivery, const OperationSpec& write, const OperationSpec* remove,
            std::unique_ptr<sync::Writer> other);

  sync::Limits limits() const override;
  sync::Answer deliver(std::span<const Change> changes) override;
  std::vector<std::string> preview(std::span<const Change> changes) override;
  // The job is on disk before its rows are processed, so that another run asks instead of sending again.
  bool inserts_are_repeatable() const override;
  void finish() override;

 private:
  // What goes to the service: for one job.
  struct Load {
    Content create, upload;
    std::vector<std::size_t> place;  // of its rows, in the changes
    std::vector<Verdict> verdicts;   // of all changes; those that cannot be sent are filled in
    std::size_t bytes = 0;
  };
  const OperationSpec* job_for(std::span<const Change> changes) const;  // nullptr: no job
  Load load(const OperationSpec& operation, std::span<const Change> changes) const;
  sync::Answer send(const OperationSpec& operation, std::span<const Change> changes);
  std::optional<nlohmann::json> constant(std::string_view name) const;

  std::shared_ptr<const Spec> spec_;
  std::shared_ptr<Session> session_;
  std::shared_ptr<JobDesk> desk_;
  sync::Delivery delivery_;
  const OperationSpec& write_;
  const OperationSpec* remove_;
  DeclarativeWriter bodies_;  // of operations whose rows are no file
  std::unique_ptr<sync::Writer> other_;
  Options options_;
};

}  // namespace eddy::connectors
