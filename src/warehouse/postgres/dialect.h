// PostgreSQL, from version 13 on, as a warehouse of the user's own.
//
// Rights. To read: CONNECT to the database, USAGE of the models' schemas, SELECT on the models. To keep
// snapshots inside: TEMPORARY on the database (everybody has it unless it was taken away), and a schema that
// belongs to the role, or CREATE on the database to make it.
#pragma once

#include "warehouse/own_warehouse.h"

namespace eddy::warehouse {

// Settings: those of the destination of this type, and `snapshots`, `snapshot_schema`.
WarehouseType postgres_warehouse();

}  // namespace eddy::warehouse
