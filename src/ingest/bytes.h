// Bytes on their way from an origin into the lake: copied as received, unpacked for reading, looked at
// without loading them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/cancel.h"
#include "ingest/source.h"

namespace eddy::ingest {

// A whole file as memory, read-only; pages come and go, so it is not counted against memory. Only for files
// that nobody changes (a file cut short under a mapping kills the process): those of the lake. Throws
// Error("file.unreadable").
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

struct FileStamp {
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const std::filesystem::path& path);  // throws Error("file.unreadable")

// Copies a file that may be written to at this moment, and returns the stamp of what was copied. When it
// changed under the copy it is copied again, in the end Error("ingest.file_changing").
FileStamp copy_unchanged(const std::filesystem::path& from, const std::filesystem::path& to,
                         const Cancel& cancel);

// By the first bytes, whatever the name says.
Compression compression_of(const std::filesystem::path& path);

// Throws Error("ingest.damaged_compression") that says where the data breaks off.
void unpack(const std::filesystem::path& from, const std::filesystem::path& to, Compression compression,
            const Cancel& cancel);

std::string sha256_of_file(const std::filesystem::path& path, const Cancel& cancel);  // lower-case hex

// Throws Error("run.cancelled") when asked to stop.
void stop_if(const Cancel& cancel);

bool is_utf8(std::string_view bytes);

}  // namespace eddy::ingest
