// `async_job` in connector.yml: the service takes rows as a job and tells later what became of them.
//
// The operation's own request creates the job; when there is no `upload`, it carries the rows. Then upload,
// close (until then nothing is processed), polls, and the lists that tell about rows.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/shape.h"
#include "connectors/declarative/spec.h"

namespace eddy::connectors {

enum class JobState {
  open,     // waits to be closed
  running,  // processed, or about to be
  done,
  failed,  // ended early: some rows may have been processed all the same
};

// A list that tells about rows: an answer of its own, or a part of the last poll's.
struct JobResultSpec {
  std::optional<RequestSpec> request;  // nullopt: the last poll's reply
  bool csv = false;                    // a file with a header; its rows are objects of texts
  Predicate when;                      // of the last poll's reply: there is such a list
  std::string count;                   // JSON pointer into the last poll's reply: how many rows the list has
  std::vector<RowsSpec> rows;
};

struct JobSpec {
  Predicate success_when;  // of the replies to create and poll; default: status 2xx
  std::string id;          // JSON pointer into the reply to create; afterwards {job.id}
  std::optional<RequestSpec> upload, close, abort;
  RequestSpec poll;
  std::chrono::milliseconds interval{2'000};       // before the first poll; grows by half each time
  std::chrono::milliseconds interval_max{30'000};  // up to this
  std::chrono::milliseconds timeout{std::chrono::hours{2}};
  std::string state;  // JSON pointer into the reply to poll
  std::map<std::string, JobState> states;
  Predicate missing_when;            // the job is not known any more
  std::vector<std::string> message;  // JSON pointers: why it failed
  std::string message_code_ends_at;  // what stands before this in it is a code for `errors`
  std::vector<JobResultSpec> results;
  bool missing_row_applied = false;  // of a job that is done: the results name only failures
  std::size_t running_max = 1;       // jobs at a time
};

config::Shape job_shape();
config::Shape csv_shape();

}  // namespace eddy::connectors
