#include "sandbox/salesforce/bulk_query.h"

#include "core/text.h"
#include "sandbox/salesforce/bulk.h"

namespace eddy::sandbox::salesforce {
namespace {

constexpr std::size_t page_rows_default = 50'000;

Reply no_such_job() { return error_reply(404, "NOT_FOUND", "The requested resource does not exist"); }

}  // namespace

BulkQueries::Job* BulkQueries::find(const std::string& id) {
  const auto job = jobs_.find(id);
  if (job == jobs_.end() || clock_.now() - job->second.created > jobs_kept_for) return nullptr;
  return &job->second;
}

Json BulkQueries::Job::to_json() const {
  Json out = {{"id", id},
              {"operation", operation},
              {"object", object},
              {"createdById", "0055g000000SANDBOXAA1"},
              {"createdDate", salesforce_time(created)},
              {"systemModstamp", salesforce_time(created)},
              {"state", state},
              {"concurrencyMode", "Parallel"},
              {"contentType", "CSV"},
              {"apiVersion", std::stod(version.substr(1))},
              {"jobType", "V2Query"},
              {"lineEnding", line_ending},
              {"columnDelimiter", delimiter}};
  if (state == "JobComplete") {
    out["numberRecordsProcessed"] = rows.size();
    out["retries"] = 0;
    out["totalProcessingTime"] = 100;
    out["isPkChunkingSupported"] = true;
  }
  return out;
}

Reply BulkQueries::create(const Json& body, const std::string& version, Effect& effect) {
  const auto word = [&](const char* name, const char* otherwise) {
    return text_of(body.value(name, Json(otherwise)));
  };
  Job job{.operation = word("operation", ""),
          .version = version,
          .line_ending = word("lineEnding", "LF"),
          .delimiter = word("columnDelimiter", "COMMA")};
  if (job.operation != "query" && job.operation != "queryAll")
    return error_reply(400, "INVALIDOPERATION",
                       fmt::format("Operation '{}' is not supported.", job.operation));
  if (word("contentType", "CSV") != "CSV" || !csv_delimiters().contains(job.delimiter) ||
      (job.line_ending != "LF" && job.line_ending != "CRLF"))
    return error_reply(400, "INVALIDJOB", "contentType, columnDelimiter or lineEnding is not supported");
  ParsedQuery parsed = parse_query(word("query", ""), clock_.now());
  if (parsed.error) return error_reply(400, parsed.error->code, parsed.error->message);
  Query& query = parsed.query;
  if (query.count_rows || query.counted)
    return error_reply(400, "INVALIDJOB", "Aggregate queries are not supported in bulk");
  query.with_deleted = job.operation == "queryAll";
  job.object = query.object->name;
  for (const Path& path : query.paths) job.header.push_back(path.name());
  for (const Found& found : run_query(query, records_, store_)) {
    CsvRow& row = job.rows.emplace_back();
    for (const Path& path : query.paths)
      row.push_back(text_of(value_at(*query.object, found, path, records_)));
  }
  job.id = make_id("750", store_.next_number());
  job.created = clock_.now();
  effect.jobs = 1;
  return json_reply(200, jobs_.emplace(job.id, std::move(job)).first->second.to_json());
}

Reply BulkQueries::list(const std::string& version, const std::string& locator) const {
  std::vector<Json> jobs;
  for (const auto& [id, job] : jobs_)
    if (clock_.now() - job.created <= jobs_kept_for) jobs.push_back(job.to_json());
  return job_page(jobs, "/services/data/" + version + "/jobs/query", locator);
}

Reply BulkQueries::poll(const std::string& id) {
  Job* const job = find(id);
  if (job == nullptr) return no_such_job();
  if (job->state == "InProgress") job->state = "JobComplete";
  if (job->state == "UploadComplete") job->state = "InProgress";
  return json_reply(200, job->to_json());
}

Reply BulkQueries::results(const std::string& id, const std::string& locator, const std::string& rows_max) {
  const Job* const job = find(id);
  if (job == nullptr) return no_such_job();
  if (job->state != "JobComplete")
    return error_reply(400, "INVALIDJOBSTATE",
                       "Results are there when the job is complete, it is " + job->state);
  const auto number = [](const std::string& text) {
    return static_cast<std::size_t>(std::atoll(text.c_str()));
  };
  const std::size_t from = number(locator),
                    most = number(rows_max) > 0 ? number(rows_max) : page_rows_default;
  if (from > job->rows.size() || (!locator.empty() && from == 0))
    return error_reply(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
  const char separator = csv_delimiters().at(job->delimiter);
  const std::string end = job->line_ending == "LF" ? "\n" : "\r\n";
  const std::size_t to = std::min(job->rows.size(), from + most);
  std::string file = csv_line(job->header, separator, end);
  for (std::size_t i = from; i < to; ++i) file += csv_line(job->rows[i], separator, end);
  Reply reply = Reply::text(200, file, "text/csv");
  reply.set("Sforce-NumberOfRecords", std::to_string(to - from));
  reply.set("Sforce-Locator", to < job->rows.size() ? std::to_string(to) : "null");
  return reply;
}

Reply BulkQueries::abort(const std::string& id, const Json& body) {
  Job* const job = find(id);
  if (job == nullptr) return no_such_job();
  if (text_of(body.value("state", Json())) != "Aborted" || job->state == "JobComplete")
    return error_reply(400, "INVALIDJOBSTATE", "A query job can only be aborted, and only while it runs");
  job->state = "Aborted";
  return json_reply(200, job->to_json());
}

Reply BulkQueries::remove(const std::string& id) {
  const Job* const job = find(id);
  if (job == nullptr) return no_such_job();
  if (job->state != "JobComplete" && job->state != "Aborted")
    return error_reply(400, "INVALIDJOBSTATE", "A job that is " + job->state + " cannot be deleted");
  jobs_.erase(id);
  return Reply{.status = 204};
}

}  // namespace eddy::sandbox::salesforce
