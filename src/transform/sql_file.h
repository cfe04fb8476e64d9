// One .sql file of a project: an optional YAML header in its first block comment, then SQL.
//
//   /* eddy
//   materialize: view
//   */
//   select …
//
// Positions in messages are always those of the file. Everything here is pure.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace eddy::transform {

struct SqlFile {
  std::string file;     // what messages call it
  std::string text;     // all of it
  std::string header;   // the YAML, padded so that its columns are those of the file; "" without a header
  int header_line = 0;  // lines before the header's first
  std::string sql;      // without header and closing semicolon
  int sql_line = 0;     // lines before the first line of `sql`
  int sql_column = 0;   // characters before `sql` on its first line

  // A place inside `sql` (from 1) as a place in the file.
  SourcePosition position(int line_in_sql, int column_in_sql) const;
  // With the offending line of the file as excerpt.
  Diagnostic complaint(std::string code, std::string message, std::string hint, SourcePosition at) const;
};

SqlFile read_sql_file(std::string file, std::string text);

// `error` came from the engine for SQL in which the file's `sql` started after `lines_before` lines of our
// own. Gives Error("transform.sql") with the place in the file that the engine's "LINE n:" and caret point
// at; other errors (interrupted, out of memory) come back as they are.
Error sql_error(const SqlFile& file, const Error& error, int lines_before);

// The engine's message without its kind, its picture of the line and its suggestions; those become the hint.
struct EngineMessage {
  std::string text;
  std::string hint;
  int line = 0;         // as the engine counts; 0: it named no place
  std::string excerpt;  // the part of the line that the engine showed
  int caret = 0;        // characters before the place inside `excerpt`
};
EngineMessage read_engine_message(std::string_view message);

}  // namespace eddy::transform
