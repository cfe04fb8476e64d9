// Looks at a folder of data files and says which streams are in it: for `eddy init --from FOLDER`. Writes
// nothing into that folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "engine/database.h"
#include "ingest/source_spec.h"

namespace eddy::ingest {

struct FoundColumn {
  std::string name;
  std::string type;            // the engine's
  std::uint64_t distinct = 0;  // about; of the rows looked at
  std::uint64_t nulls = 0;     // of the rows looked at
};

struct FoundStream {
  std::string name;                // an identifier made from the file name, unique in the folder
  std::string path;                // below the folder: one file, or a glob over numbered or dated siblings
  std::vector<std::string> files;  // below the folder
  Format format = Format::csv;
  std::uint64_t bytes = 0;  // of all files, as they are
  std::uint64_t rows = 0;   // of all files: exact for one file, else by size from the first
  std::uint64_t rows_looked_at = 0;
  std::vector<FoundColumn> columns;
  // Names of columns, most likely first. A key candidate is whole-number, text or UUID, never null and unique
  // among the rows looked at.
  std::vector<std::string> key_candidates, dates, numbers,
      categories;  // categories: text or boolean with few values
};

struct SkippedFile {
  std::string path;    // below the folder
  std::string reason;  // "an image", "a single object, not a list of rows"
};

struct FolderContents {
  std::vector<FoundStream> streams;  // by name
  std::vector<SkippedFile> skipped;  // by path
};

// Reads every file once, looking closely at up to 200,000 rows of each; hidden files and folders are passed
// over. `work` is a folder for passing files, made when needed. Throws Error("ingest.no_folder"),
// Error("run.cancelled"); a file that cannot be read is skipped with the reason.
FolderContents inspect_folder(engine::Connection& connection, const std::filesystem::path& folder,
                              const std::filesystem::path& work, const Cancel& cancel);

// "londonBoroughs-2k" -> "london_boroughs_2k"; never empty, never starting with a digit.
std::string identifier_of(std::string_view stem);

}  // namespace eddy::ingest
