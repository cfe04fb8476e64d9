#include "connectors/files/files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/text.h"

namespace eddy::connectors {
namespace fs = std::filesystem;
using ingest::Compression;
using ingest::Piece;
using ingest::StreamSpec;

namespace {

bool is_glob(std::string_view path) { return path.find_first_of("*?[") != std::string_view::npos; }

Compression compression_of_name(std::string_view name) {
  const std::string low = lower(name);
  if (low.ends_with(".gz")) return Compression::gzip;
  if (low.ends_with(".zst")) return Compression::zstd;
  return Compression::none;
}

class FilesSource final : public ingest::Source {
 public:
  FilesSource(fs::path folder, const Cancel& cancel) : folder_(std::move(folder)), cancel_(cancel) {}

  std::string check() override {
    require_folder();
    const auto entries = std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
    return fmt::format("folder {}, {} entries", folder_.string(), entries);
  }

  std::vector<Piece> list(const StreamSpec& stream) override {
    require_folder();
    const std::string pattern = fs::path(stream.path).lexically_normal().string();
    std::vector<Piece> pieces;
    if (!is_glob(pattern)) {
      const fs::path file = folder_ / pattern;
      if (!fs::is_regular_file(file)) no_file(stream, file);
      pieces.push_back(piece(stream, pattern, file));
      return pieces;
    }
    // Walk only below the part of the pattern that has no wildcard.
    fs::path base;
    for (const fs::path& part : fs::path(pattern)) {
      if (is_glob(part.string())) break;
      base /= part;
    }
    const fs::path start = folder_ / base;
    if (!fs::is_directory(start)) return pieces;
    const bool deep = pattern.find("**") != std::string::npos;
    const auto depth_max = std::count(pattern.begin(), pattern.end(), '/') -
                           std::count(base.native().begin(), base.native().end(), '/');
    for (auto it = fs::recursive_directory_iterator(start, fs::directory_options::follow_directory_symlink);
         it != fs::recursive_directory_iterator(); ++it) {
      if (cancel_.requested()) throw Error("run.cancelled", "interrupted while listing files");
      // Symbolic links may form a ring.
      if (it.depth() > 40 || (!deep && it.depth() > depth_max)) it.disable_recursion_pending();
      // A hidden folder is somebody's own: a destination's journal, a version control's.
      if (it->path().filename().native().starts_with('.')) it.disable_recursion_pending();
      if (!it->is_regular_file()) continue;
      const std::string origin = base.empty() ? it->path().lexically_relative(folder_).string()
                                              : (base / it->path().lexically_relative(start)).string();
      if (it->path().filename().string().starts_with('.') || !glob_match(pattern, origin)) continue;
      pieces.push_back(piece(stream, origin, it->path()));
    }
    std::sort(pieces.begin(), pieces.end(),
              [](const Piece& a, const Piece& b) { return a.origin < b.origin; });
    return pieces;
  }

 private:
  void require_folder() const {
    if (!fs::is_directory(folder_))
      throw Error("files.no_folder", fmt::format("the folder {} is not there", folder_.string()),
                  "correct `path` of the connection, or make the folder");
  }

  [[noreturn]] void no_file(const StreamSpec& stream, const fs::path& file) const {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(file.parent_path(), ignored))
      names.push_back(entry.path().filename().string());
    const std::string hint = did_you_mean_hint(file.filename().string(), names);
    throw Error(
        "ingest.no_files", fmt::format("{}: there is no file {}", stream.relation(), file.string()),
        hint.empty() ? "correct `path` of the stream; it is relative to the connection's folder" : hint,
        stream.position);
  }

  static Piece piece(const StreamSpec& stream, const std::string& origin, const fs::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0)
      throw Error("file.unreadable", fmt::format("cannot read {}", file.string()));
    const auto format = stream.format ? stream.format : ingest::format_of_path(origin);
    if (!format)
      throw Error("ingest.unknown_format",
                  fmt::format("{}: the format of {} cannot be seen from its name", stream.relation(), origin),
                  "add `format:` to the stream, or narrow its path", stream.position);
    return {origin,
            file,
            static_cast<std::uint64_t>(info.st_size),
            info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec,
            *format,
            compression_of_name(origin)};
  }

  fs::path folder_;
  const Cancel& cancel_;
};

}  // namespace

config::Shape files_settings() {
  return config::Shape::object({config::field(
      "path", config::Shape::string(),
      "folder that paths of streams and objects are relative to (default: the project folder)")});
}

fs::path files_folder(const config::Node& settings, const fs::path& project) {
  const fs::path path = settings["path"].as_string("");
  return (path.empty() ? project : project / path).lexically_normal();
}

ingest::SourceType files_source() {
  return {"files", "files in a folder: CSV, TSV, JSON, JSON lines, Parquet; plain, gzip or zstd",
          files_settings(),
          [](const config::Node& settings,
             const ingest::Surroundings& surroundings) -> std::unique_ptr<ingest::Source> {
            return std::make_unique<FilesSource>(files_folder(settings, surroundings.project),
                                                 surroundings.cancel);
          }};
}

}  // namespace eddy::connectors
