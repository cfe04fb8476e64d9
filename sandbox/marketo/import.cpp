// Bulk import of leads. The rows are written when the file arrives; each poll moves the import one state on
// (Queued → Importing → Complete), so a test decides how long it takes.
#include "core/text.h"
#include "sandbox/marketo/marketo.h"
#include "sandbox/multipart.h"

namespace eddy::sandbox::marketo {
namespace {

constexpr std::size_t imports_waiting_max = 10;
constexpr std::chrono::days imports_kept_for{7};

}  // namespace

// What all kinds of imports want: a format, a file, and room in the queue.
std::optional<std::string> Marketo::file_to_import(Call& call, char& separator, Import& import,
                                                   Reply& refusal) {
  const std::string format = call.request.query_value("format").value_or("");
  const std::map<std::string, char> separators = {{"csv", ','}, {"tsv", '\t'}, {"ssv", ';'}};
  const auto parts = parse_multipart(call.request);
  const Part* file = parts ? part_named(*parts, "file") : nullptr;
  const auto waiting = std::ranges::count_if(imports_, [](const auto& entry) {
    return entry.second.status == "Queued" || entry.second.status == "Importing";
  });
  if (!separators.contains(format)) {
    refusal = failure("1003", fmt::format("Invalid value '{}' for parameter 'format'", format));
  } else if (file == nullptr) {
    refusal = failure("612", "Invalid Content Type: multipart/form-data with a part named file is expected");
  } else if (file->content.empty()) {
    refusal = failure("1003", "Empty file");
  } else if (fault(call, "too_many_imports") || static_cast<std::size_t>(waiting) >= imports_waiting_max) {
    call.throttled = true;
    refusal = failure("1016", "Too many imports queued");
  } else {
    separator = separators.at(format);
    import.id = ++last_import_;
    import.made = now();
    import.content_type = format == "csv"   ? "text/csv"
                          : format == "tsv" ? "text/tab-separated-values"
                                            : "text/plain";
    call.effect.jobs = 1;
    return file->content;
  }
  return std::nullopt;
}

Reply Marketo::start_import(Call& call, const Params&) {
  call.effect.write = true;
  const std::string lookup = call.request.query_value("lookupField").value_or("email");
  const std::string list = call.request.query_value("listId").value_or("");
  const Field* key = find_field(lookup);
  if (key == nullptr || !key->searchable || lookup == "id")
    return failure("1011", fmt::format("Field '{}' not supported as lookup field", lookup));
  if (!list.empty() && store_.table("_lists").by_id(list) == nullptr)
    return failure("1013", fmt::format("List '{}' not found", list));
  if (const auto partition = call.request.query_value("partitionName"))
    if (std::ranges::find(partition_names(), *partition) == partition_names().end())
      return failure("1008", fmt::format("Access denied to partition '{}'", *partition));
  Import import;
  char separator = ',';
  Reply refusal;
  const auto file = file_to_import(call, separator, import, refusal);
  if (!file) return refusal;
  run_import(
      call, import, *file, separator, {lookup},
      [](const std::string& column) { return find_field(column) != nullptr; },
      [&](const Json& row) {
        LeadResult result = write_lead(row, "createOrUpdate", lookup);
        Table& members = store_.table("_list_members");
        if (!list.empty() && !result.id.empty() && members.by_id(list + "-" + result.id) == nullptr)
          members.add(list + "-" + result.id, {{"list", list}, {"lead", result.id}}, now());
        return result;
      });
  imports_[import.id] = import;
  return success(
      Json::array({{{"batchId", import.id}, {"importId", std::to_string(import.id)}, {"status", "Queued"}}}));
}

Reply Marketo::start_object_import(Call& call, const Params& params) {
  call.effect.write = true;
  const ObjectKind* kind = kind_of(params);
  if (kind == nullptr) return failure("1013", "Object not found");
  Import import{.object = kind->path};
  char separator = ',';
  Reply refusal;
  const auto file = file_to_import(call, separator, import, refusal);
  if (!file) return refusal;
  run_import(
      call, import, *file, separator, kind->dedupe,
      [kind](const std::string& column) { return kind->field(column) != nullptr; },
      [&](const Json& row) { return write_object(*kind, row, "createOrUpdate", false); });
  imports_[import.id] = import;
  return success(Json::array({{{"batchId", import.id},
                               {"objectApiName", kind->path},
                               {"operation", "import"},
                               {"status", "Queued"}}}));
}

void Marketo::run_import(Call& call, Import& import, const std::string& file, char separator,
                         const std::vector<std::string>& keys,
                         const std::function<bool(const std::string&)>& is_column, const WriteRow& write) {
  const Csv csv = parse_csv(file, separator);
  for (const std::string& column : csv.header)
    if (!is_column(column)) import.message = fmt::format("Invalid column name: {}", column);
  for (const std::string& key : keys)
    if (std::ranges::find(csv.header, key) == csv.header.end())
      import.message = "Missing lookup field column: " + key;
  if (!csv.problem.empty()) import.message = "Malformed file: " + csv.problem;
  if (!import.message.empty()) return;
  const bool stops = fault(call, "bulk_failed");
  if (stops) import.message = "Import failed: internal error";
  CsvRow header = csv.header;
  header.push_back("Import Failure Reason");
  std::string failures, warnings;
  const std::size_t rows = stops ? csv.rows.size() / 2 : csv.rows.size();
  for (std::size_t r = 0; r < rows; ++r) {
    Json input = Json::object();
    for (std::size_t i = 0; i < csv.header.size(); ++i) {
      const std::string& cell = csv.rows[r][i];
      input[csv.header[i]] = cell == "null" ? Json(nullptr) : Json(cell);
    }
    std::vector<std::string> parts;
    for (const std::string& key : keys) parts.push_back(text_of(input[key]));
    call.effect.keys.push_back(join(parts, ","));
    const LeadResult result = write(input);
    ++import.processed;
    ++call.effect.rows;
    CsvRow echoed = csv.rows[r];
    if (result.status == "skipped") {
      ++import.failed;
      ++call.effect.rejected;
      echoed.push_back(result.reasons.front().message);
      failures += csv_line(echoed, separator, "\n");
      continue;
    }
    ++(result.status == "created" ? call.effect.created : call.effect.updated);
    if (fault(call, "bulk_warning")) {
      ++import.warned;
      echoed.push_back("Some values were not of the expected form");
      warnings += csv_line(echoed, separator, "\n");
    }
  }
  call.effect.applied = call.effect.created + call.effect.updated > 0;
  if (!failures.empty()) import.failures = csv_line(header, separator, "\n") + failures;
  header.back() = "Import Warning Reason";
  if (!warnings.empty()) import.warnings = csv_line(header, separator, "\n") + warnings;
}

Import* Marketo::import_of(const Params& params) {
  const auto at = imports_.find(std::atoi(params.at("batch").c_str()));
  const auto custom = params.find("custom");
  if (at == imports_.end() || now() - at->second.made > imports_kept_for ||
      at->second.object != (custom == params.end() ? "" : custom->second))
    return nullptr;
  return &at->second;
}

Reply Marketo::poll_import(Call&, const Params& params) {
  Import* const import = import_of(params);
  if (import == nullptr) return failure("1013", fmt::format("Batch '{}' not found", params.at("batch")));
  if (import->status == "Importing")
    import->status = import->message.empty() ? "Complete" : "Failed";
  else if (import->status == "Queued")
    import->status = "Importing";
  const bool ended = import->status == "Complete" || import->status == "Failed",
             leads = import->object.empty() || import->object == member_imports;
  const std::size_t good = import->processed - import->failed;
  Json out = {{"batchId", import->id},
              {"status", import->status},
              {leads ? "numOfLeadsProcessed" : "numOfObjectsProcessed", ended ? good : 0},
              {"numOfRowsFailed", ended ? import->failed : 0},
              {"numOfRowsWithWarning", ended ? import->warned : 0}};
  if (leads) {
    out["importId"] = std::to_string(import->id);
  } else {
    out["objectApiName"] = import->object;
    out["operation"] = "import";
    out["importTime"] = "1 second(s)";
  }
  if (ended)
    out["message"] = !import->message.empty()
                         ? import->message
                         : fmt::format("Import succeeded, {} records imported ({} members), {} failed", good,
                                       good, import->failed);
  return success(Json::array({out}));
}

Reply Marketo::import_failures(Call&, const Params& params) {
  const Import* const import = import_of(params);
  if (import == nullptr) return failure("1013", fmt::format("Batch '{}' not found", params.at("batch")));
  return Reply::text(200, import->failures, import->content_type);
}

Reply Marketo::import_warnings(Call&, const Params& params) {
  const Import* const import = import_of(params);
  if (import == nullptr) return failure("1013", fmt::format("Batch '{}' not found", params.at("batch")));
  return Reply::text(200, import->warnings, import->content_type);
}

}  // namespace eddy::sandbox::marketo
