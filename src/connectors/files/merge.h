// From journal and present file to the new file: one SELECT, which the engine writes down (COPY) in bounded
// memory.
#pragma once

#include <string>
#include <vector>

#include "connectors/files/cells.h"
#include "connectors/files/journal.h"
#include "connectors/files/stored.h"
#include "engine/database.h"

namespace eddy::connectors {

// Columns of a segment, all text but the first two:
//   _seq, _row   the segment's number and the place in it
//   _op          add, change or remove
//   _kept        per field 1 (leave what is there) or 0; null: no field is kept
//   _changed     for files of changes: names of the fields that are to be written, as a JSON list
//   k0 …, f0 …   key and fields
constexpr const char* segment_columns = "_row integer, _op varchar, _kept varchar, _changed varchar";

// The engine types of key and fields in the file; "VARCHAR" for CSV and JSON lines. What a Parquet file has
// already stays; a decimal becomes as wide as it must. `rooms` has one entry per column, used for decimals
// only.
struct FileTypes {
  std::vector<std::string> key, fields;
};
std::vector<DecimalRoom> decimal_rooms(engine::Connection& connection, const StoredFile& stored,
                                       const JournalRun& run,
                                       const std::vector<std::filesystem::path>& segments);
FileTypes file_types(const StoredFile& stored, const JournalRun& run, const std::vector<DecimalRoom>& rooms);

// SQL: key column i of the file (`o`), and of a table with columns k0, k1, … of journal text, so that equal
// keys are equal: decimals, whose columns grow wider, as their shortest text.
std::string key_in_file(const StoredFile& stored, const JournalRun& run, const FileTypes& types,
                        std::size_t i);
std::string key_in_table(const JournalRun& run, const FileTypes& types, std::size_t i,
                         std::string_view table);

// A SELECT of everything the file is to hold: its rows with the journal's changes applied, sorted by key, so
// that equal rows make equal files. Without segments: what it holds now. For JSON lines one column, `line`.
std::string whole_sql(engine::Connection& connection, const StoredFile& stored, const JournalRun& run,
                      const std::vector<std::filesystem::path>& segments);
// A SELECT of the journal's rows as they came, for a file of changes: _operation, _run, _changed, key,
// fields.
std::string changes_sql(engine::Connection& connection, const JournalRun& run,
                        const std::vector<std::filesystem::path>& segments);
// Writes the rows of a SELECT in the target's format; not durable yet.
std::string copy_sql(const std::string& select, const FileTarget& target, const std::filesystem::path& to);

}  // namespace eddy::connectors
