// Bulk API 2.0 ingest jobs. A job does its work when it is closed; each poll then moves it one state on
// (UploadComplete → InProgress → JobComplete), so a test decides how long it takes.
#pragma once

#include <map>

#include "sandbox/csv.h"
#include "sandbox/salesforce/records.h"

namespace eddy::sandbox::salesforce {

constexpr std::chrono::days jobs_kept_for{7};
constexpr std::size_t multipart_characters_max = 100'000;
// COMMA, TAB, … and the character each stands for.
const std::map<std::string, char>& csv_delimiters();

// How the result files misbehave.
struct BulkFaults {
  bool shuffle = true;          // result rows in another order than the upload
  bool missing_row = false;     // one row is in none of the files, and was not written
  bool failed_partial = false;  // the job ends as Failed with half of its rows written
};

struct Job {
  std::string id{}, operation{}, key{}, line_ending = "LF", delimiter = "COMMA", version{};
  const Object* object = nullptr;
  std::string state = "Open";
  bool uploaded = false, ends_failed = false;
  std::string upload{}, error_message{};
  std::string successful{}, failed{}, unprocessed{};  // CSV files
  std::size_t processed = 0, failures = 0;
  Clock::WallTime created{};

  Json to_json() const;
  bool ended() const { return state == "JobComplete" || state == "Failed" || state == "Aborted"; }
};

class Bulk {
 public:
  Bulk(Records& records, Store& store, Clock& clock) : records_(records), store_(store), clock_(clock) {}

  // All return the answer of the call; `effect` gets the rows when they are written.
  Reply create(const Json& body, const std::string& version, Effect& effect);
  // Job and rows in one call; the job is closed by it.
  template <class ShuffleRows>
  Reply create_with_rows(const Json& body, const std::string& rows, const std::string& version,
                         BulkFaults faults, Effect& effect, ShuffleRows shuffle) {
    Reply answer = create(body, version, effect);
    if (answer.status != 200) return answer;
    Job& job = jobs_.at(text_of(Json::parse(answer.body)["id"]));
    job.upload = rows;
    job.uploaded = true;
    job.state = "UploadComplete";
    run(job, faults, effect, shuffle);
    return json_reply(200, job.to_json());
  }
  Reply list(const std::string& version, const std::string& locator) const;
  Reply upload(const std::string& id, const IncomingRequest& request);
  template <class ShuffleRows>
  Reply change_state(const std::string& id, const Json& body, BulkFaults faults, Effect& effect,
                     ShuffleRows shuffle) {
    Reply refusal;
    Job* job = closing(id, body, refusal);
    if (job == nullptr) return refusal;
    run(*job, faults, effect, shuffle);
    return json_reply(200, job->to_json());
  }
  Reply poll(const std::string& id);
  Reply result(const std::string& id, const std::string& file);
  Reply remove(const std::string& id);
  void clear() { jobs_.clear(); }

 private:
  using ShuffleLines = std::function<void(std::vector<std::string>&)>;
  Job* find(const std::string& id);  // nullptr: unknown, or older than seven days
  Job* closing(const std::string& id, const Json& body, Reply& refusal);
  void run(Job& job, BulkFaults faults, Effect& effect, const ShuffleLines& shuffle);
  std::string problem_of(const Job& job, const Csv& csv) const;
  RowResult write_row(const Job& job, Draft& draft, const Json& fields);
  Draft draft_row(const Job& job, const Csv& csv, const CsvRow& row, Json& fields);

  Records& records_;
  Store& store_;
  Clock& clock_;
  std::map<std::string, Job> jobs_;
};

// A page of a list of jobs: {done, records, nextRecordsUrl}; `path` is that of the list.
Reply job_page(const std::vector<Json>& jobs, const std::string& path, const std::string& locator);
Reply error_reply(int status, const std::string& code, const std::string& message,
                  const std::vector<std::string>& fields = {});  // [{message, errorCode, fields?}]

}  // namespace eddy::sandbox::salesforce
