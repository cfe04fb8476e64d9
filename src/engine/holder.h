// Who else has a file of the engine open. One process may write to it, or several may read it.
#pragma once

#include <optional>
#include <string>

#include "core/error.h"

namespace eddy::engine {

// Of a statement that was refused a file: "pid 123, /usr/bin/duckdb", or "unknown process"; nullopt when the
// error is about something else.
std::optional<std::string> holder_of_file(const Error& error);

}  // namespace eddy::engine
