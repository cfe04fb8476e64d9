// Bulk API 2.0 query jobs. The rows are those of the moment the job is made; each poll moves the job one
// state on.
#pragma once

#include <map>

#include "sandbox/csv.h"
#include "sandbox/salesforce/query.h"

namespace eddy::sandbox::salesforce {

class BulkQueries {
 public:
  BulkQueries(Records& records, Store& store, Clock& clock)
      : records_(records), store_(store), clock_(clock) {}

  Reply create(const Json& body, const std::string& version, Effect& effect);
  Reply list(const std::string& version, const std::string& locator) const;
  Reply poll(const std::string& id);
  // `locator` and `rows_max` as in the query of the call; "" for the first page and for the default size.
  Reply results(const std::string& id, const std::string& locator, const std::string& rows_max);
  Reply abort(const std::string& id, const Json& body);
  Reply remove(const std::string& id);
  void clear() { jobs_.clear(); }

 private:
  struct Job {
    std::string id{}, operation{}, version{}, line_ending{}, delimiter{}, object{};
    std::string state = "UploadComplete";
    CsvRow header{};
    std::vector<CsvRow> rows{};
    Clock::WallTime created{};
    Json to_json() const;
  };
  Job* find(const std::string& id);

  Records& records_;
  Store& store_;
  Clock& clock_;
  std::map<std::string, Job> jobs_;
};

}  // namespace eddy::sandbox::salesforce
