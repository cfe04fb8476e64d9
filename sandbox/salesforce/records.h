// Rows into records: what the org accepts, what it says about the rest. Shared by collections, single calls
// and bulk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sandbox/salesforce/schema.h"
#include "sandbox/service.h"

namespace eddy::sandbox::salesforce {

struct RowError {
  std::string code, message;
  std::vector<std::string> fields{};
};

// One row, checked but not written. `record` is the one it would change; nullptr: it would create.
struct Draft {
  const Object* object = nullptr;
  Json values = Json::object();  // API names in the org's spelling; null clears
  Record* record = nullptr;
  std::vector<RowError> errors{};
  std::optional<RowError> request_error{};  // refuses the whole request with 400
  std::vector<std::string> matches{};       // ids, when the key fits several records
  bool ok() const { return errors.empty() && !request_error; }
};

enum class Operation { insert, update, upsert };

struct RowResult {
  bool success = false;
  std::string id{};
  bool created = false;
  std::vector<RowError> errors{};
};

// Success {id, success, errors: []} with `created` when asked; failure {success: false, errors: [...]}.
Json result_json(const RowResult& result, bool with_created);
Json error_json(const RowError& error);  // {statusCode, message, fields}

class Records {
 public:
  Records(Store& store, Clock& clock);

  // `fields` as sent, the attributes included. For update the record's id is in `fields`; for upsert `key`
  // names the match field. `text_cells`: values are CSV cells, a wrong type is the row's error and not the
  // request's.
  Draft draft(Operation operation, const Object& object, const Json& fields, const std::string& key,
              bool text_cells);
  // Rows of one request (or of 200 rows of a file) that name the same key: all of them fail.
  void refuse_duplicate_keys(std::vector<Draft>& drafts, const std::string& key) const;
  RowResult write(Draft& draft);
  RowResult remove(const std::string& id, bool for_good = false);  // else queryAll still finds it

  Record* find(const Object& object, const std::string& id);  // 15 or 18 characters
  // The record as the service shows it: every field of the object, null where empty.
  Json read(const Object& object, const Record& record) const;
  Json field_value(const Object& object, const Record& record, const Field& field) const;

 private:
  void check_value(Draft& draft, const Field& field, const Json& value, bool text_cells);
  void check_unique(Draft& draft) const;
  void resolve_parent(Draft& draft, const Field& field, const Json& parent);
  void find_target(Draft& draft, Operation operation, const Json& fields, const std::string& key);

  Store& store_;
  Clock& clock_;
};

// "2026-11-23T10:53:42.000+0000"
std::string salesforce_time(Clock::WallTime time);

}  // namespace eddy::sandbox::salesforce
