// What the results of a job say about its rows, which are known by digests of their keys (job_record.h).
#pragma once

#include <string>
#include <vector>

#include "connectors/declarative/job_record.h"
#include "connectors/declarative/job_spec.h"
#include "connectors/declarative/outcome.h"
#include "connectors/declarative/row_answers.h"

namespace eddy::connectors {

// One thread; keeps references to all but the lookup.
class JobResults {
 public:
  // `last`: the reply to the last poll. `done`: the job did not end early.
  JobResults(const JobSpec& spec, const ErrorSpec& errors, const JobRecord& record, const Lookup& lookup,
             const Reply& last, bool done);

  // Reads one list. Returns why it cannot be used, for instance because half of it is missing; "" when it
  // can. A list may be added again.
  std::string add(const JobResultSpec& spec, const Reply& reply);
  // One per row of the record. `why` is filled when the job did nothing for a reason that is no row's fault
  // (class `config`).
  std::vector<Verdict> verdicts(Refusal& why);

 private:
  std::string add_file(const JobResultSpec& spec, const Reply& reply);

  const JobSpec& spec_;
  const ErrorSpec& errors_;
  const Reply& last_;
  bool done_;
  Lookup lookup_;
  std::string failure_;            // what the service says of a job that failed
  std::vector<RenderedRow> rows_;  // with nothing but the keys' digests
  RowAnswers answers_;
};

}  // namespace eddy::connectors
