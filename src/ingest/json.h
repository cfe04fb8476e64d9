// JSON lines, arrays of objects, single objects. Nested values are kept as JSON text (engine type JSON), so
// that a stream's columns do not change with what is inside them; `columns:` can declare another type.
#pragma once

#include "ingest/json_text.h"
#include "ingest/rendering.h"

namespace eddy::ingest {

// Codes in the quarantine: json.syntax, json.not_an_object, json.duplicate_key, json.too_long, json.bad_value
// for records; for a whole file that is no JSON: json.syntax with whole_file.
Rendered render_json(const Rendering& job, Format format, StreamSchema& schema, QuarantineWriter& quarantine);

// Columns and types over all records of a file of whole objects, one a line.
std::vector<StreamColumn> json_columns(engine::Connection& connection, const std::filesystem::path& lines);

}  // namespace eddy::ingest
