// Bulk API 1.0 with JSON batches: older than the other one, and still what many clients use. Batches are
// worked through when they arrive and answered in the order of their rows; each poll moves a batch one state
// on.
#pragma once

#include <map>

#include "sandbox/salesforce/query.h"

namespace eddy::sandbox::salesforce {

class BulkOne {
 public:
  BulkOne(Records& records, Store& store, Clock& clock) : records_(records), store_(store), clock_(clock) {}

  Reply create(const Json& body, Effect& effect);
  Reply change(const std::string& id, const Json& body);  // Closed or Aborted
  Reply show(const std::string& id);
  Reply add_batch(const std::string& id, const std::string& body, Effect& effect);
  Reply poll(const std::string& id, const std::string& batch);
  Reply result(const std::string& id, const std::string& batch);
  Reply query_result(const std::string& id, const std::string& batch);
  Reply request(const std::string& id, const std::string& batch);
  void clear() { jobs_.clear(); }

 private:
  struct Batch {
    std::string id{}, state = "Queued";
    std::string body{};
    Json results = Json::array();
    std::size_t failed = 0;
  };
  struct Job {
    std::string id{}, operation{}, key{}, state = "Open";
    const Object* object = nullptr;
    Clock::WallTime created{};
    std::map<std::string, Batch> batches{};
  };
  Json job_json(const Job& job) const;
  static Json batch_json(const Job& job, const Batch& batch);
  Batch* find(const std::string& id, const std::string& batch);
  void write(const Job& job, const Json& rows, Batch& batch, Effect& effect);

  Records& records_;
  Store& store_;
  Clock& clock_;
  std::map<std::string, Job> jobs_;
};

}  // namespace eddy::sandbox::salesforce
