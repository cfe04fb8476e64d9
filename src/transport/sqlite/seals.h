// Rows that tell when a bit of them has flipped: SQLite keeps no checksums of its pages, and a flip inside a
// text leaves a page that it finds in order. Two functions for the SQL of one connection:
//
//   eddy_seal('table', a, b, …)          a checksum over the name, the values and their types
//   eddy_intact('table', seal, a, b, …)  1; when `seal` is not that checksum, the statement ends with a
//                                        SqliteError that is_damaged()
#pragma once

#include "transport/sqlite/database.h"

namespace eddy::sqlite {

void define_seals(Database& database);

}  // namespace eddy::sqlite
