// MySQL and MariaDB as a destination: a batch is one transaction (LOAD DATA LOCAL INFILE, out of memory, into
// a temporary staging table, then one statement over all of its rows).
#pragma once

#include "sync/destination.h"

namespace eddy::connectors {

// Type "mysql", for both servers (MariaDB 10.2, MySQL 8.0 and later). Settings: host, port, socket, database,
// user, password, tls, tls_ca, connect_timeout, read_timeout. Options of a sync: create_table, keys. Removal:
// erase; there is no archive. Rights needed: SELECT, INSERT, UPDATE, DELETE on the table and CREATE TEMPORARY
// TABLES on the database. Errors of open(): destination.no_such_object, destination.unknown_field,
// destination.read_only_field, destination.key_not_unique, destination.unsupported.
sync::DestinationType mysql_destination();

}  // namespace eddy::connectors
