// Cells as JSON text, without a document in between: the hot path of cells.h. What it writes is byte for byte
// what the document would be dumped as.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "connectors/declarative/spec.h"
#include "core/value.h"

namespace eddy::connectors {

// Appends a JSON string with its quotes. False (and `out` unchanged) when the text is not valid UTF-8.
bool append_json_string(std::string& out, std::string_view text);

enum class CellText { written, left_out };  // left out: null policy `omit`
// Appends a cell as render_cell() would render it. The error says why it cannot be sent; `out` is unchanged
// then.
std::expected<CellText, std::string> append_cell(std::string& out, const Value& value,
                                                 const TransformSpec& transforms);

}  // namespace eddy::connectors
