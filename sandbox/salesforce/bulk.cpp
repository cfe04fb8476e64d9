#include "sandbox/salesforce/bulk.h"

#include "core/text.h"

namespace eddy::sandbox::salesforce {
namespace {

constexpr std::size_t field_characters_max = 32'000, record_characters_max = 400'000, fields_max = 5'000;

// A file is worked through in pieces of this many rows; the same key twice in one piece is an error.
constexpr std::size_t rows_per_piece = 200;

constexpr std::size_t jobs_per_page = 1000;

Reply no_such_job() { return error_reply(404, "NOT_FOUND", "The requested resource does not exist"); }

std::string bulk_error(const RowError& error) {
  return fmt::format("{}:{}:{} --", error.code, error.message, join(error.fields, ","));
}

}  // namespace

const std::map<std::string, char>& csv_delimiters() {
  static const std::map<std::string, char> known = {{"COMMA", ','},     {"TAB", '\t'},  {"PIPE", '|'},
                                                    {"SEMICOLON", ';'}, {"CARET", '^'}, {"BACKQUOTE", '`'}};
  return known;
}

Job* Bulk::find(const std::string& id) {
  const auto job = jobs_.find(id);
  return job == jobs_.end() || clock_.now() - job->second.created > jobs_kept_for ? nullptr : &job->second;
}

Reply job_page(const std::vector<Json>& jobs, const std::string& path, const std::string& locator) {
  const std::size_t from = static_cast<std::size_t>(std::atoll(locator.c_str()));
  if (from > jobs.size() || (!locator.empty() && from == 0))
    return error_reply(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
  const std::size_t to = std::min(jobs.size(), from + jobs_per_page);
  Json records = Json::array();
  for (std::size_t i = from; i < to; ++i) records.push_back(jobs[i]);
  const bool done = to == jobs.size();
  return json_reply(200,
                    {{"done", done},
                     {"records", records},
                     {"nextRecordsUrl", done ? Json() : Json(fmt::format("{}?queryLocator={}", path, to))}});
}

Reply Bulk::list(const std::string& version, const std::string& locator) const {
  std::vector<Json> jobs;
  for (const auto& [id, job] : jobs_)
    if (clock_.now() - job.created <= jobs_kept_for) jobs.push_back(job.to_json());
  return job_page(jobs, "/services/data/" + version + "/jobs/ingest", locator);
}

Json Job::to_json() const {
  Json out = {{"id", id},
              {"operation", operation},
              {"object", object->name},
              {"createdById", "0055g000000SANDBOXAA1"},
              {"createdDate", salesforce_time(created)},
              {"systemModstamp", salesforce_time(created)},
              {"state", state},
              {"concurrencyMode", "Parallel"},
              {"contentType", "CSV"},
              {"apiVersion", std::stod(version.substr(1))},
              {"jobType", "V2Ingest"},
              {"contentUrl", "services/data/" + version + "/jobs/ingest/" + id + "/batches"},
              {"lineEnding", line_ending},
              {"columnDelimiter", delimiter}};
  if (!key.empty()) out["externalIdFieldName"] = key;
  if (state != "Open") {
    const bool counted = ended();
    out["retries"] = 0;
    out["totalProcessingTime"] = counted ? 100 : 0;
    out["apiActiveProcessingTime"] = counted ? 80 : 0;
    out["apexProcessingTime"] = 0;
    out["numberRecordsProcessed"] = counted ? processed : 0;
    out["numberRecordsFailed"] = counted ? failures : 0;
  }
  if (!error_message.empty() && ended()) out["errorMessage"] = error_message;
  return out;
}

Reply Bulk::create(const Json& body, const std::string& version, Effect& effect) {
  const auto word = [&](const char* name, const char* otherwise) {
    return text_of(body.value(name, Json(otherwise)));
  };
  Job job{.operation = word("operation", ""),
          .key = word("externalIdFieldName", ""),
          .line_ending = word("lineEnding", "LF"),
          .delimiter = word("columnDelimiter", "COMMA"),
          .version = version};
  job.object = find_object(word("object", ""));
  if (job.object == nullptr)
    return error_reply(400, "INVALIDENTITY",
                       fmt::format("Entity '{}' is not supported.", word("object", "")));
  const std::set<std::string> operations = {"insert", "update", "upsert", "delete", "hardDelete"};
  if (!operations.contains(job.operation))
    return error_reply(400, "INVALIDOPERATION",
                       fmt::format("Operation '{}' is not supported.", job.operation));
  if (word("contentType", "CSV") != "CSV")
    return error_reply(400, "INVALIDCONTENTTYPE", "contentType must be CSV");
  if (!csv_delimiters().contains(job.delimiter) || (job.line_ending != "LF" && job.line_ending != "CRLF"))
    return error_reply(400, "INVALIDJOB", "columnDelimiter or lineEnding is not supported");
  if (job.operation == "upsert") {
    const Field* key = find_field(*job.object, job.key);
    if (key == nullptr || !(key->external_id || key->id_lookup))
      return error_reply(
          400, "INVALIDJOB",
          fmt::format("InvalidJob : Field name provided, {} does not match an External ID, Salesforce "
                      "Id, or indexed field for {}",
                      job.key, job.object->name));
    job.key = key->name;
  } else if (!job.key.empty()) {
    return error_reply(400, "INVALIDJOB", "externalIdFieldName is for upsert only");
  }
  job.id = make_id("750", store_.next_number());
  job.created = clock_.now();
  effect.jobs = 1;
  return json_reply(200, jobs_.emplace(job.id, job).first->second.to_json());
}

Reply Bulk::upload(const std::string& id, const IncomingRequest& request) {
  Job* const job = find(id);
  if (job == nullptr) return no_such_job();
  if (job->state != "Open")
    return error_reply(400, "INVALIDJOBSTATE", "Data can be added only while the job is Open");
  if (job->uploaded)
    return error_reply(400, "INVALIDJOBSTATE",
                       "Found multiple contents for job: " + id +
                           ", please 'Close' / 'Abort' / "
                           "'Delete' the current Job then create a new Job and make sure you only do "
                           "'PUT' once on a given Job.");
  if (request.content_type() != "text/csv")
    return error_reply(415, "UNSUPPORTED_MEDIA_TYPE", "The content type must be text/csv");
  job->upload = request.body;
  job->uploaded = true;
  return Reply{.status = 201};
}

Job* Bulk::closing(const std::string& id, const Json& body, Reply& refusal) {
  Job* const job = find(id);
  const std::string wanted = text_of(body.value("state", Json()));
  if (job == nullptr) {
    refusal = no_such_job();
  } else if (wanted == "Aborted" && !job->ended()) {
    if (job->state == "Open") job->unprocessed = std::exchange(job->upload, {});
    job->state = "Aborted";
    refusal = json_reply(200, job->to_json());
  } else if (wanted != "UploadComplete" || job->state != "Open") {
    refusal =
        error_reply(400, "INVALIDJOBSTATE",
                    fmt::format("Job cannot go from {} to {}", job->state, wanted.empty() ? "null" : wanted));
  } else {
    job->state = "UploadComplete";
    return job;
  }
  return nullptr;
}

std::string Bulk::problem_of(const Job& job, const Csv& csv) const {
  const std::size_t line_end = job.upload.find('\n');
  const bool crlf = line_end != std::string::npos && line_end > 0 && job.upload[line_end - 1] == '\r';
  if (line_end != std::string::npos && crlf != (job.line_ending == "CRLF"))
    return "InvalidBatch : LineEnding is invalid on user data. Current LineEnding setting is " +
           job.line_ending;
  if (csv.header.empty()) return "InvalidBatch : Unable to find any data";
  if (!csv.problem.empty()) return "InvalidBatch : Failed to parse CSV: " + csv.problem;
  if (csv.header.size() > fields_max) return "InvalidBatch : A record has at most 5,000 fields";
  for (const CsvRow& row : csv.rows) {
    std::size_t characters = 0;
    for (const std::string& cell : row) {
      if (cell.size() > field_characters_max) return "InvalidBatch : A field has at most 32,000 characters";
      characters += cell.size();
    }
    if (characters > record_characters_max) return "InvalidBatch : A record has at most 400,000 characters";
  }
  for (const std::string& column : csv.header) {
    const std::size_t dot = column.find('.');
    const bool known = dot == std::string::npos
                           ? find_field(*job.object, column) != nullptr
                           : find_relationship(*job.object, column.substr(0, dot)) != nullptr;
    if (!known) return "InvalidBatch : Field name not found : " + column;
  }
  return {};
}

Draft Bulk::draft_row(const Job& job, const Csv& csv, const CsvRow& row, Json& fields) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string& column = csv.header[i];
    if (row[i].empty()) continue;  // an empty cell leaves the field as it is
    const Json value = row[i] == "#N/A" ? Json(nullptr) : Json(row[i]);
    const std::size_t dot = column.find('.');
    if (dot != std::string::npos)
      fields[column.substr(0, dot)] = {{column.substr(dot + 1), value}};
    else
      fields[lower(column) == "id" ? "Id" : column] = value;
  }
  if (job.operation == "delete" || job.operation == "hardDelete") return {.object = job.object};
  const Operation operation = job.operation == "insert"   ? Operation::insert
                              : job.operation == "update" ? Operation::update
                                                          : Operation::upsert;
  return records_.draft(operation, *job.object, fields, job.key, true);
}

RowResult Bulk::write_row(const Job& job, Draft& draft, const Json& fields) {
  if (job.operation == "delete" || job.operation == "hardDelete")
    return records_.remove(text_of(fields.value("Id", Json())), job.operation == "hardDelete");
  if (draft.request_error) return {.errors = {*draft.request_error}};
  return records_.write(draft);
}

void Bulk::run(Job& job, BulkFaults faults, Effect& effect, const ShuffleLines& shuffle) {
  const char separator = csv_delimiters().at(job.delimiter);
  const std::string end = job.line_ending == "LF" ? "\n" : "\r\n";
  const Csv csv = parse_csv(job.upload, separator);
  job.error_message = problem_of(job, csv);
  job.ends_failed = !job.error_message.empty() || faults.failed_partial;
  std::size_t to_process = job.error_message.empty() ? csv.rows.size() : 0;
  if (to_process > 0 && faults.failed_partial) {
    to_process = csv.rows.size() / 2;
    job.error_message = "InternalServerError : the job was stopped";
  }
  const std::size_t lost = faults.missing_row && to_process > 0 ? to_process - 1 : std::string::npos;
  std::vector<std::string> good, bad, left;
  effect.write = true;
  for (std::size_t piece = 0; piece < to_process; piece += rows_per_piece) {
    const std::size_t piece_end = std::min(piece + rows_per_piece, to_process);
    std::vector<Draft> drafts;
    std::vector<Json> given(piece_end - piece, Json::object());
    for (std::size_t i = piece; i < piece_end; ++i)
      drafts.push_back(draft_row(job, csv, csv.rows[i], given[i - piece]));
    if (!job.key.empty()) records_.refuse_duplicate_keys(drafts, job.key);
    for (std::size_t i = piece; i < piece_end; ++i) {
      ++effect.rows;
      effect.keys.push_back(text_of(given[i - piece].value(job.key.empty() ? "Id" : job.key, Json())));
      if (i == lost) continue;
      const RowResult result = write_row(job, drafts[i - piece], given[i - piece]);
      const std::string row = csv_line(csv.rows[i], separator, end);
      ++job.processed;
      if (result.success) {
        ++(result.created                     ? effect.created
           : job.operation.ends_with("elete") ? effect.deleted
                                              : effect.updated);
        effect.applied = true;
        good.push_back(csv_line({result.id, result.created ? "true" : "false"}, separator, "") + separator +
                       row);
      } else {
        ++effect.rejected;
        ++job.failures;
        bad.push_back(csv_line({"", bulk_error(result.errors.front())}, separator, "") + separator + row);
      }
    }
  }
  for (std::size_t i = to_process; i < csv.rows.size(); ++i)
    left.push_back(csv_line(csv.rows[i], separator, end));
  if (faults.shuffle) {
    shuffle(good);
    shuffle(bad);
  }
  const std::string header = csv_line(csv.header, separator, end);
  job.successful = fmt::format("sf__Id{0}sf__Created{0}{1}{2}", separator, header, fmt::join(good, ""));
  job.failed = fmt::format("sf__Id{0}sf__Error{0}{1}{2}", separator, header, fmt::join(bad, ""));
  job.unprocessed = header + fmt::format("{}", fmt::join(left, ""));
  job.upload.clear();
}

Reply Bulk::poll(const std::string& id) {
  Job* const job = find(id);
  if (job == nullptr) return no_such_job();
  std::string& state = job->state;
  if (state == "InProgress")
    state = job->ends_failed ? "Failed" : "JobComplete";
  else if (state == "UploadComplete")
    state = "InProgress";
  return json_reply(200, job->to_json());
}

Reply Bulk::result(const std::string& id, const std::string& file) {
  Job* const job = find(id);
  if (job == nullptr) return no_such_job();
  if (!job->ended())
    return error_reply(400, "INVALIDJOBSTATE",
                       "Results are there when the job has ended, it is " + job->state);
  const std::string& text = file == "successfulResults" ? job->successful
                            : file == "failedResults"   ? job->failed
                                                        : job->unprocessed;
  return Reply::text(200, text, "text/csv");
}

Reply Bulk::remove(const std::string& id) {
  Job* const job = find(id);
  if (job == nullptr) return no_such_job();
  if (job->state == "Open" || job->state == "InProgress")
    return error_reply(400, "INVALIDJOBSTATE", "A job that is " + job->state + " cannot be deleted");
  jobs_.erase(id);
  return Reply{.status = 204};
}

}  // namespace eddy::sandbox::salesforce
