// The engine's log (`<file>.wal`) after a power loss.
//
// The engine replays its log when a file is opened, drops an entry that the end of the log cuts off, and
// refuses the file when an entry's checksum is wrong. But a machine that loses power may keep a later write
// and lose an earlier one: then zeros stand in the middle of what was never made durable. As each sync of the
// log covers all of it, no commit at or behind such a hole was ever acknowledged, so what the engine would
// have dropped at the end may be dropped there. An entry that is wrong and has no hole is damage, and stays
// an error.
#pragma once

#include <filesystem>

#include "core/error.h"

namespace eddy::engine {

// `refusal`: the engine's, of opening `database`. True when its log was torn and has been cut before the
// first entry that is not whole: opening it again makes sense. What was cut off is kept in `<file>.wal.torn`.
// The caller must be the only one who has the file. Throws Error("file.…").
bool cut_torn_log(const std::filesystem::path& database, const Error& refusal);

// Whether it would be cut. Changes nothing.
bool log_is_torn(const std::filesystem::path& database, const Error& refusal);

}  // namespace eddy::engine
