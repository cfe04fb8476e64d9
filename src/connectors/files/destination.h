// Connection type `files` as a destination: rows into CSV, JSON lines or Parquet below one folder.
//
// The sync's `object` is the file's path below the folder. cells.h says how values are written, merge.h what
// becomes of rows and columns that are there already, writer.h when a row counts as delivered.
#pragma once

#include "sync/destination.h"

namespace eddy::connectors {

// Settings: those of files_source() (files.h).
sync::DestinationType files_destination();

}  // namespace eddy::connectors
