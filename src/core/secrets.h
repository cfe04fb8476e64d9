// Secrets never reach a log, a plan file, an error or the UI: every text on its way out passes redact().
#pragma once

#include <string>
#include <string_view>

namespace eddy {

// Remembers a value for the life of the process. Values shorter than 4 characters are not kept (they would
// hide ordinary text). Thread-safe.
void register_secret(std::string_view value);
// Replaces every registered value, plain, percent-encoded or base64 "user:value", by "***". Thread-safe.
std::string redact(std::string_view text);

}  // namespace eddy
