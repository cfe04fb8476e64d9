// Connection type `files`: streams are files below one folder.
#pragma once

#include "ingest/source.h"

namespace eddy::connectors {

// Settings: path (folder that stream paths are relative to; default: the project folder). The folder's own
// existence is asked when it is used: Error("files.no_folder").
ingest::SourceType files_source();

// Shared with the destination of the same name (destination.h).
config::Shape files_settings();
std::filesystem::path files_folder(const config::Node& settings, const std::filesystem::path& project);

}  // namespace eddy::connectors
