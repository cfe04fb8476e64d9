// Values and names as MySQL reads them. All functions are pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace eddy::mysql {

constexpr std::string_view null_cell = "\\N";

// One cell of load(): tab, newline, backslash and the zero byte are escaped.
void append_cell(std::string& out, std::string_view text);
void append_hex(std::string& out, std::string_view bytes);
// 'te\'xt'; backslashes escape, as they do without NO_BACKSLASH_ESCAPES.
void append_literal(std::string& out, std::string_view text);

std::string quote_literal(std::string_view text);
std::string quote_identifier(std::string_view name);  // `na``me`

}  // namespace eddy::mysql
