// CSV and TSV, read by the engine; what it refuses goes to the quarantine with its original line.
#pragma once

#include "ingest/csv_text.h"
#include "ingest/rendering.h"

namespace eddy::ingest {

// What a file's text and the engine's sniffer say about it; `columns` are the found types.
struct CsvForm {
  CsvOutline outline;
  CsvDialect dialect;
  std::vector<StreamColumn> columns;
};
// `work` is a folder for a passing sample file. `recorded`: the dialect of the stream's earlier files.
CsvForm read_form(engine::Connection& connection, std::string_view text, const CsvOptions& declared,
                  Format format, const std::optional<CsvDialect>& recorded,
                  const std::filesystem::path& work);

// Codes in the quarantine: csv.too_few_columns, csv.too_many_columns, csv.bad_value, csv.open_quote,
// csv.bad_encoding, csv.line_too_long, csv.before_header. Throws Error("ingest.unaccounted_rows") when rows
// and quarantine do not add up to the records of the file.
Rendered render_csv(const Rendering& job, Format format, StreamSchema& schema,
                    const std::optional<CsvDialect>& recorded, QuarantineWriter& quarantine);

}  // namespace eddy::ingest
