// What ingest asks of a source: which pieces of a stream are there now, and where their bytes are.
//
// The app makes a Source from a connection with SourceType::make; the loader lists a stream's pieces, copies
// into the lake those it has not seen, and renders them as rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/shape.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "ingest/source_spec.h"

namespace eddy::ingest {

enum class Compression { none, gzip, zstd };
std::string_view name_of(Compression compression);

struct Piece {
  std::string origin;          // what it is called in records: the path below the connection's folder
  std::filesystem::path file;  // where its bytes can be read
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  // since 1970, UTC
  Format format = Format::csv;
  Compression compression = Compression::none;  // by the name; the loader looks at the bytes
};

// Belongs to one thread at a time.
class Source {
 public:
  virtual ~Source() = default;
  // For `eddy doctor`: reach it, change nothing. One line for people ("folder /data, 12 entries"). Throws
  // Error that says what to do.
  virtual std::string check() = 0;
  // The pieces that are there now, sorted by origin. A glob may match nothing; a path without wildcards must
  // be there: Error("ingest.no_files").
  virtual std::vector<Piece> list(const StreamSpec& stream) = 0;
};

// What a source may touch besides its own wire.
struct Surroundings {
  Clock& clock;
  const Cancel& cancel;
  std::filesystem::path project;  // relative paths in a connection are relative to this folder
};

// How one connection type is announced: one line per compiled connector in the app's registry.
struct SourceType {
  std::string type;        // "files", as in `type:` of connections.yml
  std::string summary;     // one line
  config::Shape settings;  // of the connection, without `type`
  std::function<std::unique_ptr<Source>(const config::Node& settings, const Surroundings&)> make;
};

}  // namespace eddy::ingest
