// The file that a sync writes: where it lies, in which format, and what it is to hold.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "config/document.h"
#include "config/shape.h"

namespace eddy::connectors {

enum class FileFormat { csv, jsonl, parquet };
enum class FileCompression { none, gzip, zstd };
// whole: the file holds every acknowledged row. changes: each run adds one file with what it changed.
enum class FileContent { whole, changes };

std::string_view name_of(FileFormat format);
std::string_view name_of(FileCompression compression);
std::string_view name_of(FileContent content);

struct FileTarget {
  std::string object;          // "exports/customers.csv.gz", as the sync says
  std::filesystem::path file;  // below the connection's folder
  FileFormat format = FileFormat::csv;
  FileCompression compression = FileCompression::none;
  FileContent content = FileContent::whole;

  // Of one sync. Throws Error("destination.no_such_object") when the object is no path below `folder` or its
  // ending tells no format and no option does, Error("destination.options") when ending and options
  // contradict each other.
  static FileTarget of(const std::filesystem::path& folder, const std::string& object,
                       const config::Node& options);
  // nullopt where of() would throw, and for files that are not there.
  static std::optional<FileTarget> existing(const std::filesystem::path& folder, const std::string& object);
  static config::Shape options_shape();

  // Where what is on its way into the file lies: `.customers.csv.gz.eddy`, beside it.
  std::filesystem::path work_folder() const;
  // One file of changes: `exports/customers/<run>.csv.gz`.
  std::filesystem::path changes_file(const std::string& run) const;

 private:
  std::string stem() const;    // "customers"
  std::string ending() const;  // ".csv.gz"
};

}  // namespace eddy::connectors
