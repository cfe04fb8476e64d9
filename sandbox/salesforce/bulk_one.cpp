#include "sandbox/salesforce/bulk_one.h"

#include "core/text.h"

namespace eddy::sandbox::salesforce {
namespace {

constexpr std::size_t batch_rows_max = 10'000, rows_per_piece = 200;

Reply refusal(int status, const std::string& code, const std::string& message) {
  return json_reply(status, {{"exceptionCode", code}, {"exceptionMessage", message}});
}
Reply no_such(const std::string& what) { return refusal(400, "InvalidEntity", what + " does not exist"); }

}  // namespace

Json BulkOne::job_json(const Job& job) const {
  return {{"id", job.id},
          {"operation", job.operation},
          {"object", job.object->name},
          {"createdById", "0055g000000SANDBOXAA1"},
          {"createdDate", salesforce_time(job.created)},
          {"systemModstamp", salesforce_time(job.created)},
          {"state", job.state},
          {"externalIdFieldName", job.key.empty() ? Json(nullptr) : Json(job.key)},
          {"concurrencyMode", "Parallel"},
          {"contentType", "JSON"},
          {"numberBatchesTotal", job.batches.size()},
          {"numberBatchesCompleted", job.batches.size()}};
}

Json BulkOne::batch_json(const Job& job, const Batch& batch) {
  const bool ended = batch.state == "Completed";
  return {{"id", batch.id},
          {"jobId", job.id},
          {"state", batch.state},
          {"numberRecordsProcessed", ended ? batch.results.size() : 0},
          {"numberRecordsFailed", ended ? batch.failed : 0}};
}

Reply BulkOne::create(const Json& body, Effect& effect) {
  Job job{.operation = text_of(body.value("operation", Json())),
          .key = text_of(body.value("externalIdFieldName", Json())),
          .object = find_object(text_of(body.value("object", Json()))),
          .created = clock_.now()};
  const std::set<std::string> operations = {"insert", "update",     "upsert",  "delete",
                                            "query",  "hardDelete", "queryAll"};
  if (job.object == nullptr) return refusal(400, "InvalidJob", "Unable to find object");
  if (!operations.contains(job.operation)) return refusal(400, "InvalidJob", "Operation is not supported");
  const Field* key = job.operation == "upsert" ? find_field(*job.object, job.key) : nullptr;
  if (job.operation == "upsert" && (key == nullptr || !(key->external_id || key->id_lookup)))
    return refusal(400, "InvalidJob", "Field name provided does not match an External ID: " + job.key);
  if (key != nullptr) job.key = key->name;
  job.id = make_id("750", store_.next_number());
  effect.jobs = 1;
  return json_reply(201, job_json(jobs_.emplace(job.id, job).first->second));
}

Reply BulkOne::change(const std::string& id, const Json& body) {
  const auto job = jobs_.find(id);
  const std::string state = text_of(body.value("state", Json()));
  if (job == jobs_.end()) return no_such("job " + id);
  if (job->second.state != "Open" || (state != "Closed" && state != "Aborted"))
    return refusal(400, "InvalidJobState", "Job is " + job->second.state);
  job->second.state = state;
  return json_reply(200, job_json(job->second));
}

Reply BulkOne::show(const std::string& id) {
  const auto job = jobs_.find(id);
  return job == jobs_.end() ? no_such("job " + id) : json_reply(200, job_json(job->second));
}

Reply BulkOne::add_batch(const std::string& id, const std::string& body, Effect& effect) {
  const auto at = jobs_.find(id);
  if (at == jobs_.end()) return no_such("job " + id);
  Job& job = at->second;
  if (job.state != "Open") return refusal(400, "InvalidJobState", "Job is " + job.state);
  Batch batch{.id = make_id("751", store_.next_number()), .body = body};
  if (job.operation.starts_with("query")) {
    ParsedQuery parsed = parse_query(body, clock_.now());
    if (parsed.error) return refusal(400, "InvalidBatch", parsed.error->message);
    parsed.query.with_deleted = job.operation == "queryAll";
    for (const Found& found : run_query(parsed.query, records_, store_))
      batch.results.push_back(row_json(parsed.query, found, records_, "v60.0"));
  } else {
    const auto rows = parse_json(body);
    if (!rows || !rows->is_array() || !std::ranges::all_of(*rows, &Json::is_object))
      return refusal(400, "InvalidBatch", "The batch is not a list of records in JSON");
    if (rows->size() > batch_rows_max) return refusal(400, "InvalidBatch", "Records limit exceeded: 10000");
    write(job, *rows, batch, effect);
  }
  return json_reply(201, batch_json(job, job.batches.emplace(batch.id, batch).first->second));
}

void BulkOne::write(const Job& job, const Json& rows, Batch& batch, Effect& effect) {
  const bool deletes = job.operation == "delete" || job.operation == "hardDelete";
  const Operation operation = job.operation == "insert"   ? Operation::insert
                              : job.operation == "update" ? Operation::update
                                                          : Operation::upsert;
  effect.write = true;
  effect.rows = rows.size();
  for (std::size_t piece = 0; piece < rows.size(); piece += rows_per_piece) {
    const std::size_t end = std::min(rows.size(), piece + rows_per_piece);
    std::vector<Draft> drafts;
    for (std::size_t i = piece; i < end && !deletes; ++i)
      drafts.push_back(records_.draft(operation, *job.object, rows[i], job.key, true));
    if (!job.key.empty()) records_.refuse_duplicate_keys(drafts, job.key);
    for (std::size_t i = piece; i < end; ++i) {
      const std::string id = text_of(rows[i].value("Id", rows[i].value("id", Json())));
      effect.keys.push_back(job.key.empty() ? id : text_of(rows[i].value(job.key, Json())));
      RowResult result;
      if (deletes)
        result = records_.remove(id, job.operation == "hardDelete");
      else if (drafts[i - piece].request_error)
        result.errors = {*drafts[i - piece].request_error};
      else
        result = records_.write(drafts[i - piece]);
      ++(!result.success  ? effect.rejected
         : deletes        ? effect.deleted
         : result.created ? effect.created
                          : effect.updated);
      effect.applied |= result.success;
      batch.failed += result.success ? 0 : 1;
      Json row = {{"success", result.success},
                  {"created", result.created},
                  {"id", result.success ? Json(result.id) : Json(nullptr)},
                  {"errors", Json::array()}};
      for (const RowError& error : result.errors) {
        row["errors"].push_back(error_json(error));
        row["errors"].back()["extendedErrorDetails"] = nullptr;
      }
      batch.results.push_back(std::move(row));
    }
  }
}

BulkOne::Batch* BulkOne::find(const std::string& id, const std::string& batch) {
  const auto job = jobs_.find(id);
  if (job == jobs_.end()) return nullptr;
  const auto at = job->second.batches.find(batch);
  return at == job->second.batches.end() ? nullptr : &at->second;
}

Reply BulkOne::poll(const std::string& id, const std::string& batch) {
  Batch* const known = find(id, batch);
  if (known == nullptr) return no_such("batch " + batch);
  known->state = known->state == "Queued" ? "InProgress" : "Completed";
  return json_reply(200, batch_json(jobs_.at(id), *known));
}

Reply BulkOne::result(const std::string& id, const std::string& batch) {
  const Batch* const known = find(id, batch);
  if (known == nullptr) return no_such("batch " + batch);
  if (known->state != "Completed") return refusal(400, "InvalidBatch", "Batch not completed");
  const bool query = jobs_.at(id).operation.starts_with("query");
  return json_reply(200, query ? Json::array({"752" + known->id.substr(3)}) : known->results);
}

Reply BulkOne::query_result(const std::string& id, const std::string& batch) {
  const Batch* const known = find(id, batch);
  return known == nullptr ? no_such("batch " + batch) : json_reply(200, known->results);
}

Reply BulkOne::request(const std::string& id, const std::string& batch) {
  const Batch* const known = find(id, batch);
  return known == nullptr ? no_such("batch " + batch) : Reply::text(200, known->body, "application/json");
}

}  // namespace eddy::sandbox::salesforce
