#include <fmt/format.h>

#include "app/from_folder.h"
#include "app/scaffold.h"
#include "app/workspace.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

namespace eddy::app {
namespace {

namespace fs = std::filesystem;

// A project's name comes from its folder; in YAML it must not look like anything else.
std::string project_name(const fs::path& folder) {
  std::string name = folder.filename().string();
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-') c = '_';
  return name.empty() || !std::isalpha(static_cast<unsigned char>(name[0])) ? "project_" + name : name;
}

}  // namespace

int init(const Context& context, const InitOptions& options) {
  const fs::path folder = fs::weakly_canonical(fs::absolute(options.folder.empty() ? "." : options.folder));
  if (fs::exists(folder / "eddy.yml"))
    throw Error("init.exists", fmt::format("{} is a project already", folder.string()),
                "choose another folder, or remove its eddy.yml");
  if (fs::exists(folder) && !fs::is_directory(folder))
    throw Error("init.not_a_folder", fmt::format("{} is not a folder", folder.string()),
                "choose another name");

  std::vector<std::pair<fs::path, std::string>> files;
  std::vector<std::string> notes;
  if (options.from.empty()) {
    for (const ScaffoldFile& file : scaffold())
      files.emplace_back(file.path, replace_all(std::string(file.text), "{name}", project_name(folder)));
  } else {
    FromFolder made = project_from_folder(options.from, folder, project_name(folder));
    files = std::move(made.files);
    notes = std::move(made.notes);
  }
  files.emplace_back(".gitignore", std::string(gitignore_text()));
  // Nothing of the user's is overwritten: all is looked at before the first file is written.
  for (const auto& [path, ignored] : files)
    if (fs::exists(folder / path) && path != ".gitignore" && path != "README.md")
      throw Error("init.exists", fmt::format("{} exists already", (folder / path).string()),
                  "choose an empty folder");
  for (const auto& [path, text] : files)
    if (!fs::exists(folder / path)) write_file_atomically(folder / path, text);

  if (!context.quiet) {
    for (const std::string& note : notes) print_err(note + "\n");
    const std::string where = options.folder.empty() || options.folder == "."
                                  ? ""
                                  : fmt::format("cd {} && ", options.folder.string());
    print_err(fmt::format("{} files in {}\n\nnext:\n  {}eddy run\n  eddy ls\n  eddy report\n", files.size(),
                          folder.string(), where));
  }
  return exit_done;
}

}  // namespace eddy::app
