#include "connectors/declarative/job_results.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/declarative/csv_reader.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

std::string failure_of(const JobSpec& spec, const Reply& last, bool done) {
  if (done) return {};
  const auto texts = texts_at(last.json ? &*last.json : nullptr, spec.message);
  return texts.empty() ? "the job failed" : texts.front();
}

std::vector<RenderedRow> rows_of(const JobRecord& record) {
  std::vector<RenderedRow> out(record.rows.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i].key_text = record.rows[i].key.bytes();
  return out;
}

Verdict unknown(const std::string& failure) {
  return Verdict::in_doubt(
      "no_answer_for_row",
      failure.empty() ? "the job's results do not say what became of this row"
                      : "the job failed, and nothing says what became of this row: " + for_people(failure));
}

bool has_column(const std::vector<std::string>& header, const std::string& pointer) {
  if (pointer.size() < 2) return true;
  std::string name = pointer.substr(1, pointer.find('/', 1) - 1);
  name = replace_all(replace_all(name, "~1", "/"), "~0", "~");
  return std::find(header.begin(), header.end(), name) != header.end();
}

}  // namespace

std::string marked_text(const JobSpec& spec, std::string key) {
  for (const JobResultSpec& result : spec.results)
    for (const RowsSpec& list : result.rows)
      for (const MatchSpec& match : list.match)
        if (match.ignore_case) return lower(key);
  return key;
}

JobResults::JobResults(const JobSpec& spec, const ErrorSpec& errors, const JobRecord& record,
                       const Lookup& lookup, const Reply& last, bool done)
    : spec_(spec),
      errors_(errors),
      last_(last),
      done_(done),
      lookup_(lookup),
      failure_(failure_of(spec, last, done)),
      rows_(rows_of(record)),
      answers_(errors, rows_, lookup, unknown(failure_),
               [&spec](const std::string& key) { return digest_of(marked_text(spec, key)).bytes(); }) {}

std::string JobResults::add(const JobResultSpec& spec, const Reply& reply) {
  if (spec.csv) return add_file(spec, reply);
  if (!reply.json) return "the results are not JSON";
  for (const RowsSpec& list : spec.rows) answers_.read(reply, list);
  return {};
}

std::string JobResults::add_file(const JobResultSpec& spec, const Reply& reply) {
  const json* told = spec.count.empty() || !last_.json ? nullptr : at(*last_.json, spec.count);
  const bool counted = told != nullptr && told->is_number_unsigned();
  const std::size_t count = counted ? told->get<std::size_t>() : 0;
  CsvReader check(reply.body);
  std::size_t rows = 0;
  while (check.next() != nullptr) ++rows;
  if (!check.problem().empty()) return "a result file cannot be read: " + check.problem();
  if (counted && rows != count) return fmt::format("a result file has {} rows, {} are told of", rows, count);
  if (check.header().empty()) return spec_.missing_row_applied ? "a result file is empty" : std::string();
  for (const RowsSpec& list : spec.rows)
    for (const MatchSpec& match : list.match)
      if (!has_column(check.header(), render_pointer(match.pointer, lookup_)))
        return "a result file has no column for the key: " + for_people(join(check.header(), ","));
  for (const RowsSpec& list : spec.rows) {
    answers_.open(list);
    CsvReader file(reply.body);
    json item = json::object();
    for (std::size_t i = 0; const auto* row = file.next(); ++i) {
      for (std::size_t column = 0; column < row->size(); ++column)
        item[file.header()[column]] = (*row)[column];
      answers_.item(item, i, 0, reply.status);
    }
  }
  return {};
}

std::vector<Verdict> JobResults::verdicts(Refusal& why) {
  auto out = answers_.verdicts(spec_.missing_row_applied && done_);
  if (done_) return out;
  bool nothing_done = true;
  for (Verdict& verdict : out)
    if (verdict.outcome == Outcome::retry)
      verdict.message = for_people(failure_);
    else
      nothing_done = false;
  if (!nothing_done || spec_.message_code_ends_at.empty()) return out;
  const std::string code = trim(failure_.substr(0, failure_.find(spec_.message_code_ends_at)));
  const auto rule = errors_.codes.find(code);
  if (rule != errors_.codes.end() && rule->second.error_class == ErrorClass::config)
    why = {ErrorClass::config, for_people(code), for_people(failure_), std::nullopt};
  return out;
}

}  // namespace eddy::connectors
