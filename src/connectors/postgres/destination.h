// PostgreSQL as a destination: a batch is one transaction (COPY into a staging table, then one statement over
// all of its rows).
#pragma once

#include "sync/destination.h"

namespace eddy::connectors {

// Type "postgres". Settings: url, or host, port, database, user, password, sslmode; schema. Options of a
// sync: schema, create_table. Removal: erase; there is no archive. Errors of open():
// destination.no_such_object, destination.unknown_field, destination.read_only_field,
// destination.key_not_unique, destination.unsupported.
sync::DestinationType postgres_destination();

}  // namespace eddy::connectors
