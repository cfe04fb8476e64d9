// Text beyond ASCII, by ICU. Text that is not UTF-8 comes back as it went in. Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace eddy {

// Without white space at both ends: everything with the Unicode property White_Space, and the zero-width
// space and byte order mark that copied text brings along.
std::string_view trim_unicode(std::string_view text);
// Lower case by the language-neutral rules, then composed (NFC): one spelling for one text.
std::string lower_unicode(std::string_view text);
std::string without_white_space(std::string_view text);
std::string without_punctuation(std::string_view text);  // Unicode category P

}  // namespace eddy
