// The last step of a run: the journal becomes the file.
#pragma once

#include <functional>
#include <string_view>

#include "connectors/files/journal.h"
#include "engine/database.h"

namespace eddy::connectors {

// Called before each step with its name ("write", "rename", "clear"); a test lets it throw.
using FileCheckpoint = std::function<void(std::string_view step)>;

// Writes the new file beside the target, makes it durable, renames it over the target, makes the folder
// durable, and empties the run's journal. May be repeated after a crash at any instant. Does nothing without
// segments. The caller has the turn of the work folder. Throws Error("destination.unwritable") and leaves
// file and journal as they were; Error("destination.unreadable").
void publish(engine::Connection& connection, WorkFolder& work, const JournalRun& run,
             const FileCheckpoint& before = {});

// An engine error about reading or writing `file`, as the destination tells it.
[[noreturn]] void rethrow_as_unwritable(const Error& error, const std::filesystem::path& file);

}  // namespace eddy::connectors
