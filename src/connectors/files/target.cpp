#include "connectors/files/target.h"

#include <fmt/format.h>

#include <array>

#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {
namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 3> formats = {"csv", "jsonl", "parquet"};
constexpr std::array<std::string_view, 3> compressions = {"none", "gzip", "zstd"};
constexpr std::array<std::string_view, 2> contents = {"whole", "changes"};

struct Ending {
  std::string_view text;
  FileFormat format;
};
constexpr std::array<Ending, 4> endings = {{{".csv", FileFormat::csv},
                                            {".jsonl", FileFormat::jsonl},
                                            {".ndjson", FileFormat::jsonl},
                                            {".parquet", FileFormat::parquet}}};

template <std::size_t N>
std::optional<std::size_t> place_of(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? std::nullopt : std::optional<std::size_t>(found - names.begin());
}

// What a name says about the bytes. `format_end` is where the ending begins.
struct Reading {
  std::optional<FileFormat> format;
  std::optional<FileCompression> compression;
  std::size_t ending_at = 0;
};

Reading read_name(const std::string& name) {
  Reading out;
  const std::string low = lower(name);
  std::string_view rest = low;
  for (const auto& [suffix, compression] :
       {std::pair(".gz", FileCompression::gzip), std::pair(".zst", FileCompression::zstd)})
    if (rest.ends_with(suffix)) {
      out.compression = compression;
      rest.remove_suffix(std::string_view(suffix).size());
      break;
    }
  for (const Ending& ending : endings)
    if (rest.ends_with(ending.text) && rest.size() > ending.text.size()) {
      out.format = ending.format;
      rest.remove_suffix(ending.text.size());
    }
  out.ending_at = rest.size();
  return out;
}

[[noreturn]] void no_object(const std::string& object, const std::string& why, const std::string& hint) {
  throw Error("destination.no_such_object", fmt::format("`{}` {}", object, why), hint);
}

// The object as a path that cannot leave the folder: neither by its words nor through a symbolic link.
fs::path inside(const fs::path& folder, const std::string& object) {
  const std::string hint = "write a path below the connection's folder, like exports/customers.csv";
  if (object.empty()) no_object(object, "names no file", hint);
  if (object.find('\0') != std::string::npos || object.find('\n') != std::string::npos)
    no_object(object, "cannot be the name of a file", hint);
  const fs::path path(object);
  if (path.is_absolute()) no_object(object, "is an absolute path", hint);
  for (const fs::path& part : path) {
    if (part == "..") no_object(object, "leads out of the connection's folder", hint);
    if (part.empty() || part.native().starts_with('.'))
      no_object(object, "names a hidden file or a folder", "hidden files are never read as sources; " + hint);
  }
  std::error_code ignored;
  const fs::path root = fs::weakly_canonical(folder, ignored);
  const fs::path parent = fs::weakly_canonical(folder / path.parent_path(), ignored);
  const auto [end, rest] = std::mismatch(root.begin(), root.end(), parent.begin(), parent.end());
  if (end != root.end())
    no_object(object, "leads out of the connection's folder through a symbolic link", hint);
  if (fs::is_symlink(folder / path)) no_object(object, "is a symbolic link", "name the file it points to");
  return folder / path.lexically_normal();
}

template <std::size_t N>
std::optional<std::size_t> option(const config::Node& options, const char* name,
                                  const std::array<std::string_view, N>& names) {
  const config::Node node = options[name];
  if (!node.exists()) return std::nullopt;
  const auto place = place_of(names, node.text());
  if (!place) node.fail("destination.options", fmt::format("`{}` is no {}", node.text(), name));
  return place;
}

}  // namespace

std::string_view name_of(FileFormat format) { return formats[static_cast<std::size_t>(format)]; }
std::string_view name_of(FileCompression compression) {
  return compressions[static_cast<std::size_t>(compression)];
}
std::string_view name_of(FileContent content) { return contents[static_cast<std::size_t>(content)]; }

config::Shape FileTarget::options_shape() {
  using config::Shape;
  config::Field format =
      config::field("format", Shape::enumeration({"csv", "jsonl", "parquet"}), "format of the file");
  format.default_text = "by the file's ending";
  config::Field compression =
      config::field("compression", Shape::enumeration({"none", "gzip", "zstd"}), "how the file is packed");
  compression.default_text = "by the file's ending; zstd inside Parquet";
  config::Field content = config::field(
      "content", Shape::enumeration({"whole", "changes"}),
      "whole: the file holds every delivered row; changes: each run adds a file with what it changed");
  content.default_text = "whole";
  return Shape::object({format, compression, content});
}

FileTarget FileTarget::of(const fs::path& folder, const std::string& object, const config::Node& options) {
  FileTarget out;
  out.object = object;
  out.file = inside(folder, object);
  const Reading name = read_name(out.file.filename().string());
  const auto format = option(options, "format", formats);
  const auto compression = option(options, "compression", compressions);
  if (!format && !name.format)
    no_object(object, "has no ending that tells its format",
              "end it in .csv, .jsonl or .parquet, or set options: {format: csv}");
  if (format && name.format && *format != static_cast<std::size_t>(*name.format))
    options["format"].fail("destination.options",
                           fmt::format("the ending of `{}` says {}, the option {}", object,
                                       name_of(*name.format), options["format"].text()),
                           "leave the option away, or end the file otherwise");
  out.format = format ? static_cast<FileFormat>(*format) : *name.format;
  const bool parquet = out.format == FileFormat::parquet;
  if (parquet && name.compression)
    no_object(object, "is a packed Parquet file", "Parquet is packed inside: leave the second ending away");
  if (compression && name.compression && *compression != static_cast<std::size_t>(*name.compression))
    options["compression"].fail("destination.options",
                                fmt::format("the ending of `{}` says {}, the option {}", object,
                                            name_of(*name.compression), options["compression"].text()),
                                "leave the option away, or end the file otherwise");
  out.compression = compression
                        ? static_cast<FileCompression>(*compression)
                        : name.compression.value_or(parquet ? FileCompression::zstd : FileCompression::none);
  if (const auto content = option(options, "content", contents))
    out.content = static_cast<FileContent>(*content);
  return out;
}

std::optional<FileTarget> FileTarget::existing(const fs::path& folder, const std::string& object) {
  try {
    FileTarget target = of(folder, object, {});
    if (fs::is_regular_file(target.file)) return target;
  } catch (const Error&) {
    // not a name of ours
  }
  return std::nullopt;
}

std::string FileTarget::stem() const {
  const std::string name = file.filename().string();
  return name.substr(0, read_name(name).ending_at);
}

std::string FileTarget::ending() const {
  const std::string name = file.filename().string();
  const std::string told = name.substr(read_name(name).ending_at);
  if (read_name(name).format) return told;
  std::string out = fmt::format(".{}", name_of(format));
  if (format != FileFormat::parquet && compression == FileCompression::gzip) out += ".gz";
  if (format != FileFormat::parquet && compression == FileCompression::zstd) out += ".zst";
  return out;
}

fs::path FileTarget::work_folder() const {
  return file.parent_path() / fmt::format(".{}.eddy", file.filename().string());
}

fs::path FileTarget::changes_file(const std::string& run) const {
  return file.parent_path() / stem() / (run + ending());
}

}  // namespace eddy::connectors
