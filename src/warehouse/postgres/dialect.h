// PostgreSQL, from version 13 on, as a warehouse of the user's own.
//
// Rights. To read: CONNECT to the database, USAGE of the models' schemas, SELECT on the models. To keep
// snapshots inside: TEMPORARY on the database (everybody has it unless it was taken away), and a schema that
// belongs to the role, or CREATE on the database to make it.
#pragma once

#include "config/document.h"
#include "config/shape.h"
#include "warehouse/own_warehouse.h"

namespace eddy::warehouse {

// What a connection of type postgres may say beside the settings of the destination: `snapshots`,
// `snapshot_schema`.
config::Shape postgres_warehouse_settings();
// `settings`: of the connection; checked already. Connects when it is opened, not before.
OwnWarehouse postgres_warehouse(const std::string& connection, const config::Node& settings);

}  // namespace eddy::warehouse
