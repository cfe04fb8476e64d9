// Bulk import of leads. The rows are written when the file arrives; each poll moves the import one state on
// (Queued → Importing → Complete), so a test decides how long it takes.
#include "core/text.h"
#include "sandbox/marketo/marketo.h"

namespace eddy::sandbox::marketo {
namespace {

constexpr std::size_t imports_waiting_max = 10;

// The content of the part named "file" of a multipart/form-data body.
std::optional<std::string> uploaded_file(const IncomingRequest& request) {
  const std::string type{request.header("Content-Type")};
  const std::size_t at = type.find("boundary=");
  if (request.content_type() != "multipart/form-data" || at == std::string::npos) return std::nullopt;
  std::string boundary = type.substr(at + 9, type.find(';', at) - (at + 9));
  if (boundary.starts_with('"') && boundary.ends_with('"') && boundary.size() > 1)
    boundary = boundary.substr(1, boundary.size() - 2);
  const std::string delimiter = "--" + boundary;
  for (std::size_t part = request.body.find(delimiter); part != std::string::npos;) {
    const std::size_t head = part + delimiter.size();
    const std::size_t blank = request.body.find("\r\n\r\n", head);
    const std::size_t next = request.body.find("\r\n" + delimiter, head);
    if (blank == std::string::npos || next == std::string::npos || blank > next) return std::nullopt;
    if (request.body.substr(head, blank - head).find("name=\"file\"") != std::string::npos)
      return request.body.substr(blank + 4, next - blank - 4);
    part = next + 2;
  }
  return std::nullopt;
}

}  // namespace

Reply Marketo::start_import(Call& call, const Params&) {
  call.effect.write = true;
  const std::string format = call.request.query_value("format").value_or("");
  const std::string lookup = call.request.query_value("lookupField").value_or("email");
  const std::string list = call.request.query_value("listId").value_or("");
  const std::map<std::string, char> separators = {{"csv", ','}, {"tsv", '\t'}, {"ssv", ';'}};
  if (!separators.contains(format))
    return failure("1003", fmt::format("Invalid value '{}' for parameter 'format'", format));
  const Field* key = find_field(lookup);
  if (key == nullptr || !key->searchable || lookup == "id")
    return failure("1011", fmt::format("Field '{}' not supported as lookup field", lookup));
  if (!list.empty() && store_.table("_lists").by_id(list) == nullptr)
    return failure("1013", fmt::format("List '{}' not found", list));
  const auto file = uploaded_file(call.request);
  if (!file)
    return failure("612", "Invalid Content Type: multipart/form-data with a part named file is expected");
  if (file->empty()) return failure("1003", "Empty file");
  const auto waiting = std::ranges::count_if(imports_, [](const auto& entry) {
    return entry.second.status == "Queued" || entry.second.status == "Importing";
  });
  if (static_cast<std::size_t>(waiting) >= imports_waiting_max) {
    call.throttled = true;
    return failure("1016", "Too many imports queued");
  }
  Import import{.id = ++last_import_};
  import.content_type = format == "csv"   ? "text/csv"
                        : format == "tsv" ? "text/tab-separated-values"
                                          : "text/plain";
  run_import(call, import, *file, separators.at(format), lookup, list);
  imports_[import.id] = import;
  return success(
      Json::array({{{"batchId", import.id}, {"importId", std::to_string(import.id)}, {"status", "Queued"}}}));
}

void Marketo::run_import(Call& call, Import& import, const std::string& file, char separator,
                         const std::string& lookup, const std::string& list) {
  const Csv csv = parse_csv(file, separator);
  for (const std::string& column : csv.header)
    if (find_field(column) == nullptr) import.message = fmt::format("Invalid column name: {}", column);
  if (std::ranges::find(csv.header, lookup) == csv.header.end())
    import.message = "Missing lookup field column: " + lookup;
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
      if (csv.header[i] == lookup) call.effect.keys.push_back(cell);
    }
    const LeadResult result = write_lead(input, "createOrUpdate", lookup);
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
    if (!list.empty() && store_.table("_list_members").by_id(list + "-" + result.id) == nullptr)
      store_.table("_list_members").add(list + "-" + result.id, {{"list", list}, {"lead", result.id}}, now());
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

Reply Marketo::poll_import(Call&, const Params& params) {
  const auto at = imports_.find(std::atoi(params.at("batch").c_str()));
  if (at == imports_.end()) return failure("1013", fmt::format("Batch '{}' not found", params.at("batch")));
  Import& import = at->second;
  if (import.status == "Importing")
    import.status = import.message.empty() ? "Complete" : "Failed";
  else if (import.status == "Queued")
    import.status = "Importing";
  const bool ended = import.status == "Complete" || import.status == "Failed";
  Json out = {{"batchId", import.id},
              {"importId", std::to_string(import.id)},
              {"status", import.status},
              {"numOfLeadsProcessed", ended ? import.processed - import.failed : 0},
              {"numOfRowsFailed", ended ? import.failed : 0},
              {"numOfRowsWithWarning", ended ? import.warned : 0}};
  if (ended)
    out["message"] =
        !import.message.empty()
            ? import.message
            : fmt::format("Import succeeded, {} records imported ({} members), {} failed",
                          import.processed - import.failed, import.processed - import.failed, import.failed);
  return success(Json::array({out}));
}

Reply Marketo::import_failures(Call&, const Params& params) {
  const auto at = imports_.find(std::atoi(params.at("batch").c_str()));
  if (at == imports_.end()) return failure("1013", fmt::format("Batch '{}' not found", params.at("batch")));
  return Reply::text(200, at->second.failures, at->second.content_type);
}

Reply Marketo::import_warnings(Call&, const Params& params) {
  const auto at = imports_.find(std::atoi(params.at("batch").c_str()));
  if (at == imports_.end()) return failure("1013", fmt::format("Batch '{}' not found", params.at("batch")));
  return Reply::text(200, at->second.warnings, at->second.content_type);
}

}  // namespace eddy::sandbox::marketo
