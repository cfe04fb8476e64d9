// What the catalog knows of a stream, and whether a piece is new.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ingest/bytes.h"
#include "ingest/rendering.h"
#include "ingest/source.h"
#include "state/store.h"

namespace eddy::ingest {

class Seen {
 public:
  // `stream` has canonical types in its declared columns.
  Seen(const std::vector<state::Load>& loads, const StreamSpec& stream);

  // Same path, size and time as recorded: it need not be read.
  bool unchanged(const Piece& piece) const;
  // It must be loaded even when its content is known: a column's declared type is another one now.
  bool outdated(const Piece& piece) const;
  bool knows_size(std::uint64_t bytes) const { return sizes_.contains(bytes); }
  bool knows_content(const std::string& sha256) const { return contents_.contains(sha256); }
  void remember(std::uint64_t bytes, const std::string& sha256);

  // The columns as the newest load left them.
  const StreamSchema& schema() const { return schema_; }

 private:
  struct Known {
    const state::LoadedFile* file = nullptr;
    const state::Load* load = nullptr;
  };
  std::map<std::string, Known> newest_;  // by origin
  std::set<std::uint64_t> sizes_;
  std::set<std::string> contents_;  // of what counts now
  std::set<std::string> outdated_loads_;
  StreamSchema schema_;
};

// How the stream's earlier CSV files are written, from the sidecar of the newest load that has one.
std::optional<CsvDialect> recorded_dialect(const std::filesystem::path& lake,
                                           const std::vector<state::Load>& loads);

}  // namespace eddy::ingest
