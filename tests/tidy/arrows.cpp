#include "arrows.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace eddy::tidy {
namespace {

using Folders = std::set<std::string>;

// For each folder of src/ everything it may see besides itself. Arrows point down only:
// app → serve → project → report, ingest, transform, sync → warehouse, lake, state → engine, transport,
// config → core
const std::map<std::string, Folders>& arrows() {
  static const std::map<std::string, Folders> table = [] {
    const auto with = [](Folders below, std::initializer_list<std::string> more) {
      below.insert(more);
      return below;
    };
    std::map<std::string, Folders> t;
    t["core"] = {};
    t["config"] = t["engine"] = t["transport"] = {"core"};
    t["state"] = {"core", "config", "engine", "transport"};
    t["lake"] = with(t["state"], {"state"});
    t["warehouse"] = with(t["lake"], {"lake"});
    // The four capabilities do not know each other; they meet in the data.
    t["ingest"] = t["transform"] = t["sync"] = t["report"] = with(t["warehouse"], {"warehouse"});
    t["project"] = with(t["sync"], {"ingest", "transform", "sync", "report"});
    t["serve"] = with(t["project"], {"project"});
    t["connectors"] = {"core", "config", "transport"};
    t["app"] = with(t["serve"], {"serve", "connectors"});
    return t;
  }();
  return table;
}

// What connectors see of the capabilities: the interfaces they implement.
const Folders connector_interfaces = {"sync/destination.h", "ingest/source.h"};

// What a folder below another one may see besides. Files are read and written in formats that the engine
// alone speaks, so the connector for files merges with it.
const std::map<std::string, Folders> exceptions = {{"connectors/files", {"engine"}}};

bool is_excepted(const std::string& path, const std::string& other) {
  return std::any_of(exceptions.begin(), exceptions.end(), [&](const auto& exception) {
    return path.starts_with(exception.first + "/") && exception.second.contains(other);
  });
}

// One door per third party.
struct Door {
  std::string header;  // the include starts with this
  Folders folders;     // only files below these may say so
};
const std::vector<Door>& doors() {
  static const std::vector<Door> table = {
      {"yaml-cpp/", {"config"}},
      {"duckdb", {"engine"}},
      {"sqlite3", {"state", "transport/sqlite"}},
      {"libpq", {"transport/postgres"}},
      {"mysql", {"transport/mysql"}},
      {"curl/", {"transport/http"}},
      {"boost/", {"transport/http"}},
      {"openssl/", {"core", "transport/http", "connectors/declarative", "connectors/webhook", "lake"}},
      {"CLI/", {"app"}},
      {"phonenumbers/", {"core"}},
      {"unicode/", {"core"}},
  };
  return table;
}

std::string first_segment(const std::string& path) { return path.substr(0, path.find('/')); }

bool is_below(const std::string& path, const std::string& folder) { return path.starts_with(folder + "/"); }

std::string listed(const Folders& folders) { return fmt::format("{}", fmt::join(folders, ", ")); }

// The house file an include means, as a path below src/; "" when it is somebody else's header.
std::string resolve(const std::string& from, const std::string& include) {
  const auto beside =
      (std::filesystem::path(from).parent_path() / include).lexically_normal().generic_string();
  if (include.starts_with(".")) return beside;
  if (include.find('/') == std::string::npos) return {};
  return arrows().contains(first_segment(include)) ? include : std::string{};
}

std::optional<std::string> complaint_about(const std::string& path, const std::string& include) {
  const std::string folder = first_segment(path);
  const std::string target = resolve(path, include);
  if (target.empty()) {
    for (const Door& door : doors()) {
      if (!include.starts_with(door.header)) continue;
      const bool open = std::any_of(door.folders.begin(), door.folders.end(),
                                    [&](const std::string& allowed) { return is_below(path, allowed); });
      if (!open) return fmt::format("<{}> may be included only below src/{}", include, listed(door.folders));
    }
    return std::nullopt;
  }
  const std::string other = first_segment(target);
  if (other == folder) return std::nullopt;
  if (folder == "connectors" && connector_interfaces.contains(target)) return std::nullopt;
  if (is_excepted(path, other)) return std::nullopt;
  const auto known = arrows().find(folder);
  if (known == arrows().end())
    return fmt::format("the folder {}/ has no place in the rule of arrows", folder);
  if (known->second.contains(other)) return std::nullopt;
  return fmt::format("\"{}\": {} may not see {} (it sees {})", target, folder, other, listed(known->second));
}

// eddy_library(… DEPENDS core transport_http LINK …): an underscore stands for a folder below.
void check_depends(const SourceFile& file, std::vector<Violation>& violations) {
  static const std::regex depends(R"(DEPENDS\s+([a-z_\s]+))");
  const std::string folder = first_segment(file.path);
  std::smatch match;
  if (!arrows().contains(folder) || !std::regex_search(file.content, match, depends)) return;
  std::istringstream names(match[1]);
  for (std::string name; names >> name;) {
    const std::string other = name.substr(0, name.find('_'));
    // The interfaces lie in these libraries.
    const bool is_interface = folder == "connectors" && (other == "sync" || other == "ingest");
    if (other == folder || is_interface || is_excepted(file.path, other) ||
        arrows().at(folder).contains(other))
      continue;
    violations.push_back({file.path, 0, fmt::format("DEPENDS {}: {} may not see {}", name, folder, other)});
  }
}

void check_includes(const SourceFile& file, std::vector<Violation>& violations) {
  static const std::regex include(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  std::istringstream lines(file.content);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::smatch match;
    if (line.find('#') == std::string::npos || !std::regex_search(line, match, include)) continue;
    if (auto text = complaint_about(file.path, match[1])) violations.push_back({file.path, number, *text});
  }
}

}  // namespace

std::string Violation::to_text() const { return fmt::format("src/{}:{}: {}", path, line, text); }

std::vector<Violation> wrong_arrows(const std::vector<SourceFile>& files) {
  std::vector<Violation> violations;
  for (const SourceFile& file : files) {
    if (file.path.ends_with("CMakeLists.txt")) check_depends(file, violations);
    if (file.path.ends_with(".h") || file.path.ends_with(".cpp")) check_includes(file, violations);
  }
  return violations;
}

std::vector<Violation> long_files(const std::vector<SourceFile>& files, int lines_max) {
  std::vector<Violation> violations;
  for (const SourceFile& file : files) {
    const auto lines = static_cast<int>(std::count(file.content.begin(), file.content.end(), '\n'));
    if (lines > lines_max) {
      violations.push_back(
          {file.path, lines, fmt::format("{} lines; {} is the most a file may have", lines, lines_max)});
    }
  }
  return violations;
}

}  // namespace eddy::tidy
