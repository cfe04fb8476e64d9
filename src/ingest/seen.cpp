#include "ingest/seen.h"

#include <nlohmann/json.hpp>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "lake/layout.h"

namespace eddy::ingest {

Seen::Seen(const std::vector<state::Load>& loads, const StreamSpec& stream) {
  const bool append = stream.mode == StreamSpec::Mode::append;
  for (const state::Load& load : loads) {
    const StreamSchema schema = StreamSchema::from_json(load.schema);
    if (!schema.columns().empty()) schema_ = schema;
    for (const auto& [name, type] : stream.columns)
      if (const StreamColumn* column = schema.find(name);
          column != nullptr && column->type != type && !append)
        outdated_loads_.insert(load.id);
    for (const state::LoadedFile& file : load.files) {
      newest_[file.path] = {&file, &load};
      if (append) remember(file.bytes, file.sha256);
    }
  }
  // A file that goes back to an earlier content is new again, where the newest load of a path counts.
  for (const auto& [path, known] : newest_) remember(known.file->bytes, known.file->sha256);
}

bool Seen::unchanged(const Piece& piece) const {
  const auto found = newest_.find(piece.origin);
  if (found == newest_.end() || outdated(piece)) return false;
  const auto& [file, load] = found->second;
  if (file->bytes != piece.bytes || file->modified_ns != piece.modified_ns) return false;
  // Written shortly before it was loaded: it may have been written again within the same tick of the file
  // system's clock.
  constexpr std::int64_t tick_ns = 2'000'000'000;
  const std::int64_t loaded_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(parse_utc(load->loaded_at).time_since_epoch())
          .count();
  return file->modified_ns + tick_ns < loaded_ns;
}

bool Seen::outdated(const Piece& piece) const {
  const auto found = newest_.find(piece.origin);
  return found != newest_.end() && outdated_loads_.contains(found->second.load->id);
}

void Seen::remember(std::uint64_t bytes, const std::string& sha256) {
  sizes_.insert(bytes);
  contents_.insert(sha256);
}

std::optional<CsvDialect> recorded_dialect(const std::filesystem::path& lake,
                                           const std::vector<state::Load>& loads) {
  for (auto load = loads.rbegin(); load != loads.rend(); ++load) {
    const auto sidecar = lake / lake::load_folder(load->source, load->stream, load->id) / "load.json";
    if (!std::filesystem::exists(sidecar)) continue;
    const auto record = nlohmann::json::parse(read_file(sidecar), nullptr, false);
    if (record.is_discarded()) continue;
    for (const auto& file : record.value("files", nlohmann::json::array()))
      if (file.contains("csv")) return CsvDialect::from_json(file["csv"]);
  }
  return std::nullopt;
}

}  // namespace eddy::ingest
