// A table of a SQLite file as a destination. A batch is one transaction; a row that is refused does not
// disturb the others.
#pragma once

#include "sync/destination.h"

namespace eddy::connectors {

// Type "sqlite". Settings: path, busy_timeout. Option of a sync: create_table (also makes the file). Removal:
// erase; there is no archive. Errors of open(): destination.no_such_object,
// destination.unknown_field, destination.read_only_field, destination.key_not_unique,
// destination.unsupported.
sync::DestinationType sqlite_destination();

}  // namespace eddy::connectors
