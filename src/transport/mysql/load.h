// LOAD DATA LOCAL INFILE out of memory: no file is written or read.
#pragma once

#include <functional>
#include <string>

#include "transport/mysql/connection.h"

namespace eddy::mysql {

// How the rows of load() are written; goes after the table's name in the statement.
constexpr std::string_view load_format =
    "character set utf8mb4 fields terminated by '\\t' escaped by '\\\\' lines terminated by '\\n'";

// Runs `statement` ("load data local infile 'stream' into table …") and feeds it: `more` appends whole rows
// to the buffer, cells by append_cell() (encoding.h), separated by tabs, ended by a newline; it is called
// again and again until it appends nothing. What `more` throws ends the stream and comes out of here; the
// rows before it are in the table then.
//
// The server cannot stop such a stream, so a value that does not fit is bent and becomes a warning with the
// row's number, as with IGNORE: the caller must look at connection.warnings().
// Throws MysqlError; with number() 1148, 3948 or 4166 the server does not allow it (is_load_forbidden()).
void load(Connection& connection, std::string_view statement,
          const std::function<void(std::string& buffer)>& more);

// The server, or what is between here and there, does not take LOCAL INFILE (MySQL's default).
bool is_load_forbidden(const MysqlError& error);

}  // namespace eddy::mysql
